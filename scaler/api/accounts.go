package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/scalerd/scalerd/scaler/access"
	"github.com/scalerd/scalerd/scaler/audit"
)

// accounts are the handlers for users and tokens.
type accounts struct{ guard *access.Guard }

func registerAccounts(api huma.API, h accounts) {
	tag := tagged("access")
	register(api, endpoint(access.Admin, http.MethodGet, "/v1/users", "list-users", "The users, by name.", tag), h.users)
	register(api, endpoint(access.Admin, http.MethodPut, "/v1/users/{name}", "put-user", "Add a user, or change the role, the password or both of the one of that name. A changed password ends the user's sessions.", tag, secret), h.putUser)
	register(api, endpoint(access.Admin, http.MethodDelete, "/v1/users/{name}", "remove-user", "Remove a user.", tag), h.removeUser)
	register(api, endpoint(access.Admin, http.MethodGet, "/v1/tokens", "list-tokens", "The tokens, by name, without their secrets.", tag), h.tokens)
	serve(api, endpoint(access.Admin, http.MethodPost, "/v1/tokens", "create-token", "Make a token for a machine. Its secret is in this answer and kept nowhere.", tag, func(o *huma.Operation) { o.DefaultStatus = http.StatusCreated }), h.createToken)
	register(api, endpoint(access.Admin, http.MethodDelete, "/v1/tokens/{id}", "revoke-token", "End a token at once.", tag), h.revokeToken)
}

func (h accounts) users(_ context.Context, in *PageInput) (Page[access.User], error) {
	return paged(h.guard.Users(), *in, func(u access.User) string { return u.Name })
}

// UserChange is what is to be of a user; what is left out stays.
type UserChange struct {
	Password string `json:"password,omitempty" maxLength:"256" doc:"10 characters or more."`
	Role     string `json:"role,omitempty" enum:"viewer,operator,admin"`
}

type userInput struct {
	Name string `path:"name" maxLength:"64"`
	Body UserChange
}

func (h accounts) putUser(ctx context.Context, in *userInput) (access.User, error) {
	role := access.Nobody
	if in.Body.Role != "" {
		var err error
		if role, err = access.ParseRole(in.Body.Role); err != nil {
			return access.User{}, err
		}
	}
	return h.guard.PutUser(ctx, in.Name, in.Body.Password, role)
}

// Removed is what is not there any more.
type Removed struct {
	Removed string `json:"removed"`
}

type userPath struct {
	Name string `path:"name"`
}

func (h accounts) removeUser(ctx context.Context, in *userPath) (Removed, error) {
	return Removed{in.Name}, h.guard.RemoveUser(ctx, in.Name)
}

func (h accounts) tokens(_ context.Context, in *PageInput) (Page[access.Token], error) {
	return paged(h.guard.Tokens(), *in, func(t access.Token) string { return t.Name + "\x00" + t.ID })
}

// TokenRequest is what a token is to be good for.
type TokenRequest struct {
	Name         string   `json:"name" maxLength:"64"`
	Role         string   `json:"role" enum:"viewer,operator,admin"`
	Applications []string `json:"applications,omitempty" doc:"Only good for these; left out for all."`
	// ExpiresIn is in seconds.
	ExpiresIn int64 `json:"expires_in,omitempty" minimum:"0" maximum:"3153600000" doc:"Seconds until it ends; left out for never."`
}

// CreatedToken is a new token with its secret.
type CreatedToken struct {
	access.Token
	Secret string `json:"secret" doc:"For the header Authorization: Bearer SECRET. It is kept nowhere."`
}

// secretly is an answer that no cache may keep.
type secretly[T any] struct {
	CacheControl string `header:"Cache-Control"`
	Body         T
}

func (h accounts) createToken(ctx context.Context, in *body[TokenRequest]) (*secretly[CreatedToken], error) {
	role, err := access.ParseRole(in.Body.Role)
	if err != nil {
		return nil, err
	}
	t, secret, err := h.guard.CreateToken(ctx, in.Body.Name, role, in.Body.Applications, time.Duration(in.Body.ExpiresIn)*time.Second)
	if err == nil {
		audit.On(ctx, t.Name+" "+t.ID)
	}
	return &secretly[CreatedToken]{"no-store", CreatedToken{t, secret}}, err
}

func (h accounts) revokeToken(ctx context.Context, in *operationInput) (Removed, error) {
	return Removed{in.ID}, h.guard.RevokeToken(ctx, in.ID)
}
