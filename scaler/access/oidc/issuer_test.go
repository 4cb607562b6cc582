package oidc_test

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
	"sync"
	"testing"
	"time"

	goidc "github.com/coreos/go-oidc/v3/oidc"
	"github.com/coreos/go-oidc/v3/oidc/oidctest"
)

const (
	clientID = "scalerd"
	secret   = "the secret of the client"
	keyID    = "k1"
)

// issuer is an OpenID Connect provider that signs everybody in at once, as the person
// of its claims.
type issuer struct {
	t      *testing.T
	server *httptest.Server
	key    *rsa.PrivateKey

	mu sync.Mutex
	// claims of the tokens, over those that are right; sign makes a token of claims,
	// where it is set; deny is an error to send people back with.
	claims map[string]any
	sign   func(claims string) string
	deny   string
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

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key := keys().right
	i := &issuer{t: t, key: key, codes: map[string]url.Values{}}
	about := &oidctest.Server{PublicKeys: []oidctest.PublicKey{{PublicKey: key.Public(), KeyID: keyID, Algorithm: goidc.RS256}}}
	mux := http.NewServeMux()
	mux.Handle("/", about)
	mux.HandleFunc("GET /auth", i.authorize)
	mux.HandleFunc("POST /token", i.token)
	i.server = httptest.NewTLSServer(mux)
	about.SetIssuer(i.server.URL)
	t.Cleanup(i.server.Close)
	return i
}

func (i *issuer) authorize(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	q := r.URL.Query()
	back, err := url.Parse(q.Get("redirect_uri"))
	if err != nil || q.Get("client_id") != clientID || q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || q.Get("nonce") == "" {
		i.t.Errorf("asked for %v, want a code for %s, PKCE with S256 and a nonce", q, clientID)
	}
	answer := url.Values{"state": {q.Get("state")}}
	if i.deny != "" {
		answer.Set("error", i.deny)
	} else {
		code := rand.Text()
		i.codes[code] = q
		answer.Set("code", code)
	}
	back.RawQuery = answer.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

func (i *issuer) token(w http.ResponseWriter, r *http.Request) {
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
	if !ok || user != clientID || password != secret || base64.RawURLEncoding.EncodeToString(sum[:]) != asked.Get("code_challenge") || r.FormValue("redirect_uri") != asked.Get("redirect_uri") {
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": "invalid_grant", "error_description": "the code is not known"})
		return
	}
	claims := map[string]any{
		"iss": i.server.URL, "aud": clientID, "sub": "4711", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(),
		"nonce": asked.Get("nonce"), "preferred_username": "olga", "groups": []string{"staff", "operators"},
	}
	maps.Copy(claims, i.claims)
	text, err := json.Marshal(claims)
	if err != nil {
		i.t.Error(err)
	}
	sign := i.sign
	if sign == nil {
		sign = func(claims string) string { return oidctest.SignIDToken(i.key, keyID, goidc.RS256, claims) }
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"access_token": rand.Text(), "token_type": "Bearer", "id_token": sign(string(text))})
}

// unsigned is a token of the algorithm none.
func unsigned(claims string) string {
	b64 := base64.RawURLEncoding
	return b64.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + b64.EncodeToString([]byte(claims)) + "."
}

// symmetric is signed with the client's secret, which a leak of it would allow.
func symmetric(claims string) string {
	return oidctest.SignIDToken([]byte(secret+" made long enough for HS256"), keyID, "HS256", claims)
}

// forged is signed by another key under the name of the right one.
func forged(claims string) string {
	return oidctest.SignIDToken(keys().wrong, keyID, goidc.RS256, claims)
}
