package api_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scalerd/scalerd/scaler/access"
	"github.com/scalerd/scalerd/scaler/api"
)

// TestAttacksByRepeating uses another's Idempotency-Key, or its own after it lost its role.
func TestAttacksByRepeating(t *testing.T) {
	c := fortify(t, access.Options{})
	shop := inJSON(t, api.Description{File: "shop.yaml", Text: empty})
	token := func(role access.Role, applications ...string) []string {
		_, secret, err := c.guard.CreateToken(t.Context(), "ci", role, applications, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return []string{"Authorization", "Bearer " + secret, "Idempotency-Key", "k"}
	}
	user := func(role access.Role) {
		if _, err := c.guard.PutUser(t.Context(), "eve", password, role); err != nil {
			t.Fatal(err)
		}
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.SetBasicAuth("eve", password)
	eve := []string{"Authorization", r.Header.Get("Authorization"), "Idempotency-Key", "k"}
	user(access.Operator)
	first := token(access.Operator)
	for _, attack := range []struct {
		what   string
		before func()
		who    []string
		status string
	}{
		{"a token submits with a key", nil, first, "202 Accepted"},
		{"it repeats that", nil, first, "202 Accepted"},
		{"another token of its name repeats that, for another application", nil, token(access.Operator, "mine"), "403 Forbidden"},
		{"a viewer's token of its name repeats that", nil, token(access.Viewer), "403 Forbidden"},
		{"a user submits with a key", nil, eve, "202 Accepted"},
		{"a user who became a viewer repeats that", func() { user(access.Viewer) }, eve, "403 Forbidden"},
	} {
		if attack.before != nil {
			attack.before()
		}
		res, text := c.do("POST", "/v1/applications", shop, attack.who...)
		if res.Status != attack.status {
			t.Errorf("%s -> %s, want %s: %s", attack.what, res.Status, attack.status, text)
		}
		t.Logf("%-55s -> %s", attack.what, res.Status)
	}
}

func TestATokensSecretIsNotGivenTwice(t *testing.T) {
	c := fortify(t, access.Options{})
	admin := append(c.bearer("admin"), "Idempotency-Key", "k")
	const in = `{"name": "short", "role": "viewer"}`
	res, text := c.do("POST", "/v1/tokens", in, admin...)
	var made api.CreatedToken
	if err := json.Unmarshal([]byte(text), &made); err != nil || res.StatusCode != 201 {
		t.Fatalf("create = %s: %s", res.Status, text)
	}
	res, text = c.do("POST", "/v1/tokens", in, admin...)
	if res.StatusCode != 409 || strings.Contains(text, made.Secret) {
		t.Errorf("the same again = %s: %s, want 409 without the secret", res.Status, text)
	}
	n := 0
	for _, t := range c.guard.Tokens() {
		if t.Name == "short" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d tokens were made, want 1", n)
	}
}

func TestARepeatedRequestIsAudited(t *testing.T) {
	c := fortify(t, access.Options{})
	operator := append(c.bearer("operator"), "Idempotency-Key", "k")
	shop := inJSON(t, api.Description{File: "shop.yaml", Text: empty})
	for range 2 {
		c.do("POST", "/v1/applications", shop, operator...)
	}
	c.do("GET", "/v1/users?limit=5&limit=6&password=hidden", "", operator...)
	want := [][5]string{
		{"operator", "token", "submit-application", "shop", "done 202"},
		{"operator", "token", "submit-application", "shop", "done 202"},
		{"operator", "token", "list-users", "?limit=5&limit=6", "denied 403"},
	}
	if diff := cmp.Diff(want, c.log()); diff != "" {
		t.Errorf("audit log (-want +got):\n%s", diff)
	}
}
