package console_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/access"
	"github.com/scalerd/scalerd/scaler/api"
	"github.com/scalerd/scalerd/scaler/console"
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
	{"scale", "#/a/shop/g/web", "Scale…", `document.querySelector("dialog .plan")`},
	{"pause", "#/a/shop/g/web", "Pause…", `document.querySelector("dialog .plan")`},
	{"explain", "#/a/shop/g/web/d/%d", "", `document.querySelector("dialog .stages")`},
	{"decisions", "#/decisions", "", `document.querySelectorAll("tbody tr").length > 10`},
	{"describe", "#/submit/shop", "", `document.querySelector(".banner.good")`},
}

func TestTheConsoleLooksRight(t *testing.T) {
	s := start(t)
	b := open(t, s.url)
	axe := axeCore(t)
	b.signIn("olga")
	b.settled()
	d, err := s.Decisions(t.Context(), "shop", "web", 1)
	if err != nil || len(d) == 0 {
		t.Fatalf("Decisions() = %v, %v", d, err)
	}
	for _, window := range []struct {
		name          string
		width, height int64
	}{{"", 1280, 900}, {"-phone", 390, 844}} {
		b.size(window.width, window.height)
		for _, v := range views {
			hash := v.hash
			if strings.Contains(hash, "%d") {
				hash = fmt.Sprintf(hash, d[0].ID)
			}
			b.goTo("#/nowhere") // so that the page is made anew
			b.shows("no page of this address")
			b.goTo(hash)
			if v.click != "" {
				b.click(v.click)
			}
			b.until(v.ready)
			for _, scheme := range []string{"light", "dark"} {
				b.scheme(scheme)
				name := v.name + window.name + "-" + scheme
				if by := eval[int](b, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); by > 0 {
					t.Errorf("%s scrolls sideways by %d pixels", name, by)
				}
				b.picture(name)
				if axe != "" {
					b.judge(name, axe)
				}
			}
			eval[bool](b, `(document.querySelectorAll("dialog").forEach((d) => d.close()), true)`)
		}
	}
	if said := b.complaints(); said != "" {
		t.Errorf("the page complains: %s", said)
	}
}

// axeCore is the text of axe-core, from the file that AXE names or from where make
// console-test puts it, and empty where there is none.
func axeCore(t *testing.T) string {
	t.Helper()
	path := os.Getenv("AXE")
	if path == "" {
		path = filepath.Join("..", "..", "bin", "node_modules", "axe-core", "axe.min.js")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Logf("accessibility is not judged: there is no axe-core (make console-test fetches it): %v", err)
		return ""
	}
	return string(text)
}

// judge reports what axe-core finds serious or critical.
func (b *tab) judge(name, axe string) {
	b.t.Helper()
	if !eval[bool](b, `Boolean(window.axe)`) {
		eval[bool](b, axe+"\n;true")
	}
	found, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`axe.run(document, {resultTypes: ["violations"]}).then((r) => JSON.stringify(r.violations.map((v) => ({id: v.id, impact: v.impact, help: v.help, nodes: v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160) + " " + (n.failureSummary || "").slice(0, 200))}))))`, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("axe-core: %v", err)
	}
	var violations []struct {
		ID, Impact, Help string
		Nodes            []string
	}
	if err := json.Unmarshal([]byte(found), &violations); err != nil {
		b.t.Fatal(err)
	}
	for _, v := range violations {
		text := fmt.Sprintf("%s: axe-core: %s %s: %s\n  %s", name, v.Impact, v.ID, v.Help, strings.Join(v.Nodes, "\n  "))
		if v.Impact == "serious" || v.Impact == "critical" {
			b.t.Error(text)
		} else {
			b.t.Log(text)
		}
	}
}

func TestFiveHundredGroupsAreShownAndFiltered(t *testing.T) {
	b := open(t, fleet(t, 20, 25))
	b.do(chromedp.Navigate(b.url + "/"))
	b.until(`document.querySelectorAll(".groups tbody tr").length === 520`)
	b.shows("500")
	took := eval[float64](b, `(() => { const f = document.querySelector("#filter"); f.value = "app-07"; const t = performance.now(); f.dispatchEvent(new Event("input")); document.body.offsetHeight; return performance.now() - t; })()`)
	if rows := eval[int](b, `document.querySelectorAll(".groups tbody tr").length`); rows != 26 {
		t.Errorf("%d rows of app-07, want its name and its 25 groups", rows)
	}
	b.shows("25 groups of 500")
	t.Logf("500 groups: first paint %.0f ms; a filter %.0f ms", b.firstPaint(), took)
	if said := b.complaints(); said != "" {
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
