package access

import (
	"net/http"
	"time"
)

// Pages serves pages that begin a session and need none: to the networks that are
// allowed, and not to pages of other sites.
func (g *Guard) Pages(next http.Handler) http.Handler { return g.allowed(g.sameOrigin(next)) }

// elsewhere is in the place of a user's name where failures of those are counted whom
// another authority vouches for; no user is called that.
const elsewhere = "\x00elsewhere"

// Locked is the error of an address from where sign-ins that another authority vouches
// for failed too often, and has to wait; nil for others.
func (g *Guard) Locked(r *http.Request) error {
	if wait := g.lockout.wait(elsewhere, network(address(r)), time.Now()); wait > 0 {
		return &lockedError{wait}
	}
	return nil
}

// Begin begins a session of somebody whom another authority vouches for, which is not a
// user of the store, and sets its cookie. It lasts for life at most, and for that long
// they have their role.
func (g *Guard) Begin(w http.ResponseWriter, r *http.Request, who Identity, life time.Duration) {
	life = min(life, sessionLife)
	g.lockout.succeeded(elsewhere, network(address(r)))
	g.tell(Notice{Who: who.Name, Subject: who.Subject, How: who.How, From: address(r), Action: "login"}, nil)
	http.SetCookie(w, cookie(r, g.sessions.begin(who, "", life, time.Now()), life))
}

// Refuse notes that somebody was not let in. The name of who is empty where no authority
// vouched for it.
func (g *Guard) Refuse(r *http.Request, who Identity, err error) {
	g.tell(Notice{Who: who.Name, Subject: who.Subject, How: who.How, From: address(r), Action: "login"}, err)
}

// Failed counts a sign-in that somebody tampered with against their address. Somebody
// whom the authority vouched for, or who gave up, did not.
func (g *Guard) Failed(r *http.Request) {
	g.lockout.failed(elsewhere, network(address(r)), time.Now())
}
