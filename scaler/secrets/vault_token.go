package secrets

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	vault "github.com/hashicorp/vault/api"
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
	defer v.mu.Unlock()
	left := time.Until(v.until)
	switch {
	case v.client.Token() == "":
		return v.login(ctx)
	case v.until.IsZero() || left > max(v.life/3, renewEvery):
		return nil
	case v.renewable:
		secret, err := v.client.Auth().Token().RenewSelfWithContext(ctx, 0)
		if err == nil && secret != nil && secret.Auth != nil {
			v.took(secret.Auth.LeaseDuration, secret.Auth.Renewable)
			if v.life > renewEvery {
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
	return v.login(ctx)
}

func (v *Vault) took(seconds int, renewable bool) {
	v.life, v.until, v.renewable = time.Duration(seconds)*time.Second, time.Time{}, renewable
	if v.life > 0 {
		v.until = time.Now().Add(v.life)
	}
}

// login gets a token; the lock is held.
func (v *Vault) login(ctx context.Context) error {
	if v.config.RoleID == "" {
		text, err := os.ReadFile(v.config.TokenFile)
		if err != nil {
			return fmt.Errorf("%w: vault's token: %w", ErrUnavailable, err)
		}
		v.client.SetToken(strings.TrimSpace(string(text)))
		secret, err := v.client.Auth().Token().LookupSelfWithContext(ctx)
		if err != nil {
			v.client.ClearToken()
			return v.failure("look the token of "+v.config.TokenFile+" up", err)
		}
		life, _ := secret.TokenTTL() // without one it does not end
		renewable, _ := secret.TokenIsRenewable()
		v.took(int(life/time.Second), renewable)
		return nil
	}
	id, err := os.ReadFile(v.config.SecretIDFile)
	if err != nil {
		return fmt.Errorf("%w: vault's secret ID: %w", ErrUnavailable, err)
	}
	v.client.ClearToken()
	secret, err := v.client.Logical().WriteWithContext(ctx, "auth/approle/login", map[string]any{"role_id": v.config.RoleID, "secret_id": strings.TrimSpace(string(id))})
	if err == nil && (secret == nil || secret.Auth == nil) {
		err = errors.New("the answer has no token")
	}
	if err != nil {
		return v.failure("log in with the AppRole", err)
	}
	v.client.SetToken(secret.Auth.ClientToken)
	v.took(secret.Auth.LeaseDuration, secret.Auth.Renewable)
	return nil
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
	var err error
	if v.client.Token() == "" || !v.until.IsZero() && time.Now().After(v.until) {
		err = v.login(ctx)
	}
	used := v.client.Token()
	v.mu.Unlock()
	if err != nil {
		return err
	}
	err = request(ctx)
	if refused := (*vault.ResponseError)(nil); errors.As(err, &refused) && refused.StatusCode == http.StatusForbidden {
		v.mu.Lock()
		if v.client.Token() == used {
			err = v.login(ctx)
		} else {
			err = nil
		}
		v.mu.Unlock()
		if err != nil {
			return err
		}
		err = request(ctx)
	}
	if err != nil && !errors.Is(err, vault.ErrSecretNotFound) {
		return v.failure(what, err)
	}
	return err
}
