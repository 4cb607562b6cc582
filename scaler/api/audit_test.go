package api_test

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scalerd/scalerd/scaler/access"
	"github.com/scalerd/scalerd/scaler/api"
	"github.com/scalerd/scalerd/scaler/audit"
)

// log are the entries of the audit log as an admin reads them, the oldest first, each
// as who, how, action, target and result.
func (c *castle) log() [][5]string {
	c.t.Helper()
	res, text := c.do("GET", "/v1/audit?limit=1000", "", c.bearer("admin")...)
	if res.StatusCode != 200 {
		c.t.Fatalf("GET /v1/audit: %s: %s", res.Status, text)
	}
	var page api.Page[audit.Entry]
	if err := json.Unmarshal([]byte(text), &page); err != nil {
		c.t.Fatal(err)
	}
	var entries [][5]string
	for i := len(page.Items) - 1; i >= 0; i-- {
		e := page.Items[i]
		entries = append(entries, [5]string{e.Who, e.How, e.Action, e.Target, e.Result})
	}
	return entries
}

func TestEveryChangeAndRefusalIsAudited(t *testing.T) {
	c := fortify(t, access.Options{})
	admin, operator, viewer := c.bearer("admin"), c.bearer("operator"), c.bearer("viewer")
	shop, err := json.Marshal(api.Description{File: "shop.yaml", Text: empty})
	if err != nil {
		t.Fatal(err)
	}
	c.do("GET", "/v1/applications", "", viewer...)
	c.do("POST", "/v1/validate", string(shop), viewer...)
	c.do("POST", "/v1/applications", string(shop), operator...)
	c.do("POST", "/v1/applications/nothing/pause", "", operator...)
	c.do("DELETE", "/v1/applications/shop", "", viewer...)
	c.do("GET", "/v1/users", "", operator...)
	c.do("PUT", "/v1/users/eve", `{"password": "eves own password", "role": "viewer"}`, admin...)
	c.do("POST", "/v1/applications", string(shop))
	c.do("GET", "/v1/applications", "", "Authorization", "Bearer eves own password")
	c.login("anna", "not her password")
	c.login("my passphrase as a name", "x")
	c.login("anna", password)
	c.do("POST", "/v1/applications", "{}", append(operator, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site")...)
	want := [][5]string{
		{"operator", "token", "submit-application", "shop", "done 202"},
		{"operator", "token", "pause-application", "nothing", "wrong 404"},
		{"viewer", "token", "destroy-application", "shop", "denied 403"},
		{"operator", "token", "list-users", "", "denied 403"},
		{"admin", "token", "put-user", "eve", "done 200"},
		{"", "", "submit-application", "", "denied 401"},
		{"", "token", "use", "", "denied"},
		{"anna", "form", "login", "", "denied"},
		{"", "form", "login", "", "denied"},
		{"anna", "form", "login", "", "done"},
		{"", "", "use", "", "denied"},
	}
	if diff := cmp.Diff(want, c.log()); diff != "" {
		t.Errorf("audit log (-want +got):\n%s", diff)
	}
	for words, n := range map[string]int{"": len(want), "denied": 7, "DENIED form": 2, "operator shop": 1, "eve done": 1, "nowhere": 0} {
		res, text := c.do("GET", "/v1/audit?limit=1000&search="+url.QueryEscape(words), "", admin...)
		var page api.Page[audit.Entry]
		if err := json.Unmarshal([]byte(text), &page); err != nil || len(page.Items) != n {
			t.Errorf("entries with %q: %d, %s, %v, want %d", words, len(page.Items), res.Status, err, n)
		}
	}
	text, err := os.ReadFile(filepath.Join(c.audits, audit.File))
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"password\"", "eves own", "passphrase", password, c.tokens["admin"]} {
		if strings.Contains(string(text), secret) {
			t.Errorf("the audit log has %q", secret)
		}
	}
	if n := strings.Count(string(text), `"digest"`); n != 1 {
		t.Errorf("%d entries have a digest, want that of the submission only", n)
	}
	if res, text := c.do("GET", "/v1/audit/verification", "", admin...); res.StatusCode != 200 || strings.Contains(text, "problem") {
		t.Errorf("verification: %s: %s", res.Status, text)
	}
	if res, _ := c.do("GET", "/v1/audit", "", operator...); res.StatusCode != 403 {
		t.Errorf("an operator reads the audit log: %s", res.Status)
	}
}

func TestRefusalsDoNotFloodTheAuditLog(t *testing.T) {
	c := fortify(t, access.Options{})
	for range 200 {
		c.do("POST", "/v1/applications", "{}")
	}
	if n := len(c.log()); n < 60 || n > 150 {
		t.Errorf("200 refusals at once are %d entries, want about 60", n)
	}
}

func TestNothingIsChangedWithoutAnAuditLog(t *testing.T) {
	c := fortify(t, access.Options{})
	// A folder in the way of the head's temporary file would need root to ignore it;
	// a folder that is gone stops root too.
	if err := os.Rename(c.audits, c.audits+".gone"); err != nil {
		t.Fatal(err)
	}
	operator := c.bearer("operator")
	if res, _ := c.do("POST", "/v1/applications/nothing/pause", "", operator...); res.StatusCode != 404 {
		t.Errorf("the change that finds out: %s", res.Status)
	}
	res, text := c.do("POST", "/v1/applications/nothing/pause", "", operator...)
	if res.StatusCode != 503 || !strings.Contains(text, "audit log") {
		t.Errorf("the next change: %s: %s, want 503", res.Status, text)
	}
	if res, _ := c.do("GET", "/v1/applications", "", operator...); res.StatusCode != 200 {
		t.Errorf("reading meanwhile: %s, want 200", res.Status)
	}
	if err := os.Rename(c.audits+".gone", c.audits); err != nil {
		t.Fatal(err)
	}
	if res, _ := c.do("POST", "/v1/applications/nothing/pause", "", operator...); res.StatusCode != 404 {
		t.Errorf("a change after the folder is back: %s", res.Status)
	}
}
