package spec

import (
	"encoding/json"
	"testing"
)

func TestParseReportsMistakesOfABackend(t *testing.T) {
	const secret = "holds a secret, and the description is written to files; remove it, and use the backend's environment variables, or an entry of type backend in scalerd's credentials"
	for _, tt := range []struct{ name, backend, want string }{
		{"a bucket", "{type: s3, config: {bucket: states, region: eu-west-1, key: teams/shop}}", ""},
		{"a type that is not known with its key", "{type: swift, key_attribute: state_name, config: {container: c}}", ""},
		{"a type that is not known", "{type: swift}",
			`6:11 backend.type: is "swift", of which it is not known which argument tells states apart; name that argument in key_attribute`},
		{"files", "{type: local}", "6:11 backend.type: is local, which is what groups have without a backend; remove backend"},
		{"a place where plans run", "{type: remote}",
			"6:11 backend.type: is remote, where plans and applies run elsewhere and cannot be checked here; use a backend that only keeps states, such as s3, pg or http"},
		{"an address with a password", "{type: pg, config: {conn_str: 'postgres://me:hidden@db/states'}}", "6:30 backend.config.conn_str: " + secret},
		{"a connection string with a password", "{type: pg, config: {conn_str: 'host=db password=hidden'}}", "6:30 backend.config.conn_str: " + secret},
		{"a connection string without one", "{type: pg, config: {conn_str: 'host=db user=me'}}", ""},
		{"a storage key", "{type: azurerm, config: {sas_token: hidden}}",
			"6:35 backend.config.sas_token: is a secret, and the description is written to files; remove it, and use the backend's environment variables, or an entry of type backend in scalerd's credentials"},
		{"workspaces", "{type: s3, config: {workspace_key_prefix: w}}",
			"6:30 backend.config.workspace_key_prefix: is for workspaces, and a state is the default one; remove it"},
		{"a key that is no text", "{type: s3, config: {key: 7}}", "6:30 backend.config.key: is no text, and tells states apart; write what comes before each state's own part"},
		{"credentials with a name", "{type: s3, credentials: states.eu-1_a}", ""},
		{"credentials of another folder", "{type: s3, credentials: ../../other}",
			`6:21 backend.credentials: is "../../other", which is no name of credentials; use 1 to 64 letters, digits and . _ -, and begin with a letter or digit`},
		{"http without an address", "{type: http}", "6:1 backend: has no config.address; write the address under which the states are"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := mistakes(t, withApplication("backend: "+tt.backend)); got != tt.want {
				t.Errorf("Parse() mistakes:\n%s\nwant:\n%s", got, tt.want)
			}
		})
	}
}

func TestABackendIsTheSameWhoeverLogsIn(t *testing.T) {
	one := &Backend{Type: "s3", Config: map[string]any{"bucket": "a", "region": "r"}}
	for _, tt := range []struct {
		name  string
		other *Backend
		want  bool
	}{
		{"with other credentials", &Backend{Type: "s3", Config: map[string]any{"region": "r", "bucket": "a"}, Credentials: "x", KeyAttribute: "key"}, true},
		{"with another bucket", &Backend{Type: "s3", Config: map[string]any{"bucket": "b", "region": "r"}}, false},
		{"of another type", &Backend{Type: "gcs", Config: one.Config}, false},
		{"that is not there", nil, false},
	} {
		if got := one.Same(tt.other); got != tt.want {
			t.Errorf("Same() of a backend %s = %t, want %t", tt.name, got, tt.want)
		}
	}
	// What is stored comes back from JSON.
	described := &Backend{Type: "pg", Config: map[string]any{"max": 1_000_000, "nested": map[string]any{"n": 2_000_000}}}
	text, err := json.Marshal(described)
	if err != nil {
		t.Fatal(err)
	}
	stored := new(Backend)
	if err := json.Unmarshal(text, stored); err != nil {
		t.Fatal(err)
	}
	if !described.Same(stored) {
		t.Errorf("Same() of %+v and %+v = false, want true: it is the same one, read from JSON", described, stored)
	}
	if none := (*Backend)(nil); !none.Same(nil) {
		t.Error("Same() of none and none = false, want true")
	}
}
