package console_test

import (
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/scalerd/scalerd/scaler"
)

// settled waits until shop has its nodes.
func (b *tab) settled() {
	b.t.Helper()
	b.goTo("#/a/shop")
	b.until(`[...document.querySelectorAll(".groups .badge")].length === 2`)
	b.until(`[...document.querySelectorAll(".groups .badge")].every((e) => e.textContent === "steady")`)
}

func TestWhatAnOperatorDoes(t *testing.T) {
	s := start(t)
	b := open(t, s.url)

	// Login.
	b.do(chromedp.Navigate(b.url + "/"))
	b.type_("#name", "olga")
	b.type_("#password", "wrong and long enough")
	b.click("Sign in")
	b.shows("the password")
	b.picture("sign-in-wrong")
	if focused := eval[string](b, `document.activeElement.id`); focused != "password" {
		t.Errorf("after a wrong password the focus is on %q", focused)
	}
	b.signIn("olga")
	b.shows("shop", "web", "workers", "batch", "render")
	t.Logf("first paint of the page, signed in: %.0f ms", b.firstPaint())

	// A description with mistakes, and then without.
	b.goTo("#/submit")
	b.type_("#description", "name: tiny\ninterval: 1s\ngroups:\n  - name: one\n    cloud: local\n    min: 5\n    max: 2\n    colour: red\n")
	b.shows("mistakes", "Line 8, column 5", "colour")
	b.until(`document.querySelectorAll(".behind .wrong").length >= 1`)
	b.picture("describe-mistakes")
	b.click("Line 8, column 5")
	if line := eval[int](b, `document.querySelector("#description").value.slice(0, document.querySelector("#description").selectionStart).split("\n").length`); line != 8 {
		t.Errorf("the mistake's link leads to line %d, want 8", line)
	}
	b.type_("#description", "name: tiny\ninterval: 1s\ngroups:\n  - {name: one, cloud: local, min: 1, max: 5, initial: 2}\n")
	b.shows("Valid.")
	b.click("Submit…")
	b.shows("tiny is a new application.", "2 to create")
	b.picture("submit-plan")
	b.click("Submit")
	b.shows("Terraform plans", "Done.")
	b.click("Close")

	// Scale.
	b.goTo("#/a/tiny/g/one")
	b.shows("of 2 wanted")
	b.click("Scale…")
	b.until(`document.querySelector("dialog .plan")`)
	if !eval[bool](b, `document.querySelector("#confirm").disabled`) {
		t.Error("the size that is there can be confirmed")
	}
	b.type_("#size", "9")
	b.shows("from 1 to 5")
	b.type_("#size", "4")
	b.shows("2 to create", `one-0003`)
	b.until(`!document.querySelector("#confirm").disabled`)
	b.click("Scale")
	b.shows("Terraform plans", "Done.")
	b.click("Close")
	b.shows("of 4 wanted")

	// Drop.
	b.until(`[...document.querySelectorAll("td .badge")].filter((e) => e.textContent === "ready").length === 4`)
	b.click("Drop one-0002")
	b.shows("1 to destroy", "one-0002")
	b.click("Drop the node")
	b.shows("Done.")
	b.click("Close")
	b.shows("of 3 wanted")
	b.until(`!document.querySelector("main").innerText.includes("one-0002") || !document.querySelector("[aria-label='Drop one-0002']")`)

	// Explain.
	b.until(`document.querySelector("a[href*='/d/']")`)
	eval[bool](b, `(document.querySelector("a[href*='/d/']").click(), true)`)
	b.shows("Seen", "Proposed", "Limited", "Decided", "one-0002 dropped by hand", "Planned", "done,")
	b.click("Close the dialog")
	b.until(`!document.querySelector("dialog")`)

	// Pause and resume.
	b.click("Pause…")
	b.shows("Decisions stop", "3 nodes")
	b.click("Pause")
	b.shows("Policies do not change the size")
	if g := group(t, s, "tiny", "one"); !g.Paused {
		t.Errorf("the group is not paused: %+v", g)
	}
	b.click("Resume…")
	b.shows("Policies decide again")
	b.click("Resume")
	b.until(`!document.querySelector("main").innerText.includes("Policies do not change the size")`)

	// The end.
	b.goTo("#/a/tiny")
	b.click("Destroy…")
	b.until(`document.querySelector("#sure")`)
	b.shows("3 nodes to destroy")
	if !eval[bool](b, `document.querySelector("#confirm").disabled`) {
		t.Error("an application can be destroyed without its name")
	}
	b.type_("#sure", "tiny")
	b.click("Destroy everything")
	b.shows("Done.")
	b.click("Close")
	b.shows("tiny is gone")

	b.click("Sign out")
	b.shows("Sign in")
	if said := b.complaints(); said != "" {
		t.Errorf("the page complains: %s", said)
	}
}

// firstPaint is how long after the navigation's begin something was painted, in
// milliseconds.
func (b *tab) firstPaint() float64 {
	b.do(chromedp.Reload())
	b.until(`performance.getEntriesByName("first-contentful-paint").length`)
	return eval[float64](b, `performance.getEntriesByName("first-contentful-paint")[0].startTime`)
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

func TestAViewerIsOfferedNoOrders(t *testing.T) {
	s := start(t)
	b := open(t, s.url)
	b.signIn("vera")
	b.goTo("#/a/shop/g/web")
	b.shows("wanted", "Optimizer")
	for _, word := range []string{"Scale…", "Pause…", "Drop…", "Submit"} {
		if eval[bool](b, `[...document.querySelectorAll("a, button")].some((e) => e.offsetParent !== null && e.textContent === `+quoted(word)+`)`) {
			t.Errorf("a viewer is offered %s", word)
		}
	}
}
