package terraform

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/scalerd/scalerd/scaler/outbound"
	"github.com/scalerd/scalerd/tfgen"
)

// TestALockServerIsAskedWhereItMayBeCalledOnly names a server of a description's backend.
func TestALockServerIsAskedWhereItMayBeCalledOnly(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusLocked)
		fmt.Fprint(w, `{"ID":"1","Who":"anna@laptop"}`)
	}))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	backend := fmt.Sprintf("terraform {\n  backend \"http\" {\n    lock_address   = %q\n    unlock_address = %q\n  }\n}\n", server.URL, server.URL)
	if err := os.WriteFile(filepath.Join(dir, tfgen.BackendFile), []byte(backend), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name      string
		reachable []string
		refused   string // empty: it is asked
	}{
		{"without a list", nil, ""},
		{"on the list", []string{"127.0.0.1"}, ""},
		{"not on the list", []string{"10.0.0.0/8"}, "not among the addresses"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asked.Store(0)
			policy, err := outbound.Parse(tt.reachable)
			if err != nil {
				t.Fatal(err)
			}
			s, err := newLockServer(driver{dir: dir}, policy)
			if err != nil {
				t.Fatal(err)
			}
			info, _, err := s.ask()
			if tt.refused == "" && (err != nil || info.who != "anna@laptop") {
				t.Errorf("ask() = %+v, %v, want the holder", info, err)
			}
			if tt.refused != "" && (err == nil || !strings.Contains(err.Error(), tt.refused) || asked.Load() > 0) {
				t.Errorf("ask() = %+v, %v after %d requests, want it refused before one", info, err, asked.Load())
			}
		})
	}
}
