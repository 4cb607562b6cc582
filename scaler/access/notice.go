package access

import (
	"errors"
	"net/http"
)

// Notice tells of a login, or of somebody who was not let in.
type Notice struct {
	// Who is the user; of a name that no user has, nothing is said, because people
	// type their password in its place.
	Who string
	// Subject is that of an Identity.
	Subject string
	// How is form, password, token, session, or oidc.
	How string
	// From is the address.
	From string
	// Action is login, logout, use or connect.
	Action string
	// Refused is why they were not let in; nil where they were.
	Refused error
}

var (
	errNetwork = errors.New("this address is in no network that is allowed")
	errOrigin  = errors.New("the request comes from a page of another site")
)

// note tells who wants to hear it of a login, or of a refusal where err is set.
func (g *Guard) note(n Notice, err error) {
	if _, known := g.user(n.Who); !known {
		n.Who = ""
	}
	g.tell(n, err)
}

// tell is note where it is certain that Who is a name.
func (g *Guard) tell(n Notice, err error) {
	if g.options.Note != nil {
		n.Refused = err
		g.options.Note(n)
	}
}

// claimed is who a request that is refused says to be from.
func claimed(r *http.Request) Notice {
	n := Notice{How: "token", From: address(r), Action: "use"}
	if name, _, ok := r.BasicAuth(); ok {
		n.Who, n.How = name, "password"
	}
	return n
}
