package console_test

import (
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/console/consoletest"
)

// settled waits until shop has its nodes.
func settled(b *consoletest.Tab) {
	b.GoTo("#/a/shop")
	b.Until(`[...document.querySelectorAll(".groups .badge")].length === 2`)
	b.Until(`[...document.querySelectorAll(".groups .badge")].every((e) => e.textContent === "steady")`)
}

func TestWhatAnOperatorDoes(t *testing.T) {
	s := start(t)
	b := consoletest.Open(t, s.url)

	// Login.
	b.Visit()
	b.Type("#name", "olga")
	b.Type("#password", "wrong and long enough")
	b.Click("Sign in")
	b.Shows("the password")
	if focused := consoletest.Eval[string](b, `document.activeElement.id`); focused != "password" {
		t.Errorf("after a wrong password the focus is on %q", focused)
	}
	b.SignIn("olga", password)
	b.Shows("shop", "web", "workers", "batch", "render")
	b.Budget("the page, signed in", `document.querySelectorAll(".groups tbody tr").length >= 6`)

	// A description with mistakes, and then without.
	b.GoTo("#/submit")
	b.Type("#description", "name: tiny\ninterval: 1s\ngroups:\n  - name: one\n    cloud: local\n    min: 5\n    max: 2\n    colour: red\n")
	b.Shows("mistakes", "Line 8, column 5", "colour")
	b.Until(`document.querySelectorAll(".behind .wrong").length >= 1`)
	b.Click("Line 8, column 5")
	if line := consoletest.Eval[int](b, `document.querySelector("#description").value.slice(0, document.querySelector("#description").selectionStart).split("\n").length`); line != 8 {
		t.Errorf("the mistake's link leads to line %d, want 8", line)
	}
	b.Type("#description", "name: tiny\ninterval: 1s\ngroups:\n  - {name: one, cloud: local, min: 1, max: 5, initial: 2}\n")
	b.Shows("Valid.")
	b.Click("Submit…")
	b.Shows("tiny is a new application.", "2 to create")
	b.Click("Submit")
	b.Shows("Terraform plans", "Done.")
	b.Click("Close")

	// Scale.
	b.GoTo("#/a/tiny/g/one")
	b.Shows("of 2 wanted")
	b.Click("Scale…")
	b.Until(`document.querySelector("dialog .plan")`)
	if !consoletest.Eval[bool](b, `document.querySelector("#confirm").disabled`) {
		t.Error("the size that is there can be confirmed")
	}
	b.Type("#size", "9")
	b.Shows("from 1 to 5")
	b.Type("#size", "4")
	b.Shows("2 to create", `one-0003`)
	b.Until(`!document.querySelector("#confirm").disabled`)
	b.Click("Scale")
	b.Shows("Terraform plans", "Done.")
	b.Click("Close")
	b.Shows("of 4 wanted")

	// Drop.
	b.Until(`[...document.querySelectorAll("td .badge")].filter((e) => e.textContent === "ready").length === 4`)
	b.Click("Drop one-0002")
	b.Shows("1 to destroy", "one-0002")
	b.Click("Drop the node")
	b.Shows("Done.")
	b.Click("Close")
	b.Shows("of 3 wanted")
	b.Until(`!document.querySelector("main").innerText.includes("one-0002") || !document.querySelector("[aria-label='Drop one-0002']")`)

	// Explain.
	b.Until(`document.querySelector("a[href*='/d/']")`)
	consoletest.Eval[bool](b, `(document.querySelector("a[href*='/d/']").click(), true)`)
	b.Shows("Seen", "Proposed", "Limited", "Decided", "one-0002 dropped by hand", "Planned", "done,")
	b.Click("Close the dialog")
	b.Until(`!document.querySelector("dialog")`)

	// Pause and resume.
	b.Click("Pause…")
	b.Shows("Decisions stop", "3 nodes")
	b.Click("Pause")
	b.Shows("Policies do not change the size")
	if g := group(t, s, "tiny", "one"); !g.Paused {
		t.Errorf("the group is not paused: %+v", g)
	}
	b.Click("Resume…")
	b.Shows("Policies decide again")
	b.Click("Resume")
	b.Until(`!document.querySelector("main").innerText.includes("Policies do not change the size")`)

	// The end.
	b.GoTo("#/a/tiny")
	b.Click("Destroy…")
	b.Until(`document.querySelector("#sure")`)
	b.Shows("3 nodes to destroy")
	if !consoletest.Eval[bool](b, `document.querySelector("#confirm").disabled`) {
		t.Error("an application can be destroyed without its name")
	}
	b.Type("#sure", "tiny")
	b.Click("Destroy everything")
	b.Shows("Done.")
	b.Click("Close")
	b.Shows("tiny is gone")

	b.Click("Sign out")
	b.Shows("Sign in")
	if said := b.Complaints(); said != "" {
		t.Errorf("the page complains: %s", said)
	}
}

