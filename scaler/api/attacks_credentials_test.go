package api_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scalerd/scalerd/scaler/access"
	"github.com/scalerd/scalerd/scaler/secrets"
)

// keptSecrets are credentials in an encrypted file, and none in a plain one.
func keptSecrets(t testing.TB) *secrets.Store {
	t.Helper()
	dir := t.TempDir()
	text, err := secrets.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(dir, "key")
	if err := os.WriteFile(key, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	keeper, err := secrets.OpenFile(filepath.Join(dir, secrets.FileName), secrets.KeyFile(key, false))
	if err != nil {
		t.Fatal(err)
	}
	return &secrets.Store{Keeper: keeper, Plain: func() string { return "" }}
}

const (
	cloudKey    = "AKIAIOSFODNN7EXAMPLE"
	cloudSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

// TestAttacksOnCredentials tries to get at the clouds' credentials; -v prints the table.
func TestAttacksOnCredentials(t *testing.T) {
	c := fortify(t, access.Options{})
	const one = "/v1/credentials/ec2/default"
	entry := `{"auth_data": {"accesskey": "` + cloudKey + `", "secretkey": "` + cloudSecret + `"}}`
	admin, operator, viewer, bounded := c.bearer("admin"), c.bearer("operator"), c.bearer("viewer"), c.bearer("bounded")
	for _, attack := range []struct {
		what, method, path, body string
		who                      []string
		status                   string
	}{
		{"an admin sets credentials", "PUT", one, entry, admin, "200 OK"},
		{"read credentials without saying who", "GET", "/v1/credentials", "", nil, "401 Unauthorized"},
		{"set credentials without saying who", "PUT", one, entry, nil, "401 Unauthorized"},
		{"a viewer reads credentials", "GET", "/v1/credentials", "", viewer, "403 Forbidden"},
		{"an operator reads credentials", "GET", "/v1/credentials", "", operator, "403 Forbidden"},
		{"an operator sets credentials", "PUT", one, entry, operator, "403 Forbidden"},
		{"an operator removes credentials", "DELETE", one, "", operator, "403 Forbidden"},
		{"an operator tries credentials", "POST", one + "/test", "", operator, "403 Forbidden"},
		{"an operator encrypts credentials anew", "POST", "/v1/credentials/rotation", "", operator, "403 Forbidden"},
		{"a token of one application reads credentials", "GET", "/v1/credentials", "", bounded, "403 Forbidden"},
		{"a page of another site sets credentials", "PUT", one, entry, append([]string{"Sec-Fetch-Site", "cross-site"}, admin...), "403 Forbidden"},
		{"an admin reads credentials", "GET", "/v1/credentials", "", admin, "200 OK"},
		{"an admin reads one of them", "GET", one, "", admin, "405 Method Not Allowed"},
		{"an admin tries them", "POST", one + "/test", "", admin, "200 OK"},
		{"credentials in a broken body", "PUT", one, `{"auth_data": {"secretkey": "` + cloudSecret + `"`, admin, "422 Unprocessable Entity"},
		{"credentials under another key", "PUT", one, `{"secretkey": "` + cloudSecret + `"}`, admin, "422 Unprocessable Entity"},
		{"credentials of an unknown cloud", "PUT", "/v1/credentials/nowhere/default", entry, admin, "422 Unprocessable Entity"},
		{"a name with dots", "PUT", "/v1/credentials/ec2/..%2f..%2fetc", entry, admin, "422 Unprocessable Entity"},
		{"an unknown entry", "DELETE", "/v1/credentials/ec2/other", "", admin, "404 Not Found"},
		{"credentials of 9 MiB", "PUT", one, `{"auth_data": {"secretkey": "` + strings.Repeat("x", 9<<20) + `"}}`, admin, "413 Request Entity Too Large"},
		{"an admin encrypts them anew", "POST", "/v1/credentials/rotation", "{}", admin, "200 OK"},
	} {
		res, text := c.do(attack.method, attack.path, attack.body, attack.who...)
		if res.Status != attack.status {
			t.Errorf("%s -> %s, want %s: %.300s", attack.what, res.Status, attack.status, text)
		}
		for _, secret := range []string{cloudKey, cloudSecret} {
			if strings.Contains(text, secret) {
				t.Errorf("%s tells a value: %s", attack.what, text)
			}
		}
		t.Logf("%-55s -> %s", attack.what, res.Status)
	}
	for _, dir := range []string{c.audits, filepath.Dir(c.db)} {
		for _, path := range files(t, dir) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(text, []byte(cloudSecret)) {
				t.Errorf("%s holds the secret", path)
			}
		}
	}
	if audits := files(t, c.audits); len(audits) == 0 {
		t.Error("there is no audit log to look into")
	}
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}
