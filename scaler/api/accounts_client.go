package api

import (
	"context"
	"net/http"

	"github.com/scalerd/scalerd/scaler/access"
)

// Me is who the client is for scalerd.
func (c *Client) Me(ctx context.Context) (Who, error) {
	return call[Who](ctx, c, http.MethodGet, nil, nil, "v1", "me")
}

// Users are the users, by name.
func (c *Client) Users(ctx context.Context) ([]access.User, error) {
	return pages[access.User](ctx, c, nil, 0, "v1", "users")
}

// PutUser adds a user, or changes what is given of the one of that name.
func (c *Client) PutUser(ctx context.Context, name string, change UserChange) (access.User, error) {
	return call[access.User](ctx, c, http.MethodPut, nil, change, "v1", "users", name)
}

// RemoveUser removes a user.
func (c *Client) RemoveUser(ctx context.Context, name string) error {
	_, err := call[Removed](ctx, c, http.MethodDelete, nil, nil, "v1", "users", name)
	return err
}

// Tokens are the tokens, by name.
func (c *Client) Tokens(ctx context.Context) ([]access.Token, error) {
	return pages[access.Token](ctx, c, nil, 0, "v1", "tokens")
}

// CreateToken makes a token; the answer has its secret.
func (c *Client) CreateToken(ctx context.Context, t TokenRequest) (CreatedToken, error) {
	return call[CreatedToken](ctx, c, http.MethodPost, nil, t, "v1", "tokens")
}

// RevokeToken ends a token at once.
func (c *Client) RevokeToken(ctx context.Context, id string) error {
	_, err := call[Removed](ctx, c, http.MethodDelete, nil, nil, "v1", "tokens", id)
	return err
}
