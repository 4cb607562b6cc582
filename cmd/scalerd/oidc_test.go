package main

import (
	"strings"
	"testing"
)

func TestSignOnIsCheckedBeforeTheStart(t *testing.T) {
	good := func() oidcConfig {
		c := defaultOIDC()
		c.Issuer, c.ClientID, c.RedirectURL, c.Roles = "https://id.example", "scalerd", "https://master:9443/login/oidc/callback", map[string]string{"ops": "operator"}
		return c
	}
	for _, tt := range []struct {
		name   string
		change func(*oidcConfig)
		listen string
		says   string // empty: it is taken
	}{
		{"no provider", func(c *oidcConfig) { *c = defaultOIDC() }, "", ""},
		{"a provider", func(*oidcConfig) {}, ":9443", ""},
		{"a provider and nowhere to sign in", func(*oidcConfig) {}, "", "give api listen"},
		{"roles without a provider", func(c *oidcConfig) { c.Issuer = "" }, ":9443", "issuer is missing"},
		{"an unknown role", func(c *oidcConfig) { c.Roles["boss"] = "root" }, ":9443", `roles boss: role "root"`},
		{"two mistakes", func(c *oidcConfig) { c.ClientID, c.RedirectURL = "", "https://master:9443/" }, ":9443", "client_id is missing"},
	} {
		c := good()
		tt.change(&c)
		err := c.check(tt.listen)
		if tt.says == "" && err != nil || tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.says)
		}
	}
}
