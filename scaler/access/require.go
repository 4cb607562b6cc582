package access

import (
	"encoding/json"
	"net/http"
)

// Require lets only those through who have the role.
func Require(role Role, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch who := Principal(r.Context()); {
		case who.Role == Nobody:
			challenge(w)
		case who.Role < role:
			deny(w, http.StatusForbidden, who.Name+" has the role "+who.Role.String()+", and this needs the role "+role.String())
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// Unbounded keeps those out who are confined to some applications, from what belongs to
// none.
func Unbounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if who := Principal(r.Context()); who.Bounded() {
			deny(w, http.StatusForbidden, who.Name+" may use only its applications, and this belongs to none")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// challenge asks who it is.
func challenge(w http.ResponseWriter) {
	for _, c := range Challenges {
		w.Header().Add("WWW-Authenticate", c)
	}
	deny(w, http.StatusUnauthorized, "say who you are: with a token, or a user's name and password")
}

// deny answers with a problem document, which also has the message that MiCADO's
// clients show.
func deny(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// A client that is gone is no failure.
	_ = json.NewEncoder(w).Encode(map[string]any{"title": http.StatusText(status), "status": status, "detail": detail, "message": detail})
}
