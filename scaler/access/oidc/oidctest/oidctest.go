// Package oidctest is an OpenID Connect provider for tests: it redeems codes once, checks
// PKCE and the client, and signs tokens as it is told.
package oidctest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/coreos/go-oidc/v3/oidc/oidctest"
)

// ClientID and Secret are those of the one client.
const (
	ClientID = "scalerd"
	Secret   = "the secret of the client"
)

const keyID = "k1"

// Issuer is an OpenID Connect provider that signs everybody in at once, as the person
// of its claims.
type Issuer struct {
	// Server is its web server.
	*httptest.Server
	// Claims of the tokens, over those that are right; Sign makes a token of claims,
	// where it is set; Deny is an error to send people back with. They are set before
	// the sign-in that they are for.
	Claims map[string]any
	Sign   func(claims string) string
	Deny   string
	// KeysDown has the question for the keys fail, and KeysAsked counts those.
	KeysDown  atomic.Bool
	KeysAsked atomic.Int64

	t   testing.TB
	url string
	mu  sync.Mutex
	// codes are what was asked for, by the code that it is redeemed with, once.
	codes map[string]url.Values
}

type pair struct{ right, wrong *rsa.PrivateKey }

// keys are made once: it takes a while.
var keys = sync.OnceValue(func() pair {
	var made [2]*rsa.PrivateKey
	for i := range made {
		var err error
		if made[i], err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			panic(err)
		}
	}
	return pair{made[0], made[1]}
})

// New starts an issuer, which ends with the test. Without TLS its address has the name
// localhost, which is another site than 127.0.0.1 for a browser.
func New(t testing.TB, plain bool) *Issuer {
	t.Helper()
	i := &Issuer{t: t, codes: map[string]url.Values{}}
	about := &oidctest.Server{PublicKeys: []oidctest.PublicKey{{PublicKey: keys().right.Public(), KeyID: keyID, Algorithm: oidc.RS256}}}
	mux := http.NewServeMux()
	mux.Handle("/", about)
	mux.HandleFunc("/keys", func(w http.ResponseWriter, r *http.Request) {
		i.KeysAsked.Add(1)
		if i.KeysDown.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		about.ServeHTTP(w, r)
	})
	mux.HandleFunc("GET /auth", i.authorize)
	mux.HandleFunc("POST /token", i.token)
	i.Server = httptest.NewUnstartedServer(mux)
	if plain {
		i.Start()
		i.url = strings.Replace(i.Server.URL, "127.0.0.1", "localhost", 1)
	} else {
		i.StartTLS()
		i.url = i.Server.URL
	}
	about.SetIssuer(i.url)
	t.Cleanup(i.Close)
	return i
}

// Address is what the issuer is called in its tokens.
func (i *Issuer) Address() string { return i.url }

func (i *Issuer) authorize(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	q := r.URL.Query()
	back, err := url.Parse(q.Get("redirect_uri"))
	if err != nil || q.Get("client_id") != ClientID || q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || q.Get("nonce") == "" {
		i.t.Errorf("asked for %v, want a code for %s, PKCE with S256 and a nonce", q, ClientID)
	}
	answer := url.Values{"state": {q.Get("state")}}
	if i.Deny != "" {
		answer.Set("error", i.Deny)
	} else {
		code := rand.Text()
		i.codes[code] = q
		answer.Set("code", code)
	}
	back.RawQuery = answer.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

func (i *Issuer) token(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	code := r.FormValue("code")
	asked, ok := i.codes[code]
	delete(i.codes, code)
	user, password, _ := r.BasicAuth()
	if user == "" {
		user, password = r.FormValue("client_id"), r.FormValue("client_secret")
	} else if unescaped, err := url.QueryUnescape(password); err == nil {
		password = unescaped
	}
	sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	if !ok || user != ClientID || password != Secret || base64.RawURLEncoding.EncodeToString(sum[:]) != asked.Get("code_challenge") || r.FormValue("redirect_uri") != asked.Get("redirect_uri") {
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": "invalid_grant", "error_description": "the code is not known"})
		return
	}
	claims := map[string]any{
		"iss": i.url, "aud": ClientID, "sub": "4711", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(),
		"nonce": asked.Get("nonce"), "preferred_username": "olga", "groups": []string{"staff", "operators"},
	}
	maps.Copy(claims, i.Claims)
	text, err := json.Marshal(claims)
	if err != nil {
		i.t.Error(err)
	}
	sign := i.Sign
	if sign == nil {
		sign = func(claims string) string { return oidctest.SignIDToken(keys().right, keyID, oidc.RS256, claims) }
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"access_token": rand.Text(), "token_type": "Bearer", "id_token": sign(string(text))})
}

// Unsigned is a token of the algorithm none.
func Unsigned(claims string) string {
	b64 := base64.RawURLEncoding
	return b64.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + b64.EncodeToString([]byte(claims)) + "."
}

// Symmetric is signed with the client's secret, which a leak of it would allow.
func Symmetric(claims string) string {
	return oidctest.SignIDToken([]byte(Secret+" made long enough for HS256"), keyID, "HS256", claims)
}

// Forged is signed by another key under the name of the right one.
func Forged(claims string) string {
	return oidctest.SignIDToken(keys().wrong, keyID, oidc.RS256, claims)
}
