package main

import (
	"errors"
	"fmt"
	"log/slog"
	"reflect"

	"github.com/spf13/pflag"

	"github.com/scalerd/scalerd/scaler/access"
	"github.com/scalerd/scalerd/scaler/access/oidc"
)

// oidcConfig is an OpenID Connect provider that people may sign in with.
type oidcConfig struct {
	// Issuer is the provider's address; default: none.
	Issuer string `yaml:"issuer"`
	// ClientID is scalerd's name there, ClientSecretFile has its secret, and
	// RedirectURL is where it sends people back: https://HOST:PORT/login/oidc/callback.
	ClientID         string `yaml:"client_id"`
	ClientSecretFile string `yaml:"client_secret_file"`
	RedirectURL      string `yaml:"redirect_url"`
	// Scopes are asked for beside openid.
	Scopes []string `yaml:"scopes"`
	// NameClaim is what people are called by, RolesClaim has their groups, and Roles are
	// the roles of groups. Who has none is not let in.
	NameClaim  string            `yaml:"name_claim"`
	RolesClaim string            `yaml:"roles_claim"`
	Roles      map[string]string `yaml:"roles"`
	// CAFile has the authorities of the provider's certificate.
	CAFile string `yaml:"ca_file"`
	// Label is what the button says.
	Label string `yaml:"label"`
}

func defaultOIDC() oidcConfig {
	return oidcConfig{Scopes: []string{"profile"}, NameClaim: "preferred_username", RolesClaim: "groups", Label: "Sign in with single sign-on"}
}

func (c *oidcConfig) register(set *pflag.FlagSet) {
	d := defaultOIDC()
	set.StringVar(&c.Issuer, "oidc-issuer", "", "OpenID Connect provider that people may sign in with, such as https://id.example/realms/ops (default none)")
	set.StringVar(&c.ClientID, "oidc-client-id", "", "name of scalerd at the provider")
	set.StringVar(&c.ClientSecretFile, "oidc-client-secret-file", "", "file with the client's secret, mode 0600 (default: a public client)")
	set.StringVar(&c.RedirectURL, "oidc-redirect-url", "", "where the provider sends people back: https://HOST:PORT"+oidc.CallbackPath)
	set.StringSliceVar(&c.Scopes, "oidc-scopes", d.Scopes, "what is asked for beside openid")
	set.StringVar(&c.NameClaim, "oidc-name-claim", d.NameClaim, "claim of the ID token that people are called by")
	set.StringVar(&c.RolesClaim, "oidc-roles-claim", d.RolesClaim, "claim of the ID token with people's groups; a dot goes into an object")
	set.StringToStringVar(&c.Roles, "oidc-roles", nil, "GROUP=ROLE of the claim's groups; who is in none is not let in")
	set.StringVar(&c.CAFile, "oidc-ca-file", "", "file with the authorities of the provider's certificate")
	set.StringVar(&c.Label, "oidc-label", d.Label, "what the button says")
}

func (c *oidcConfig) override(set *pflag.FlagSet, given oidcConfig) {
	override(set, "oidc-issuer", &c.Issuer, given.Issuer)
	override(set, "oidc-client-id", &c.ClientID, given.ClientID)
	override(set, "oidc-client-secret-file", &c.ClientSecretFile, given.ClientSecretFile)
	override(set, "oidc-redirect-url", &c.RedirectURL, given.RedirectURL)
	override(set, "oidc-scopes", &c.Scopes, given.Scopes)
	override(set, "oidc-name-claim", &c.NameClaim, given.NameClaim)
	override(set, "oidc-roles-claim", &c.RolesClaim, given.RolesClaim)
	override(set, "oidc-roles", &c.Roles, given.Roles)
	override(set, "oidc-ca-file", &c.CAFile, given.CAFile)
	override(set, "oidc-label", &c.Label, given.Label)
}

// check also wants the API to listen: people sign in there.
func (c *oidcConfig) check(listen string) error {
	if reflect.DeepEqual(*c, defaultOIDC()) {
		return nil
	}
	o, err := c.options(nil)
	if listen == "" {
		err = errors.Join(err, errors.New("people sign in on the API's own address, and it has none: give api listen"))
	}
	if err = errors.Join(err, o.Check()); err != nil {
		return fmt.Errorf("oidc: %w", err)
	}
	return nil
}

func (c *oidcConfig) options(log *slog.Logger) (oidc.Config, error) {
	o := oidc.Config{
		Issuer: c.Issuer, ClientID: c.ClientID, SecretFile: c.ClientSecretFile, RedirectURL: c.RedirectURL, Scopes: c.Scopes,
		NameClaim: c.NameClaim, RolesClaim: c.RolesClaim, Roles: map[string]access.Role{}, CAFile: c.CAFile, Label: c.Label, Log: log,
	}
	var errs []error
	for group, text := range c.Roles {
		role, err := access.ParseRole(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("roles %s: %w", group, err))
		}
		o.Roles[group] = role
	}
	return o, errors.Join(errs...)
}

// provider is nil where none is configured.
func (c *oidcConfig) provider(guard *access.Guard, log *slog.Logger) (*oidc.Provider, error) {
	if c.Issuer == "" {
		return nil, nil
	}
	o, err := c.options(log)
	if err != nil {
		return nil, err
	}
	return oidc.New(o, guard)
}
