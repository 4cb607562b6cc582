package audit_test

import (
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scalerd/scalerd/scaler/access"
	"github.com/scalerd/scalerd/scaler/audit"
)

// trail is one of a log in an empty folder.
func trail(t *testing.T) (made *audit.Trail, dir string) {
	t.Helper()
	dir = t.TempDir()
	l, err := audit.Open(dir, audit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return audit.NewTrail(l), dir
}

// asks sends a request by somebody.
func asks(trail *audit.Trail, who access.Identity, method string, next http.HandlerFunc) {
	r := httptest.NewRequest(method, "/v1/x", nil)
	trail.Handler(next).ServeHTTP(httptest.NewRecorder(), r.WithContext(access.With(r.Context(), who)))
}

// entries are who did what with which result, the newest last.
func entries(t *testing.T, dir string) (all []string) {
	t.Helper()
	page, _, err := audit.Before(dir, math.MaxInt64, 10000, func(audit.Entry) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(page)
	for _, e := range page {
		all = append(all, e.Who+" "+e.Action+" "+e.Result+" "+e.Detail)
	}
	return all
}

var anna = access.Identity{Name: "anna", Role: access.Viewer, How: "password"}

func TestAChangeThatPanicsIsInTheLog(t *testing.T) {
	trail, dir := trail(t)
	func() {
		defer func() {
			if got := recover(); got != "at the disco" {
				t.Errorf("recovered %v, want the handler's panic", got)
			}
		}()
		asks(trail, anna, http.MethodPost, func(w http.ResponseWriter, r *http.Request) {
			audit.Describe(r.Context(), audit.Request{Action: "scale-group"})
			w.WriteHeader(http.StatusAccepted)
			panic("at the disco")
		})
	}()
	if diff := cmp.Diff([]string{"anna scale-group failed 500 "}, entries(t, dir)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

func TestStrangersCrowdNoRefusalOutThatCounts(t *testing.T) {
	trail, dir := trail(t)
	forbids := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }
	for range 500 {
		asks(trail, access.Identity{}, http.MethodGet, forbids)
		trail.Note(access.Notice{How: "token", Action: "use", Refused: errors.New("wrong")})
	}
	before := len(entries(t, dir))
	if before > 100 {
		t.Errorf("strangers wrote %d entries, want them bounded", before)
	}
	asks(trail, anna, http.MethodGet, forbids)
	trail.Note(access.Notice{Who: "otto", How: "password", Action: "use", Refused: errors.New("wrong")})
	if diff := cmp.Diff([]string{"anna GET denied 403 ", "otto use denied wrong"}, entries(t, dir)[before:]); diff != "" {
		t.Errorf("entries after those of strangers (-want +got):\n%s", diff)
	}
	for range 500 {
		trail.Note(access.Notice{Who: "otto", How: "password", Action: "use", Refused: errors.New("wrong")})
	}
	if n := len(entries(t, dir)) - before; n > 100 {
		t.Errorf("wrong passwords of one user wrote %d entries, want them bounded", n)
	}
}

func TestEntriesOfSomebodyFromElsewhereHaveTheirSubject(t *testing.T) {
	trail, dir := trail(t)
	olga := access.Identity{Name: "olga", Subject: "4711", Role: access.Operator, How: "oidc"}
	trail.Note(access.Notice{Who: olga.Name, Subject: olga.Subject, How: olga.How, Action: "login"})
	trail.Note(access.Notice{Who: olga.Name, Subject: olga.Subject, How: olga.How, Action: "login", Refused: errors.New("no group")})
	asks(trail, olga, http.MethodPost, func(http.ResponseWriter, *http.Request) {})
	want := []string{`olga login done sub "4711"`, `olga login denied no group; sub "4711"`, `olga POST done 200 sub "4711"`}
	if diff := cmp.Diff(want, entries(t, dir)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}
