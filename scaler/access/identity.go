// Package access decides who may use scalerd: users with passwords, tokens for
// machines, peers on the unix socket, clients with certificates and people whom an OpenID
// Connect provider vouches for become an Identity with a Role, and a Guard lets nobody
// else in.
package access

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Role is what somebody may do. Each role may do what those before it may.
type Role int

// The roles.
const (
	// Nobody is who did not say who they are.
	Nobody Role = iota
	// Viewer sees applications and what they do, without their descriptions, and changes
	// nothing. Users, tokens, credentials and the audit log are for admins.
	Viewer
	// Operator works with applications.
	Operator
	// Admin also decides who may do what.
	Admin
)

var roleNames = []string{"", "viewer", "operator", "admin"}

// ParseRole reads viewer, operator or admin.
func ParseRole(name string) (Role, error) {
	if i := slices.Index(roleNames, name); i > 0 {
		return Role(i), nil
	}
	return Nobody, fmt.Errorf("role %q: use viewer, operator or admin", name)
}

// String is the role's name.
func (r Role) String() string { return roleNames[r] }

// MarshalText writes the role's name.
func (r Role) MarshalText() ([]byte, error) { return []byte(roleNames[r]), nil }

// UnmarshalText reads the role's name.
func (r *Role) UnmarshalText(text []byte) (err error) {
	*r, err = ParseRole(string(text))
	return err
}

// Identity is who makes a request. The zero value is nobody.
type Identity struct {
	// Name is the user's, or the token's name.
	Name string
	Role Role
	// Subject is what their provider calls them for ever, while Name may change; it is
	// empty for others.
	Subject string
	// How they proved it: socket, password, token, session (begun with the form),
	// certificate or oidc.
	How string
	// From is the address that the request came from, or "socket".
	From string
	// Applications bounds what they may see and do; none means all.
	Applications []string
	// TokenID is the ID of the token, where it was one: names of tokens are not unique.
	TokenID string
}

// Sees reports whether the identity may see or work on an application.
func (i Identity) Sees(application string) bool {
	return i.Role > Nobody && (len(i.Applications) == 0 || slices.Contains(i.Applications, application))
}

// Local reports whether the request was made on this machine, through the socket.
func (i Identity) Local() bool { return i.How == Socket }

// Socket is how peers on the unix socket prove who they are.
const Socket = "socket"

// Bounded reports whether the identity is confined to some applications.
func (i Identity) Bounded() bool { return len(i.Applications) > 0 }

type contextKey struct{}

// With returns a context of a request that the identity makes.
func With(ctx context.Context, who Identity) context.Context {
	return context.WithValue(ctx, contextKey{}, who)
}

// Principal is who makes the request of the context; nobody outside of one.
func Principal(ctx context.Context) Identity {
	who, _ := ctx.Value(contextKey{}).(Identity)
	return who
}

// CookieName is the name of the cookie of a session; under TLS it has the prefix
// __Host-.
const CookieName = "scalerd_session"

// Challenges are the values of WWW-Authenticate in an answer to nobody.
var Challenges = []string{`Bearer realm="scalerd"`, `Basic realm="scalerd", charset="UTF-8"`}

// ErrInvalid is returned for a user or a token that can't be made like that.
var ErrInvalid = errors.New("not possible")

// ErrLastAdmin is returned for a change that would leave no admin among the users.
var ErrLastAdmin = errors.New("the last admin can't be removed or get another role")
