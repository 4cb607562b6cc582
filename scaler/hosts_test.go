package scaler

import "testing"

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
	} {
		if got := moduleHost(source); got != want {
			t.Errorf("moduleHost(%s) = %q, want %q", source, got, want)
		}
		if local := localModule(source); local != (want == "") {
			t.Errorf("localModule(%s) = %v, want %v", source, local, want == "")
		}
	}
}
