package access

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
)

// forgetful is a Store that keeps nothing: a Guard has all in memory too.
type forgetful struct{}

func (forgetful) Users(context.Context) ([]User, error)     { return nil, nil }
func (forgetful) SaveUser(context.Context, User) error      { return nil }
func (forgetful) DeleteUser(context.Context, string) error  { return nil }
func (forgetful) Tokens(context.Context) ([]Token, error)   { return nil, nil }
func (forgetful) SaveToken(context.Context, Token) error    { return nil }
func (forgetful) DeleteToken(context.Context, string) error { return nil }

func TestWrongTokensLockNoRightOneOut(t *testing.T) {
	g, err := Open(t.Context(), forgetful{}, Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	right := secretPrefix + secret()
	g.tokens[digest(right)] = Token{ID: "1", Name: "alertmanager", Role: Operator, Digest: digest(right)}
	asks := func(token string) int {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		g.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(w, r)
		return w.Code
	}
	last := 0
	for range addressTries + freeTries {
		last = asks("wrong")
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("after many wrong tokens another wrong one = %d, want 429", last)
	}
	if got := asks(right); got != http.StatusOK {
		t.Errorf("after many wrong tokens from this address the right one = %d, want 200", got)
	}
}
