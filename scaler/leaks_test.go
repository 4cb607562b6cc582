package scaler_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scalerd/scalerd/scaler"
)

func TestWhatLooksLikeASecretIsWarnedAboutWithoutRepeatingIt(t *testing.T) {
	for _, tt := range []struct {
		name, line, want string
	}{
		{"an AWS key", "access: AKIAIOSFODNN7ABCDEFG", "an AWS access key"},
		{"a private key", "-----BEGIN OPENSSH PRIVATE KEY-----", "a private key"},
		{"a password", "  DB_PASSWORD=hunter22hunter", "a password or key (password)"},
		{"a quoted key", `secretkey: "0123abcd-xyz"`, "a password or key (secretkey)"},
		{"random base64", "data: kJ8vQ2mZx7Lw0RtY5uNbC3aHs9DfGe1PiOq4", "a key"},
		{"random hexadecimal", "salt: 9f86d081884c7d659a2feaa0c55ad015", "a key"},
		{"a token of GitHub", "git clone https://ghp_abcdefghijklmnopqrstuvwxyz0123456789@github.com/x", "a token of GitHub"},
		{"a variable", "password: ${DB_PASSWORD}", ""},
		{"a template", "password: {{ password }}", ""},
		{"a placeholder", "password: changeme-now", ""},
		{"a reference", "credentials: production", ""},
		{"a public key", "ssh_key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKq5Qm8x7Lw0RtY5uNbC3aHs9DfGe1PiOq4Zx me", ""},
		{"a digest", "image: x@sha256:9f86d081884c7d659a2feaa0c55ad0159f86d081884c7d659a2feaa0c55ad015", ""},
		{"an image", "image: ami-0123456789abcdef0", ""},
		{"a project of OpenStack", "project_id: a678d20e71cb4b9f812a31e5f3eb63b0", ""},
		{"a UUID", "network: 3b7c1d2e-9a4f-4c6b-8e1d-5f2a7b9c0d3e", ""},
		{"a query", `requests: sum(rate(apache_accesses_total{group="web"}[1m]))`, ""},
		{"base64 of a text", "content: IyEvYmluL3NoCmVjaG8gaGVsbG8gd29ybGQsIHRoaXMgaXMgYSBzY3JpcHQK", ""},
		{"a long path", "source: git::https://example.com/modules/very-long-name-of-a-module-in-a-folder", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			notes := scaler.LeakNotes(scaler.Source{File: "shop.yaml", Text: []byte("name: shop\n" + tt.line + "\n")})
			if tt.want == "" && len(notes) > 0 || tt.want != "" && (len(notes) != 1 || !strings.HasPrefix(notes[0], "shop.yaml:2: looks like "+tt.want)) {
				t.Errorf("LeakNotes() = %q, want %q", notes, tt.want)
			}
			if _, value, _ := strings.Cut(tt.line, ": "); len(notes) > 0 && value != "" && strings.Contains(notes[0], value) {
				t.Error("the warning repeats the value")
			}
		})
	}
	block := "-----BEGIN CERTIFICATE-----\nkJ8vQ2mZx7Lw0RtY5uNbC3aHs9DfGe1PiOq4kJ8vQ2mZx7Lw0R\n-----END CERTIFICATE-----\n"
	if notes := scaler.LeakNotes(scaler.Source{Text: []byte(block)}); len(notes) > 0 {
		t.Errorf("a certificate: %q", notes)
	}
}

func TestNoExampleLooksLikeItHasASecret(t *testing.T) {
	files, err := filepath.Glob("../examples/*/*.yaml")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d examples, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, note := range scaler.LeakNotes(scaler.Source{File: file, Text: text}) {
			t.Error(note)
		}
	}
}
