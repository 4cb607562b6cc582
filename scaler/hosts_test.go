package scaler

import (
	"slices"
	"testing"
)

func TestWhereAModuleComesFrom(t *testing.T) {
	for source, want := range map[string]string{
		"./modules/node":              "",
		"../node":                     "",
		"/srv/node":                   "",
		"~/node":                      "",
		"file:///srv/node":            "",
		"git::file:///srv/node":       "",
		"FILE:///srv/node":            "",
		"hashicorp/consul/aws":        "registry.terraform.io",
		"app.terraform.io/acme/k8s/a": "app.terraform.io",
		"github.com/acme/node":        "github.com",
		"git@github.com:acme/node":    "github.com",
		"git::git@host:acme/node.git": "host",
		"git::ssh://git@host:22/node": "host:22",
		"git::https://host/node.git":  "host",
		"https://host:8443/node.zip":  "host:8443",
		"http://169.254.169.254/a":    "169.254.169.254",
		"s3::https://s3.host/a/b.zip": "s3.host",
		"git::http::https://host/a":   "host",

		"https://evil.example/a::b/m.zip":            "evil.example",
		"git::https://evil.example/m.git?x=a::b":     "evil.example",
		"http://[::ffff:a9fe:a9fe]/m.zip":            "[::ffff:a9fe:a9fe]",
		"https://evil.example/x::./y":                "evil.example",
		"evil.example/m.git?x=a://b":                 "evil.example",
		"git::metadata:m.git":                        "metadata",
		"git::git@[fe80::1]:m.git":                   "[fe80::1]",
		"metadata/acme/k8s/a":                        "metadata",
		"hashicorp/consul/aws//modules/a.b?x=a::b/c": "registry.terraform.io",
		"/srv/module?x=::github.com/a/b":             "",
		"/srv/module?x=a://b":                        "",
		"git::file:///srv/m?x=a::b.c/d":              "",
	} {
		if got, ok := moduleHost(source); got != want || !ok {
			t.Errorf("moduleHost(%s) = %q, %v, want %q", source, got, ok, want)
		}
		if local := localModule(source); local != (want == "") {
			t.Errorf("localModule(%s) = %v, want %v", source, local, want == "")
		}
	}
}

func TestWhereAModuleComesFromCannotBeTold(t *testing.T) {
	for _, source := range []string{"git::ssh://git@host:path/m.git", `https://evil.example\@169.254.169.254/m.zip`, "https:///m.zip", "node", ""} {
		if host, ok := moduleHost(source); ok {
			t.Errorf("moduleHost(%s) = %q, want that it can't be told", source, host)
		}
		if localModule(source) {
			t.Errorf("localModule(%s) = true, want false", source)
		}
	}
}

func TestHostsInArguments(t *testing.T) {
	for _, tt := range []struct {
		name      string
		arguments map[string]any
		want      []namedHost
	}{
		{"none", map[string]any{"bucket": "states", "region": "eu-west-1", "skip": true}, nil},
		{"an address", map[string]any{"x": "https://a:1/b"}, []namedHost{{path: "x.x", host: "a:1"}}},
		{"an address in a list in a map", map[string]any{"e": map[string]any{"l": []any{"b", "http://a/"}}}, []namedHost{{path: "x.e.l[1]", host: "a"}}},
		{"two addresses", map[string]any{"x": "http://a/?to=http://b/ c"}, []namedHost{{path: "x.x", host: "a"}, {path: "x.x", host: "b"}}},
		{"a host by its key", map[string]any{"address": "a:1"}, []namedHost{{path: "x.address", host: "a:1"}}},
		{"a host under such a key", map[string]any{"endpoint_overrides": map[string]any{"compute": "me@a/v2"}}, []namedHost{{path: "x.endpoint_overrides.compute", host: "a"}}},
		{"hosts in a list", map[string]any{"hosts": []any{"a", "b"}}, []namedHost{{path: "x.hosts[0]", host: "a"}, {path: "x.hosts[1]", host: "b"}}},
		{"a connection string", map[string]any{"conn_str": "user=me host=a,b hostaddr = '10.0.0.1' dbname=x"},
			[]namedHost{{path: "x.conn_str", host: "a"}, {path: "x.conn_str", host: "b"}, {path: "x.conn_str", host: "10.0.0.1"}}},
		{"a connection address", map[string]any{"conn_str": "postgres://a,b:1/x?ho%73t=c"},
			[]namedHost{{path: "x.conn_str", host: "a"}, {path: "x.conn_str", host: "b:1"}, {path: "x.conn_str", host: "c"}}},
		{"a socket", map[string]any{"conn_str": "host=/run/postgresql", "address": "unix:///run/consul.sock"}, nil},
		{"what can't be read", map[string]any{"x": `https://a\@b/`}, []namedHost{{path: "x.x", unclear: true}}},
		{"no host", map[string]any{"x": "https:///a"}, []namedHost{{path: "x.x", unclear: true}}},
	} {
		if got := argumentHosts("x", tt.arguments); !slices.Equal(got, tt.want) {
			t.Errorf("argumentHosts() with %s = %+v, want %+v", tt.name, got, tt.want)
		}
	}
}
