package secrets

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	vault "github.com/hashicorp/vault/api"

	"github.com/scalerd/scalerd/scaler/secretfile"
)

// renewEvery is the longest time between two looks at the token.
const renewEvery = time.Minute

// Run keeps the token alive until ctx ends.
func (v *Vault) Run(ctx context.Context) error {
	failing := false
	for {
		wait := renewEvery
		if err := v.renew(ctx); err != nil && ctx.Err() == nil {
			wait = 10 * time.Second
			if !failing {
				v.log.Warn("vault gives no token; it is asked again", "error", err)
			}
			failing = true
		} else {
			failing = false
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

// renew renews the token when a third of its life is left, and gets one where there is
// none.
func (v *Vault) renew(ctx context.Context) error {
	v.mu.Lock()
	token, left := v.client.Token(), time.Until(v.until)
	fine := v.until.IsZero() || left > max(v.life/3, renewEvery)
	renewable := v.renewable
	v.mu.Unlock()
	switch {
	case token == "":
		return v.login(ctx, token)
	case fine:
		return nil
	case renewable:
		secret, err := v.client.Auth().Token().RenewSelfWithContext(ctx, 0)
		if err == nil && secret != nil && secret.Auth != nil {
			life := time.Duration(secret.Auth.LeaseDuration) * time.Second
			v.mu.Lock()
			if v.client.Token() == token {
				v.took(token, life, secret.Auth.Renewable)
			}
			v.mu.Unlock()
			if life > renewEvery {
				return nil
			}
		}
		if err != nil && left > renewEvery/2 {
			return v.failure("renew the token", err)
		}
	}
	if v.config.RoleID == "" && left > 0 {
		return nil // a token that ends can't be replaced by us
	}
	return v.login(ctx, token)
}

// took takes a token; the lock is held. Without a life it does not end.
func (v *Vault) took(token string, life time.Duration, renewable bool) {
	v.client.SetToken(token)
	v.life, v.until, v.renewable = life, time.Time{}, renewable
	if v.life > 0 {
		v.until = time.Now().Add(v.life)
	}
}

// failureKept is how long a login that did not succeed is not tried again.
const failureKept = time.Second

// login gets a token in place of the old one, once for all who want one at the same time.
// Until then the old one stays.
func (v *Vault) login(ctx context.Context, old string) error {
	done := v.logins.DoChan("", func() (any, error) {
		v.mu.Lock()
		replaced := v.client.Token() != old
		failed := v.failed
		if time.Since(v.failedAt) > failureKept {
			failed = nil
		}
		v.mu.Unlock()
		if replaced || failed != nil {
			return nil, failed
		}
		// Not the context of the one who came first: others wait for it too. It ends by
		// the client's timeout.
		return nil, v.ask(context.WithoutCancel(ctx))
	})
	select {
	case result := <-done:
		return result.Err
	case <-ctx.Done():
		return v.failure("log in", ctx.Err())
	}
}

// ask asks for a token, with a client of its own: requests under way keep the old one.
func (v *Vault) ask(ctx context.Context) error {
	client, err := v.client.CloneWithHeaders()
	if err != nil {
		return v.failure("log in", err)
	}
	client.ClearToken()
	var token string
	var life time.Duration
	var renewable bool
	if v.config.RoleID == "" {
		token, life, renewable, err = v.byFile(ctx, client)
	} else {
		token, life, renewable, err = v.byRole(ctx, client)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.failed, v.failedAt = err, time.Now(); err == nil {
		v.took(token, life, renewable)
	}
	return err
}

// byFile is the token of the file.
func (v *Vault) byFile(ctx context.Context, client *vault.Client) (token string, life time.Duration, renewable bool, err error) {
	text, err := secretfile.Read(v.config.TokenFile)
	if err != nil {
		return "", 0, false, fmt.Errorf("%w: vault's token: %w", ErrUnavailable, err)
	}
	token = strings.TrimSpace(string(text))
	client.SetToken(token)
	secret, err := client.Auth().Token().LookupSelfWithContext(ctx)
	if err != nil {
		return "", 0, false, v.failure("look the token of "+v.config.TokenFile+" up", err)
	}
	life, _ = secret.TokenTTL() // without one it does not end
	renewable, _ = secret.TokenIsRenewable()
	return token, life, renewable, nil
}

// byRole is a token that the AppRole is given.
func (v *Vault) byRole(ctx context.Context, client *vault.Client) (token string, life time.Duration, renewable bool, err error) {
	id, err := secretfile.Read(v.config.SecretIDFile)
	if err != nil {
		return "", 0, false, fmt.Errorf("%w: vault's secret ID: %w", ErrUnavailable, err)
	}
	secret, err := client.Logical().WriteWithContext(ctx, "auth/approle/login", map[string]any{"role_id": v.config.RoleID, "secret_id": strings.TrimSpace(string(id))})
	if err == nil && (secret == nil || secret.Auth == nil) {
		err = errors.New("the answer has no token")
	}
	if err != nil {
		return "", 0, false, v.failure("log in with the AppRole", err)
	}
	return secret.Auth.ClientToken, time.Duration(secret.Auth.LeaseDuration) * time.Second, secret.Auth.Renewable, nil
}

// failure says what went wrong without what Vault was sent.
func (v *Vault) failure(what string, err error) error {
	if request := (*url.Error)(nil); errors.As(err, &request) {
		err = request.Err // its address is in v
	}
	hint := "look whether Vault runs; what needs it is tried again"
	if refused := (*vault.ResponseError)(nil); errors.As(err, &refused) {
		switch refused.StatusCode {
		case http.StatusForbidden:
			hint = "look at the token or AppRole and its policy"
		case http.StatusBadRequest:
			hint = "look at the role ID, the secret ID and the settings of vault"
		case http.StatusServiceUnavailable:
			hint = "unseal Vault; what needs it is tried again"
		}
		err = fmt.Errorf("%d: %s", refused.StatusCode, strings.Join(refused.Errors, "; "))
	}
	return fmt.Errorf("%w: %s: %s: %w; %s", ErrUnavailable, v, what, err, hint)
}

// do makes a request with a token, and once more with a new one where the first is
// refused.
func (v *Vault) do(ctx context.Context, what string, request func(context.Context) error) error {
	v.mu.Lock()
	used := v.client.Token()
	over := used == "" || !v.until.IsZero() && time.Now().After(v.until)
	v.mu.Unlock()
	if over {
		if err := v.login(ctx, used); err != nil {
			return err
		}
		v.mu.Lock()
		used = v.client.Token()
		v.mu.Unlock()
	}
	err := request(ctx)
	if refused := (*vault.ResponseError)(nil); errors.As(err, &refused) && refused.StatusCode == http.StatusForbidden {
		if err := v.login(ctx, used); err != nil {
			return err
		}
		err = request(ctx)
	}
	if err != nil && !errors.Is(err, vault.ErrSecretNotFound) {
		return v.failure(what, err)
	}
	return err
}
