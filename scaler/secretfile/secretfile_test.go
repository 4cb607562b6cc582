package secretfile_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scalerd/scalerd/scaler/secretfile"
)

func TestRead(t *testing.T) {
	own, provided := t.TempDir(), t.TempDir()
	for _, tt := range []struct {
		name string
		path string
		mode os.FileMode
		dir  string // $CREDENTIALS_DIRECTORY
		want string // of the error
	}{
		{"its owner's alone", filepath.Join(own, "a"), 0o400, "", ""},
		{"a group's too", filepath.Join(own, "b"), 0o440, "", "can be read by others (mode 0440); run chmod 600"},
		{"everybody's", filepath.Join(own, "c"), 0o604, provided, "can be read by others (mode 0604)"},
		{"one that systemd provides", filepath.Join(provided, "d"), 0o440, provided, ""},
		{"one that systemd would provide elsewhere", filepath.Join(provided, "e"), 0o440, filepath.Join(provided, "x"), "can be read by others"},
		{"one beside systemd's", provided + "/../" + filepath.Base(own) + "/f", 0o440, provided, "can be read by others"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("CREDENTIALS_DIRECTORY", tt.dir)
			if err := os.WriteFile(tt.path, []byte("secret"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(tt.path, tt.mode); err != nil {
				t.Fatal(err)
			}
			text, err := secretfile.Read(tt.path)
			if tt.want == "" && (err != nil || string(text) != "secret") {
				t.Errorf("Read() = %q, %v, want the secret", text, err)
			}
			if tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || len(text) > 0) {
				t.Errorf("Read() = %q, %v, want %q", text, err, tt.want)
			}
		})
	}
}
