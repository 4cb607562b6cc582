package cmd_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scalerd/scalerd/scaler/audit"
	"github.com/scalerd/scalerd/scaler/console/consoletest"
)

// TestConsoleDecidesWhoMayUseIt adds users and tokens, uses them, and reads in the audit
// log what it did.
func TestConsoleDecidesWhoMayUseIt(t *testing.T) {
	d, url := consoleDaemon(t)
	d.submit(describe("shop", "web max: 3"))
	b := consoletest.Open(t, url)
	b.SignIn("ada", consolePassword)
	b.Click("Access")
	b.Shows("ada", "olga", "vera", "There is none.")

	b.Click("Add a user…")
	b.Type("#new-name", "vera")
	b.Type("#new-password", "swordfish trombones")
	b.Click("Add")
	b.Shows("user vera is there already")
	b.Look("add-user")
	b.Type("#new-name", "bob")
	b.Click("Add")
	b.Until(`!document.querySelector("dialog")`)
	b.Shows("bob")
	b.Click("Change bob")
	consoletest.Eval[bool](b, `(document.querySelector("#role-operator").click(), true)`)
	b.Click("Change")
	b.Until(`!document.querySelector("dialog") && [...document.querySelectorAll("tr")].some((r) => r.innerText.includes("bob") && r.innerText.includes("operator"))`)

	b.Click("Change ada")
	consoletest.Eval[bool](b, `(document.querySelector("#role-viewer").click(), true)`)
	b.Click("Change")
	b.Until(`document.querySelector("dialog .banner.bad")`) // somebody has to be an admin
	b.Look("last-admin")
	b.Click("Cancel")

	b.Click("Make a token…")
	b.Type("#new-name", "ci")
	consoletest.Eval[bool](b, `(document.querySelector("#role-operator").click(), true)`)
	b.Click("shop")
	b.Choose("#life", "604800")
	b.Look("make-token")
	b.Click("Make")
	b.Shows("shown this once")
	b.Look("made-token")
	secret := consoletest.Eval[string](b, `document.querySelector("#secret").value`)
	b.Click("Close")
	b.Shows("ci", "shop")
	b.Look("access")
	if strings.Contains(consoletest.Eval[string](b, `document.documentElement.outerHTML`), secret) {
		t.Error("the page still has the token's secret")
	}
	status := func(path string) int {
		t.Helper()
		return consoletest.Eval[int](b, fmt.Sprintf(`fetch(%s, {headers: {Authorization: %s}, credentials: "omit"}).then((r) => r.status)`, consoletest.Quoted(path), consoletest.Quoted("Bearer "+secret)))
	}
	for path, want := range map[string]int{"/v1/applications/shop": 200, "/v1/applications/other": 403, "/v1/users": 403} {
		if got := status(path); got != want {
			t.Errorf("with the token %s answers %d, want %d", path, got, want)
		}
	}
	b.Click("Revoke ci")
	b.Click("Revoke")
	b.Until(`!document.querySelector("dialog")`)
	if got := status("/v1/applications/shop"); got != 401 {
		t.Errorf("after its end the token gets %d, want 401", got)
	}
	b.Click("Remove bob")
	b.Click("Remove")
	b.Until(`!document.querySelector("dialog") && !document.querySelector("[aria-label='Change bob']")`)

	b.GoTo("#/audit")
	b.Shows("The chain is whole", "put-user", "create-token", "revoke-token", "remove-user", "submit-application")
	b.Look("audit")
	b.Type("#search", "ada remove-user bob")
	b.Until(`document.querySelectorAll("tbody tr").length === 1`)
	b.Shows("done 200")
	if text := consoletest.Eval[string](b, `document.body.innerText`); strings.Contains(text, "swordfish") {
		t.Error("the audit log shows a password")
	}
	d.falsify(`"target":"bob"`, `"target":"bub"`)
	b.Click("Check the chain")
	b.Shows("The log is not as it was written", "audit.log:")
	b.Look("audit-falsified")
	b.Click("Sign out")
	if said := b.Complaints(); said != "" {
		t.Errorf("the page complains: %s", said)
	}

	for _, name := range []string{"olga", "vera"} {
		b.SignIn(name, consolePassword)
		b.Shows("shop")
		for _, page := range []string{"access", "audit"} {
			if consoletest.Eval[bool](b, fmt.Sprintf(`[...document.querySelectorAll("a")].some((e) => e.hash === "#/%s" && e.offsetParent !== null)`, page)) {
				t.Errorf("%s has a link to %s", name, page)
			}
			b.GoTo("#/" + page)
			b.Shows("Not allowed", "needs the role admin")
			b.Until(`!document.querySelector("main table")`)
		}
		for _, path := range []string{"/v1/users", "/v1/tokens", "/v1/audit", "/v1/audit/verification"} {
			if got := consoletest.Eval[int](b, `fetch("`+path+`").then((r) => r.status)`); got != 403 {
				t.Errorf("%s gets %d of %s, want 403", name, got, path)
			}
		}
		b.Look("not-allowed")
		b.Click("Sign out")
		b.Until(`document.querySelector("#name")`)
	}
}

// falsify writes something of the same length over what is in the audit log.
func (d *daemon) falsify(old, new string) {
	d.t.Helper()
	path := filepath.Join(d.data, audit.File)
	text, err := os.ReadFile(path)
	at := bytes.Index(text, []byte(old))
	if err != nil || at < 0 || len(old) != len(new) {
		d.t.Fatalf("%s is not in the audit log: %v", old, err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		d.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte(new), int64(at)); err != nil {
		d.t.Fatal(err)
	}
}
