// Package oidc signs people in with an OpenID Connect provider: authorization code flow
// with PKCE, and a role from the groups that the provider's ID token names. Who is in
// no group that has a role is not let in.
package oidc

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/scalerd/scalerd/scaler/access"
	"github.com/scalerd/scalerd/scaler/secretfile"
)

// How is how people whom a provider vouches for prove who they are, as an
// access.Identity has it.
const How = "oidc"

const (
	// StartPath begins a sign-in; the provider sends people back to CallbackPath.
	StartPath    = "/login/oidc"
	CallbackPath = "/login/oidc/callback"
	// MethodsPath tells a page which sign-ins there are beside the form.
	MethodsPath = "/login/methods"
)

// sessionLife bounds a session: what the provider says of somebody's groups is heard at
// the sign-in only.
const sessionLife = 8 * time.Hour

const (
	// patience bounds one request to the provider.
	patience = 10 * time.Second
	// retryAfter is how long a provider that did not answer is not asked again.
	retryAfter = 2 * time.Second
	// exchangesAtOnce bounds the sign-ins that wait for the provider at once.
	exchangesAtOnce = 8
)

// Config says who the provider is, and what its groups may do here.
type Config struct {
	// Issuer is the provider's address, as its ID tokens have it.
	Issuer string
	// ClientID is scalerd's name there. SecretFile has the client's secret, and is read
	// at each sign-in; it is empty for a public client.
	ClientID   string
	SecretFile string
	// RedirectURL is this daemon's CallbackPath as browsers and the provider know it.
	RedirectURL string
	// Scopes are asked for beside openid.
	Scopes []string
	// NameClaim is what people are called by; sub where a token has none of it.
	NameClaim string
	// RolesClaim has the groups: a text or a list of texts. A dot goes into an object
	// where no claim has the whole name. Roles are those of the groups; of several the
	// highest counts.
	RolesClaim string
	Roles      map[string]access.Role
	// CAFile has the authorities of the provider's certificate, in place of the system's.
	CAFile string
	// Label is what the button says.
	Label string
	// Log hears what only an admin can mend.
	Log *slog.Logger
}

// Check returns all that is wrong with the configuration. The provider is not asked.
func (c Config) Check() error {
	errs := []error{checkURL("issuer", c.Issuer), checkURL("redirect_url", c.RedirectURL)}
	if u, err := url.Parse(c.RedirectURL); err == nil && u.Path != CallbackPath {
		errs = append(errs, fmt.Errorf("redirect_url %q: its path has to be %s", c.RedirectURL, CallbackPath))
	}
	if c.ClientID == "" {
		errs = append(errs, errors.New("client_id is missing: it is the name of scalerd at the provider"))
	}
	if c.RolesClaim == "" || c.NameClaim == "" {
		errs = append(errs, errors.New("roles_claim and name_claim can't be empty"))
	}
	if len(c.Roles) == 0 {
		errs = append(errs, errors.New("roles are missing: without GROUP: ROLE nobody could sign in"))
	}
	if slices.Contains(c.Scopes, "") {
		errs = append(errs, errors.New("scopes: one of them is empty"))
	}
	return errors.Join(errs...)
}

// checkURL wants https, and takes http on this machine only.
func checkURL(what, text string) error {
	u, err := url.Parse(text)
	switch {
	case text == "":
		return fmt.Errorf("%s is missing", what)
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("%s %q: want https://HOST/PATH", what, text)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("%s %q: leave out user, query and fragment", what, u.Redacted())
	case u.Scheme == "http" && !slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, u.Hostname()):
		return fmt.Errorf("%s %q: use https; http is taken on this machine only", what, text)
	}
	return nil
}

// Provider signs people in. It is safe for concurrent use.
type Provider struct {
	config Config
	guard  *access.Guard
	client *http.Client
	// key is of the process: sign-ins that a restart interrupts begin again.
	key []byte
	// exchanging bounds the sign-ins that wait for the provider.
	exchanging chan struct{}

	mu sync.Mutex
	// found is the provider once it answered; failedAt is when it last did not.
	found    *discovered
	failedAt time.Time
}

// New returns a Provider, which need not answer yet: it is asked at the first sign-in.
func New(c Config, guard *access.Guard) (*Provider, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if c.CAFile != "" {
		pool, err := access.Authorities(c.CAFile)
		if err != nil {
			return nil, fmt.Errorf("authorities of the provider: %w", err)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	key := make([]byte, 32)
	_, _ = rand.Read(key) // it never fails
	return &Provider{
		config: c, guard: guard, key: key, exchanging: make(chan struct{}, exchangesAtOnce),
		client: &http.Client{Transport: transport, Timeout: patience},
	}, nil
}

// errUnreachable is what people hear when the provider does not answer; the log has why.
var errUnreachable = errors.New("the sign-in provider does not answer, an admin finds the reason in scalerd's log; users with a password can sign in meanwhile")

// unreachable logs why the provider does not answer.
func (p *Provider) unreachable(err error) error {
	p.config.Log.Warn("the OIDC provider does not answer", "issuer", p.config.Issuer, "error", err)
	return errUnreachable
}

// context has requests to the provider made by the provider's client.
func (p *Provider) context(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, p.client)
}

// errSetUp is what people hear of a mistake that is the admin's, who finds it in the log.
var errSetUp = errors.New("the sign-in is not set up as it should be: an admin finds the reason in scalerd's log")

// oauth is the client at the provider, with its secret as the file has it now.
func (p *Provider) oauth(found *discovered) (*oauth2.Config, error) {
	secret, err := ReadSecret(p.config.SecretFile)
	if err != nil {
		p.config.Log.Error("nobody can sign in with OIDC", "error", err)
		return nil, errSetUp
	}
	return &oauth2.Config{
		ClientID: p.config.ClientID, ClientSecret: secret, Endpoint: found.endpoint, RedirectURL: p.config.RedirectURL,
		Scopes: append([]string{oidc.ScopeOpenID}, p.config.Scopes...),
	}, nil
}

// ReadSecret reads a client's secret from a file, which others may not read; it is
// empty where there is no file.
func ReadSecret(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	text, err := secretfile.Read(file)
	if err != nil {
		return "", fmt.Errorf("secret of the OIDC client: %w", err)
	}
	if secret := strings.TrimSpace(string(text)); secret != "" {
		return secret, nil
	}
	return "", fmt.Errorf("secret of the OIDC client: %s is empty", file)
}
