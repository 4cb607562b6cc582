package oidc

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/scalerd/scalerd/scaler/access"
)

// startedFor is how long a sign-in may take.
const startedFor = 10 * time.Minute

// Handler serves MethodsPath, StartPath and CallbackPath. Of nil it serves MethodsPath,
// which then names nothing.
func (p *Provider) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+MethodsPath, p.methods)
	if p == nil {
		return mux
	}
	mux.HandleFunc("GET "+StartPath, p.start)
	mux.HandleFunc("GET "+CallbackPath, p.callback)
	return p.guard.Pages(mux)
}

// method is a way to sign in beside the form.
type method struct {
	Label string `json:"label"`
	Href  string `json:"href"`
}

func (p *Provider) methods(w http.ResponseWriter, _ *http.Request) {
	list := []method{}
	if p != nil {
		list = append(list, method{p.config.Label, StartPath})
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	// A client that is gone is no failure.
	_ = json.NewEncoder(w).Encode(map[string]any{"methods": list})
}

// start sends the browser to the provider.
func (p *Provider) start(w http.ResponseWriter, r *http.Request) {
	found, err := p.discover()
	if err != nil {
		fail(w, http.StatusBadGateway, err)
		return
	}
	client, err := p.oauth(found)
	if err != nil {
		fail(w, http.StatusInternalServerError, err)
		return
	}
	begun := started(access.OwnPath(r.URL.Query().Get("next")), time.Now())
	http.SetCookie(w, startedCookie(r, begun, startedFor))
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, client.AuthCodeURL(p.derive("state", begun),
		oauth2.SetAuthURLParam("nonce", p.derive("nonce", begun)), oauth2.S256ChallengeOption(p.derive("verifier", begun))), http.StatusSeeOther)
}

var (
	errStarted = errors.New("this sign-in was not begun in this browser, or another one was begun since: begin again")
	errLate    = errors.New("this sign-in took too long: begin again")
)

// callback takes the browser back from the provider.
func (p *Provider) callback(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, startedCookie(r, "", -time.Second)) // good for one answer
	if err := p.guard.Locked(r); err != nil {
		fail(w, http.StatusTooManyRequests, err)
		return
	}
	// What another site can make a browser do is not counted against its address.
	begun, err := p.begun(r, time.Now())
	if err != nil {
		fail(w, http.StatusBadRequest, err)
		return
	}
	who, err := p.identify(r, begun)
	switch {
	case errors.Is(err, errUnreachable):
		fail(w, http.StatusBadGateway, err)
	case errors.Is(err, errBusy):
		fail(w, http.StatusServiceUnavailable, err)
	case errors.Is(err, errSetUp):
		fail(w, http.StatusInternalServerError, err)
	case err != nil:
		p.guard.Refuse(r, who, err)
		status := http.StatusUnauthorized
		if who.Name != "" {
			status = http.StatusForbidden
		} else if !errors.Is(err, errDenied) {
			p.guard.Failed(r)
		}
		fail(w, status, err)
	default:
		p.guard.Begin(w, r, who, sessionLife)
		_, next, _ := read(begun)
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Referrer-Policy", "no-referrer")
		http.Redirect(w, r, next, http.StatusSeeOther)
	}
}

// begun is the cookie's sign-in that the request is the answer to.
func (p *Provider) begun(r *http.Request, now time.Time) (string, error) {
	c, err := r.Cookie(cookieName(r))
	if err != nil || !equal(r.URL.Query().Get("state"), p.derive("state", c.Value)) {
		return "", errStarted
	}
	if at, _, ok := read(c.Value); !ok || now.Sub(at) > startedFor {
		return "", errLate
	}
	return c.Value, nil
}

// started is a sign-in as its cookie has it: nothing is kept of it here. Who changes it
// changes the state that belongs to it.
func started(next string, now time.Time) string {
	return rand.Text() + "." + strconv.FormatInt(now.Unix(), 10) + "." + base64.RawURLEncoding.EncodeToString([]byte(next))
}

// read is when a sign-in began, and where it goes on.
func read(begun string) (at time.Time, next string, ok bool) {
	parts := strings.Split(begun, ".")
	if len(parts) != 3 {
		return at, "", false
	}
	seconds, err := strconv.ParseInt(parts[1], 10, 64)
	path, wrong := base64.RawURLEncoding.DecodeString(parts[2])
	return time.Unix(seconds, 0), access.OwnPath(string(path)), err == nil && wrong == nil
}

// derive is a secret that belongs to a sign-in: its state, its nonce, or PKCE's verifier.
func (p *Provider) derive(what, begun string) string {
	mac := hmac.New(sha256.New, p.key)
	mac.Write([]byte(what + "\x00" + begun))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func cookieName(r *http.Request) string {
	if r.TLS != nil {
		return "__Host-scalerd_oidc"
	}
	return "scalerd_oidc"
}

// startedCookie is sent with the way back from the provider, which is another site.
func startedCookie(r *http.Request, value string, life time.Duration) *http.Cookie {
	return &http.Cookie{
		Name: cookieName(r), Value: value, Path: "/", MaxAge: int(life.Seconds()),
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: r.TLS != nil,
	}
}
