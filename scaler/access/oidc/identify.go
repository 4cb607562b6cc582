package oidc

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/scalerd/scalerd/scaler/access"
)

// errDenied is in the error of a sign-in that the provider or the person ended.
var errDenied = errors.New("the provider refused")

var errBusy = errors.New("too many sign-ins at once: try again")

// identify finds out who the provider says somebody is. With an error, the identity has
// a name where the provider vouched for it.
func (p *Provider) identify(r *http.Request, begun string) (access.Identity, error) {
	answer := r.URL.Query()
	// RFC 9207: the answer of another provider is not taken for this one's.
	if iss := answer.Get("iss"); iss != "" && iss != p.config.Issuer {
		return access.Identity{How: How}, errors.New("the answer comes from another provider")
	}
	if refused := answer.Get("error"); refused != "" {
		return access.Identity{How: How}, fmt.Errorf("%w: %s", errDenied, excerpt(refused+" "+answer.Get("error_description")))
	}
	select {
	case p.exchanging <- struct{}{}:
		defer func() { <-p.exchanging }()
	default:
		return access.Identity{How: How}, errBusy
	}
	token, err := p.exchange(r, answer.Get("code"), begun)
	if err != nil {
		return access.Identity{How: How}, err
	}
	if !equal(token.Nonce, p.derive("nonce", begun)) {
		return access.Identity{How: How}, errors.New("the provider's token belongs to another sign-in: its nonce is wrong")
	}
	claims := map[string]any{}
	if err := token.Claims(&claims); err != nil {
		return access.Identity{How: How}, fmt.Errorf("the provider's token can't be read: %w", err)
	}
	if azp, ok := claims["azp"]; ok && azp != p.config.ClientID || !ok && len(token.Audience) > 1 {
		return access.Identity{How: How}, errors.New("the provider's token was made for another client")
	}
	return p.role(token.Subject, claims)
}

// exchange redeems the code and verifies the ID token: its signature by a key of the
// provider and an algorithm that the provider names, its issuer, audience and time.
func (p *Provider) exchange(r *http.Request, code, begun string) (*oidc.IDToken, error) {
	found, err := p.discover()
	if err != nil {
		return nil, err
	}
	client, err := p.oauth(found)
	if err != nil {
		return nil, err
	}
	ctx := p.context(r.Context())
	tokens, err := client.Exchange(ctx, code, oauth2.VerifierOption(p.derive("verifier", begun)))
	if refused := (*oauth2.RetrieveError)(nil); errors.As(err, &refused) && refused.Response.StatusCode < http.StatusInternalServerError {
		return nil, fmt.Errorf("the provider does not take the code: %s", excerpt(refused.ErrorCode+" "+refused.ErrorDescription))
	}
	if err != nil {
		return nil, p.unreachable(err)
	}
	raw, ok := tokens.Extra("id_token").(string)
	if !ok {
		return nil, errors.New("the provider sent no ID token: is the scope openid allowed for this client?")
	}
	keys := &watchedKeys{KeySet: found.keys}
	token, err := oidc.NewVerifier(p.config.Issuer, keys, &oidc.Config{ClientID: p.config.ClientID, SupportedSigningAlgs: found.algorithms}).Verify(ctx, raw)
	if keys.unfetched != nil {
		return nil, p.unreachable(keys.unfetched)
	}
	if err != nil {
		return nil, fmt.Errorf("the provider's token is not valid: %w", err)
	}
	return token, nil
}

// role is who the claims tell of, with the highest role of their groups.
func (p *Provider) role(subject string, claims map[string]any) (access.Identity, error) {
	if !printable(subject) {
		return access.Identity{How: How}, errors.New("the provider's token names nobody (claim sub)")
	}
	who := access.Identity{Name: subject, Subject: subject, How: How}
	if name, ok := claims[p.config.NameClaim].(string); ok && printable(name) {
		who.Name = name
	}
	groups := texts(claim(claims, p.config.RolesClaim))
	for _, group := range groups {
		who.Role = max(who.Role, p.config.Roles[group])
	}
	switch {
	case who.Role > access.Nobody:
		return who, nil
	case len(groups) == 0:
		return who, fmt.Errorf("the provider names no groups of %s (claim %s), so there is no role: ask an admin of scalerd", who.Name, p.config.RolesClaim)
	default:
		return who, fmt.Errorf("%s is in no group that has a role here: ask an admin of scalerd", who.Name)
	}
}

// claim is the claim of that name, or what is there when each dot goes into an object.
func claim(claims map[string]any, name string) any {
	if found, ok := claims[name]; ok {
		return found
	}
	head, rest, nested := strings.Cut(name, ".")
	inner, ok := claims[head].(map[string]any)
	if !nested || !ok {
		return nil
	}
	return claim(inner, rest)
}

// texts are those of a text or a list.
func texts(value any) []string {
	switch v := value.(type) {
	case string:
		return []string{v}
	case []any:
		var all []string
		for _, one := range v {
			if text, ok := one.(string); ok {
				all = append(all, text)
			}
		}
		return all
	}
	return nil
}

// longestName bounds a name, in bytes.
const longestName = 128

// printable reports whether a name can be shown and logged.
func printable(name string) bool {
	bad := func(r rune) bool { return !unicode.IsPrint(r) }
	return name != "" && len(name) <= longestName && utf8.ValidString(name) && !strings.ContainsFunc(name, bad)
}

// excerpt is the beginning of what a provider says, quoted.
func excerpt(text string) string {
	quoted, _ := json.Marshal(strings.ToValidUTF8(text[:min(len(text), 200)], "")) // a text can be encoded
	return string(quoted)
}
