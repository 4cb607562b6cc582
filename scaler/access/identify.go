package access

import (
	"context"
	"crypto/hmac"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

var (
	// errWrong is what everybody hears who is not let in, whatever was wrong.
	errWrong = errors.New("the name or the password, or the token, is wrong")
	errBusy  = errors.New("too many logins at once: try again")
)

// lockedError is returned to who was wrong too often.
type lockedError struct{ wait time.Duration }

func (e *lockedError) Error() string {
	return fmt.Sprintf("too many failures: try again in %s", e.wait.Round(time.Second))
}

// identify finds out who makes a request: nobody, where it does not say. What it says
// and is wrong is an error.
func (g *Guard) identify(r *http.Request) (Identity, error) {
	now := time.Now()
	if p, ok := peerOf(r.Context()); ok {
		return p, nil
	}
	from := address(r)
	if r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
		name := r.TLS.PeerCertificates[0].Subject.CommonName
		if role, ok := g.options.ClientRoles[name]; ok {
			return Identity{Name: name, Role: role, How: "certificate", From: from}, nil
		}
	}
	header := r.Header.Get("Authorization")
	if name, password, ok := r.BasicAuth(); ok {
		u, err := g.login(r.Context(), name, password, from, now)
		return Identity{Name: u.Name, Role: u.Role, How: "password", From: from}, err
	}
	if kind, token, ok := strings.Cut(header, " "); ok && strings.EqualFold(kind, "Bearer") {
		return g.bearer(r.Context(), strings.TrimSpace(token), from, now)
	}
	if header != "" {
		return Identity{}, errWrong
	}
	if c, err := r.Cookie(cookieName(r)); err == nil {
		if s, ok := g.sessions.find(c.Value, now); ok {
			if s.hash == "" {
				return Identity{Name: s.who.Name, Role: s.who.Role, How: s.who.How, From: from, Subject: s.who.Subject}, nil
			}
			if u, ok := g.user(s.who.Name); ok && u.Hash == s.hash {
				return Identity{Name: u.Name, Role: u.Role, How: s.who.How, From: from}, nil
			}
			g.sessions.end(c.Value)
		}
	}
	return Identity{From: from}, nil
}

// bearer checks a token. A right one passes whatever others from its address tried: it
// can't be guessed, so the lock-out spares the audit log only.
func (g *Guard) bearer(ctx context.Context, token, from string, now time.Time) (Identity, error) {
	g.mu.Lock()
	t, ok := g.tokens[digest(token)]
	g.mu.Unlock()
	if !ok || !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt) {
		if wait := g.lockout.wait("", network(from), now); wait > 0 {
			return Identity{}, &lockedError{wait}
		}
		g.lockout.failed("", network(from), now)
		return Identity{}, errWrong
	}
	g.used(ctx, t, now)
	return Identity{Name: t.Name, Role: t.Role, How: "token", From: from, Applications: t.Applications, TokenID: t.ID}, nil
}

// login checks a password. An unknown user costs the same time as a known one.
func (g *Guard) login(ctx context.Context, name, password, from string, now time.Time) (User, error) {
	if wait := g.lockout.wait(name, network(from), now); wait > 0 {
		return User{}, &lockedError{wait}
	}
	u, known := g.user(name)
	if known && g.proven(u, password, now) {
		return u, nil
	}
	if len(password) > maxPassword {
		password = ""
	}
	done, err := g.turn(ctx)
	if err != nil {
		return User{}, err
	}
	hashed := g.dummy
	if known {
		hashed = u.Hash
	}
	right := matches(password, hashed)
	done()
	if !right || !known {
		g.lockout.failed(name, network(from), now)
		return User{}, errWrong
	}
	g.lockout.succeeded(name, network(from))
	g.mu.Lock()
	defer g.mu.Unlock()
	g.proofs[name] = proof{g.sum(password), u.Hash, now.Add(proofFor)}
	return u, nil
}

// proven reports whether the password was found right a moment ago.
func (g *Guard) proven(u User, password string, now time.Time) bool {
	g.mu.Lock()
	p, ok := g.proofs[u.Name]
	g.mu.Unlock()
	return ok && p.hash == u.Hash && now.Before(p.until) && hmac.Equal(p.sum, g.sum(password))
}

// turn waits for a turn to hash, for a while.
func (g *Guard) turn(ctx context.Context) (done func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	select {
	case g.hashing <- struct{}{}:
		return func() { <-g.hashing }, nil
	case <-ctx.Done():
		return nil, errBusy
	}
}

// address is where a request comes from. What a proxy says of it is not believed.
func address(r *http.Request) string { return host(r.RemoteAddr) }

// host is an address without its port.
func host(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return host
}
