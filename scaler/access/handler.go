package access

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Handler finds out who makes a request and hands it on with that in its context, see
// Principal. It refuses what says something wrong, what comes from a network that
// is not allowed, and what a page of another site sends. That nobody may do
// nothing is the business of what it hands on to; Require helps with it.
//
// It is the one place that every request with an identity goes through.
func (g *Guard) Handler(next http.Handler) http.Handler {
	identified := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, err := g.identify(r)
		if err != nil {
			g.note(claimed(r), err)
			refuse(w, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(With(r.Context(), who)))
	})
	return g.allowed(g.sameOrigin(identified))
}

func (g *Guard) sameOrigin(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.note(Notice{Action: "use", From: address(r)}, errOrigin)
		deny(w, http.StatusForbidden, errOrigin.Error())
	}))
	return protection.Handler(next)
}

// allowed lets the networks through that are allowed, and the socket.
func (g *Guard) allowed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, local := peerOf(r.Context()); !local && !g.mayConnect(address(r)) {
			g.note(Notice{Action: "connect", From: address(r)}, errNetwork)
			deny(w, http.StatusForbidden, errNetwork.Error())
			return
		}
		next.ServeHTTP(w, r)
	})
}

func refuse(w http.ResponseWriter, err error) {
	var locked *lockedError
	switch {
	case errors.As(err, &locked):
		w.Header().Set("Retry-After", strconv.Itoa(int(locked.wait/time.Second)+1))
		deny(w, http.StatusTooManyRequests, err.Error())
	case errors.Is(err, errBusy):
		w.Header().Set("Retry-After", "1")
		deny(w, http.StatusServiceUnavailable, err.Error())
	default:
		for _, c := range Challenges {
			w.Header().Add("WWW-Authenticate", c)
		}
		deny(w, http.StatusUnauthorized, err.Error())
	}
}

// maxForm bounds the form of a login, in bytes.
const maxForm = 4 << 10

// Login serves POST /login, a form with name and password that begins a session, and
// POST /logout, which ends it. Both answer with 303 to the page that next names, of
// this host.
func (g *Guard) Login() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			deny(w, http.StatusBadRequest, fmt.Sprintf("the form can't be read: %v", err))
			return
		}
		now := time.Now()
		name := r.PostForm.Get("name")
		u, err := g.login(r.Context(), name, r.PostForm.Get("password"), address(r), now)
		g.note(Notice{Who: name, How: "form", From: address(r), Action: "login"}, err)
		if err != nil {
			refuse(w, err)
			return
		}
		who := Identity{Name: u.Name, Role: u.Role, How: "session"}
		http.SetCookie(w, cookie(r, g.sessions.begin(who, u.Hash, sessionLife, now), sessionLife))
		redirect(w, r)
	})
	mux.HandleFunc("POST /logout", func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if c, err := r.Cookie(cookieName(r)); err == nil {
			if s, ok := g.sessions.find(c.Value, time.Now()); ok {
				g.tell(Notice{Who: s.who.Name, Subject: s.who.Subject, How: s.who.How, From: address(r), Action: "logout"}, nil)
			}
			g.sessions.end(c.Value)
		}
		http.SetCookie(w, cookie(r, "", -time.Second))
		redirect(w, r)
	})
	return g.allowed(g.sameOrigin(mux))
}

func redirect(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, OwnPath(r.PostFormValue("next")), http.StatusSeeOther)
}

// OwnPath is the path where it is one of this host, else the first page's: one that
// begins with two slashes is another host's for a browser, which takes a backslash for a
// slash and leaves out tabs and line breaks (WHATWG URL, 4.4).
func OwnPath(path string) string {
	odd := func(r rune) bool { return r < 0x20 || r == 0x7f || r == '\\' }
	if len(path) == 0 || path[0] != '/' || len(path) > 1 && path[1] == '/' || len(path) > 1024 || strings.ContainsFunc(path, odd) {
		return "/"
	}
	return path
}
