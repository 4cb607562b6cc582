package cmd_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/scalerd/scalerd/examples"
	"github.com/scalerd/scalerd/scaler/api"
	"github.com/scalerd/scalerd/scaler/console/consoletest"
)

const consolePassword = "correct horse battery staple"

var apiListening = regexp.MustCompile(`msg="the API listens" api_listen=(\S+)`)

// consoleDaemon is a scalerd whose console is at the address, over TLS, with a user of
// each role.
func consoleDaemon(t *testing.T) (d *daemon, url string) {
	t.Helper()
	d = startDaemon(t, "--api-listen", "127.0.0.1:0")
	for _, u := range [][2]string{{"ada", "admin"}, {"olga", "operator"}, {"vera", "viewer"}} {
		if _, err := d.client.PutUser(t.Context(), u[0], api.UserChange{Password: consolePassword, Role: u[1]}); err != nil {
			t.Fatal(err)
		}
	}
	d.eventually("the API listens", func() error {
		found := apiListening.FindStringSubmatch(d.log())
		if found == nil {
			return errors.New("nothing is logged yet")
		}
		url = "https://" + found[1]
		return nil
	})
	return d, url
}

// report is examples/local/budget.yaml at a port of its own. A size that was chosen by
// hand stays, because a group is not shrunk so soon.
func report(t *testing.T, port int) string {
	t.Helper()
	text, err := examples.Files.ReadFile("local/budget.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer("boot_time: 3s", "boot_time: 1s", ":18080", fmt.Sprintf(":%d", port), "cooldown_in: 4s", "cooldown_in: 1h").Replace(string(text))
}

// TestConsoleFromLoginToLogout is a session of somebody who runs a fleet, in a real
// browser, with the real scalerd, terraform, nodes and load.
func TestConsoleFromLoginToLogout(t *testing.T) {
	d, url := consoleDaemon(t)
	b := consoletest.Open(t, url)
	port := freePort(t)
	users := startLoad(t, fmt.Sprintf("http://127.0.0.1:%d/", port))

	b.Visit()
	b.Until(`document.querySelector("#name")`)
	b.Look("login")
	b.Budget("the page to sign in", `document.querySelector("#name")`)
	b.SignIn("ada", consolePassword)
	b.Shows("No application runs yet")
	b.Look("empty")

	// A description with a mistake, and then without.
	good := report(t, port)
	b.Click("Submit a description")
	b.Type("#description", strings.Replace(good, "max: 8", "maximum: 8", 1))
	b.Shows("mistake", "maximum")
	b.Until(`document.querySelector(".behind .wrong") && document.querySelector("#submit").disabled`)
	b.Look("mistake")
	b.Type("#description", good)
	b.Shows("Valid.")
	b.Click("Submit…")
	b.Shows("report is a new application.", "to create")
	b.Look("submit")
	b.Click("Submit")
	b.Shows("Done.")
	b.Look("submitted")
	b.Click("Close")
	d.settle("report", "web", 1)

	// It follows its load.
	users.rate.Store(40)
	b.GoTo("#/a/report/g/web")
	b.Shows("of 2 wanted")
	d.settle("report", "web", 2)
	b.Until(`[...document.querySelectorAll("td .badge")].filter((e) => e.textContent === "ready").length === 2`)

	// Scale.
	b.Click("Scale…")
	b.Type("#size", "4")
	b.Shows("2 to create", `terraform_data.node["web-0003"]`, "+0.50 EUR an hour")
	b.Until(`!document.querySelector("#confirm").disabled`)
	b.Look("scale")
	b.Click("Scale")
	b.Shows("Done.")
	b.Click("Close")
	d.settle("report", "web", 4)
	b.Shows("of 4 wanted")
	b.Until(`[...document.querySelectorAll("td .badge")].filter((e) => e.textContent === "ready").length === 4`)
	b.Until(`document.querySelectorAll(".uplot canvas").length >= 2`)
	b.Look("group")

	explainsADecision(d, b)
	pausesAndResumes(d, b)

	b.GoTo("#/a/report")
	b.Shows("by hand")
	b.Look("application")
	b.GoTo("#/decisions")
	b.Type("#search", "by hand")
	b.Until(`document.querySelectorAll("tbody tr").length === 1`)
	b.Look("decisions")
	b.GoTo("#/")
	b.Shows("report", "Cost now", "This month")
	b.Look("fleet")
	b.Budget("the fleet", `document.querySelectorAll(".groups tbody tr").length === 2`)

	b.Click("Sign out")
	b.Until(`document.querySelector("#name")`)
	if status := consoletest.Eval[int](b, `fetch("/v1/applications").then((r) => r.status)`); status != 401 {
		t.Errorf("after the logout the API answers %d, want 401", status)
	}
	if said := b.Complaints(); said != "" {
		t.Errorf("the page complains: %s", said)
	}
}

// explainsADecision clicks on the mark of the decision to follow the load.
func explainsADecision(d *daemon, b *consoletest.Tab) {
	d.t.Helper()
	for _, one := range d.decisions("report", "web") {
		if one.To != 2 {
			continue
		}
		place := fmt.Sprintf(`(() => { const u = document.querySelector(".plot").uplot, at = u.over.getBoundingClientRect(); return [at.left + u.valToPos(%d, "x"), at.top + at.height / 2]; })()`, one.At.Unix())
		consoletest.Eval[bool](b, `(document.querySelector(".plot").scrollIntoView({block: "center"}), true)`)
		at := consoletest.Eval[[]float64](b, place)
		b.Do(chromedp.MouseEvent(chromedp.MouseMoved, at[0], at[1]), chromedp.MouseClickXY(at[0], at[1]))
		b.Shows(fmt.Sprintf("Decision %d", one.ID), "Seen", "requests", "Proposed", "target", "Decided", "1 → 2", "Cost", "Planned", "+web-0002", "Done")
		b.Look("explanation")
		b.Click("Close the dialog")
		b.Until(`!document.querySelector("dialog")`)
		return
	}
	d.t.Errorf("no decision to have 2 nodes: %+v", d.decisions("report", "web"))
}

func pausesAndResumes(d *daemon, b *consoletest.Tab) {
	d.t.Helper()
	paused := func(want bool) {
		d.t.Helper()
		d.eventually(fmt.Sprintf("paused is %t", want), func() error {
			g, err := d.status("report", "web")
			if err == nil && g.Paused != want {
				err = fmt.Errorf("it is %t", g.Paused)
			}
			return err
		})
	}
	b.Click("Pause…")
	b.Shows("Decisions stop", "4 nodes")
	b.Look("pause")
	b.Click("Pause")
	paused(true)
	b.Shows("Policies do not change the size")
	b.Look("paused")
	b.Click("Resume…")
	b.Click("Resume")
	paused(false)
	b.Until(`!document.querySelector("main").innerText.includes("Policies do not change the size")`)
}
