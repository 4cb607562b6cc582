package access

import (
	"container/list"
	"net/http"
	"sync"
	"time"
)

const (
	// sessionIdle and sessionLife bound a session, keptSessions their number.
	sessionIdle  = 2 * time.Hour
	sessionLife  = 24 * time.Hour
	keptSessions = 1000
)

// sessions are those who logged in with a form. They are kept in memory only: after a
// restart people log in again. It is safe for concurrent use.
type sessions struct {
	mu       sync.Mutex
	byDigest map[string]*list.Element
	order    *list.List // of *session, the longest unused first
}

type session struct {
	digest string
	// who is who logged in. The role of a user is looked up at each request; that of
	// somebody else, whom another authority vouched for, is theirs to the end.
	who Identity
	// hash is the password's hash at the login: a changed password ends it. It is empty
	// for who has no password here.
	hash    string
	ends    time.Time
	touched time.Time
}

func newSessions() *sessions {
	return &sessions{byDigest: map[string]*list.Element{}, order: list.New()}
}

// begin returns the secret of a new session, which lasts for life at most.
func (s *sessions) begin(who Identity, hash string, life time.Duration, now time.Time) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	made := secret()
	one := &session{digest: digest(made), who: who, hash: hash, ends: now.Add(life), touched: now}
	s.byDigest[one.digest] = s.order.PushBack(one)
	if s.order.Len() > keptSessions {
		s.drop(s.order.Front())
	}
	return made
}

func (s *sessions) drop(e *list.Element) {
	delete(s.byDigest, e.Value.(*session).digest)
	s.order.Remove(e)
}

// find is the session of a secret, unless it is over.
func (s *sessions) find(secret string, now time.Time) (session, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.byDigest[digest(secret)]
	if !ok {
		return session{}, false
	}
	one := e.Value.(*session)
	if now.Sub(one.touched) > sessionIdle || now.After(one.ends) {
		s.drop(e)
		return session{}, false
	}
	one.touched = now
	s.order.MoveToBack(e)
	return *one, true
}

func (s *sessions) end(secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.byDigest[digest(secret)]; ok {
		s.drop(e)
	}
}

// cookieName has the prefix that ties the cookie to this host and to TLS.
func cookieName(r *http.Request) string {
	if r.TLS != nil {
		return "__Host-" + CookieName
	}
	return CookieName
}

func cookie(r *http.Request, value string, life time.Duration) *http.Cookie {
	return &http.Cookie{
		Name: cookieName(r), Value: value, Path: "/", MaxAge: int(life.Seconds()),
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: r.TLS != nil,
	}
}
