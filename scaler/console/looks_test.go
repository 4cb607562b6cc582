package console_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/access"
	"github.com/scalerd/scalerd/scaler/api"
	"github.com/scalerd/scalerd/scaler/console"
	"github.com/scalerd/scalerd/scaler/console/consoletest"
)

// views are what is looked at: where it is, what to do there, and what shows that it
// is drawn.
var views = []struct {
	name, hash, click, ready string
}{
	{"fleet", "#/", "", `document.querySelectorAll(".groups tbody tr").length >= 6`},
	{"application", "#/a/shop", "", `document.querySelectorAll(".groups tbody tr").length === 2`},
	{"group", "#/a/shop/g/web", "", `document.querySelectorAll(".uplot canvas").length >= 4 && document.querySelectorAll("td .badge").length`},
	{"group-failing", "#/a/batch/g/gpu", "", `document.querySelector(".banner.bad")`},
	{"running", "#/a/batch/g/encode", "", `document.querySelector(".running .step .changes") && document.querySelector(".running").innerText.includes("plan: 3 to create")`},
	{"scale", "#/a/shop/g/web", "Scale…", `document.querySelector("dialog .plan")`},
	{"pause", "#/a/shop/g/web", "Pause…", `document.querySelector("dialog .plan")`},
	{"explain", "#/a/shop/g/web/d/%d", "", `document.querySelector("dialog .stages")`},
	{"decisions", "#/decisions", "", `document.querySelectorAll("tbody tr").length > 10`},
	{"describe", "#/submit/shop", "", `document.querySelector(".banner.good")`},
}

func TestTheConsoleLooksRight(t *testing.T) {
	s := start(t)
	b := consoletest.Open(t, s.url)
	b.SignIn("olga", password)
	settled(b)
	d, err := s.Decisions(t.Context(), "shop", "web", 1)
	if err != nil || len(d) == 0 {
		t.Fatalf("Decisions() = %v, %v", d, err)
	}
	for _, window := range []consoletest.Window{consoletest.Desk, consoletest.Phone} {
		b.Size(window)
		for _, v := range views {
			hash := v.hash
			if strings.Contains(hash, "%d") {
				hash = fmt.Sprintf(hash, d[0].ID)
			}
			b.GoTo("#/nowhere") // so that the page is made anew
			b.Shows("no page of this address")
			b.GoTo(hash)
			if v.click != "" {
				b.Click(v.click)
			}
			b.Until(v.ready)
			b.LookAt(v.name + window.Name)
			consoletest.Eval[bool](b, `(document.querySelectorAll("dialog").forEach((d) => d.close()), true)`)
		}
	}
	b.Size(consoletest.Desk)
	b.GoTo("#/a/shop/g/web")
	b.Budget("a group's page with its charts", `document.querySelectorAll(".uplot canvas").length >= 4`)
	if said := b.Complaints(); said != "" {
		t.Errorf("the page complains: %s", said)
	}
}

func TestFiveHundredGroupsAreShownAndFiltered(t *testing.T) {
	b := consoletest.Open(t, fleet(t, 20, 25))
	b.Visit()
	b.Until(`document.querySelectorAll(".groups tbody tr").length === 520`)
	b.Shows("500")
	took := consoletest.Eval[float64](b, `(() => { const f = document.querySelector("#filter"); f.value = "app-07"; const t = performance.now(); f.dispatchEvent(new Event("input")); document.body.offsetHeight; return performance.now() - t; })()`)
	if rows := consoletest.Eval[int](b, `document.querySelectorAll(".groups tbody tr").length`); rows != 26 {
		t.Errorf("%d rows of app-07, want its name and its 25 groups", rows)
	}
	b.Shows("25 groups of 500")
	t.Logf("500 groups: a filter takes %.0f ms", took)
	b.Budget("the fleet of 500 groups", `document.querySelectorAll(".groups tbody tr").length === 520`)
	if said := b.Complaints(); said != "" {
		t.Errorf("the page complains: %s", said)
	}
}

// fleet serves the console over an API that has so many applications of so many
// groups.
func fleet(t *testing.T, applications, groups int) string {
	t.Helper()
	var page api.Page[scaler.ApplicationStatus]
	for i := range applications {
		a := scaler.ApplicationStatus{Name: fmt.Sprintf("app-%02d", i), Settled: true, TickedAt: time.Now()}
		for j := range groups {
			g := scaler.GroupStatus{Name: fmt.Sprintf("group-%02d", j), Cloud: "ec2", Min: 1, Max: 50, Wanted: 3 + j, Ready: 3 + j, Settled: true,
				Decision: &scaler.Decision{At: time.Now(), From: 3 + j, To: 3 + j, Reasons: []string{"stays"}}}
			if i == 3 && j == 4 {
				g.Problem, g.Lost = "Error: creating EC2 Instance: InsufficientInstanceCapacity", 1
			}
			a.Groups = append(a.Groups, g)
		}
		page.Items = append(page.Items, a)
	}
	answer := func(v any) http.HandlerFunc {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(text)
		}
	}
	mux := http.NewServeMux()
	mux.Handle("/", console.Handler())
	mux.Handle("/v1/me", answer(api.Who{Name: "olga", Role: access.Operator, How: "session"}))
	mux.Handle("/v1/applications", answer(page))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}
