package oidc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// discovered is what the provider says about itself.
type discovered struct {
	endpoint oauth2.Endpoint
	// keys are those that its tokens are signed with, which are kept, and fetched when a
	// token has a new one.
	keys oidc.KeySet
	// algorithms are those of its tokens; none means RS256.
	algorithms []string
}

// asymmetric are the algorithms that a public key verifies.
var asymmetric = []string{
	oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA,
}

// discover asks the provider about itself, once.
func (p *Provider) discover() (*discovered, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found != nil {
		return p.found, nil
	}
	if time.Since(p.failedAt) < retryAfter {
		return nil, errUnreachable
	}
	found, err := p.ask()
	if err != nil {
		p.failedAt = time.Now()
		return nil, p.unreachable(err)
	}
	p.found = found
	return found, nil
}

func (p *Provider) ask() (*discovered, error) {
	// Not the request's context: what is found outlives it, and keeps the client.
	ctx := p.context(context.Background())
	found, err := oidc.NewProvider(ctx, p.config.Issuer)
	if err != nil {
		return nil, err
	}
	var more struct {
		Keys       string   `json:"jwks_uri"`
		Algorithms []string `json:"id_token_signing_alg_values_supported"`
	}
	if err := found.Claims(&more); err != nil {
		return nil, fmt.Errorf("what it says about itself: %w", err)
	}
	more.Algorithms = slices.DeleteFunc(more.Algorithms, func(name string) bool { return !slices.Contains(asymmetric, name) })
	return &discovered{found.Endpoint(), oidc.NewRemoteKeySet(ctx, more.Keys), more.Algorithms}, nil
}

// watchedKeys verifies one token, and tells keys that can't be fetched, which is the
// provider's failure, from a signature that is wrong: the verifier tells only that it
// did not succeed.
type watchedKeys struct {
	oidc.KeySet
	unfetched error
}

// VerifySignature implements oidc.KeySet.
func (k *watchedKeys) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	payload, err := k.KeySet.VerifySignature(ctx, token)
	if errors.Unwrap(err) != nil { // of its errors, only that of the fetching has a cause
		k.unfetched = err
	}
	return payload, err
}