func group(t *testing.T, s *served, app, name string) scaler.GroupStatus {
	t.Helper()
	status, err := s.Application(t.Context(), app)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range status.Groups {
		if g.Name == name {
			return g
		}
	}
	t.Fatalf("group %s of %s is not there", name, app)
	return scaler.GroupStatus{}
}

func TestNobodyNeedsAMouse(t *testing.T) {
	s := start(t)
	b := consoletest.Open(t, s.url)
	focused := func(script string) bool {
		return consoletest.Eval[bool](b, "Boolean(document.activeElement && document.activeElement."+script+")")
	}
	b.Visit()
	b.Until(`document.activeElement.id === "name"`)
	b.Press("olga" + kb.Tab + password + kb.Enter)
	b.Until(`document.querySelector("#nav:not([hidden])")`)
	b.GoTo("#/a/shop/g/web")
	b.Until(`document.querySelector(".plot") && document.querySelector(".plot").uplot && document.querySelectorAll(".decided tbody tr").length > 5`)
	b.Until(`document.activeElement.id === "main"`)

	// A decision in the chart.
	consoletest.Eval[bool](b, `(document.querySelector(".plot").focus(), true)`)
	b.Press(kb.Home)
	for i := 0; i < 60 && !consoletest.Eval[bool](b, `Boolean(document.querySelector("dialog"))`); i++ {
		b.Press(kb.ArrowRight + kb.ArrowRight + kb.ArrowRight + kb.ArrowRight + kb.Enter)
	}
	b.Shows("Proposed", "target")
	b.Press(kb.Escape)
	b.Until(`!document.querySelector("dialog")`)
	if !focused(`closest(".plot")`) {
		t.Error("after the dialog the focus is not where it was")
	}

	// An order: the focus stays in the dialog until it is closed.
	consoletest.Eval[bool](b, `([...document.querySelectorAll("button")].find((e) => e.textContent === "Scale…").focus(), true)`)
	b.Press(kb.Enter)
	b.Until(`document.querySelector("dialog[open]")`)
	for range 12 {
		b.Press(kb.Tab)
		if !focused(`closest("dialog")`) && !focused(`matches("body")`) { // between the last and the first a browser's own bar has it
			t.Fatalf("Tab leads out of the dialog, to %s", consoletest.Eval[string](b, `document.activeElement.outerHTML.slice(0, 200)`))
		}
	}
	b.Press(kb.Escape)
	b.Until(`!document.querySelector("dialog") && document.activeElement.textContent === "Scale…"`)
}

func TestAViewerIsOfferedNoOrders(t *testing.T) {
	s := start(t)
	b := consoletest.Open(t, s.url)
	b.SignIn("vera", password)
	b.GoTo("#/a/shop/g/web")
	b.Shows("wanted", "Optimizer")
	for _, word := range []string{"Scale…", "Pause…", "Drop…", "Submit"} {
		if consoletest.Eval[bool](b, `[...document.querySelectorAll("a, button")].some((e) => e.offsetParent !== null && e.textContent === `+consoletest.Quoted(word)+`)`) {
			t.Errorf("a viewer is offered %s", word)
		}
	}
}
