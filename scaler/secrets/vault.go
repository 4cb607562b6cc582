package secrets

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path"
	"slices"
	"sync"
	"time"

	vault "github.com/hashicorp/vault/api"
	"golang.org/x/sync/singleflight"

	"github.com/scalerd/scalerd/scaler/credentials"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// VaultConfig says where a Vault is and how to log in to it: with a token, or with an
// AppRole.
type VaultConfig struct {
	// Address is that of the server, such as https://vault:8200.
	Address string
	// Namespace is that of Vault Enterprise; it may be empty.
	Namespace string
	// Mount is where the key-value engine is mounted, and Path the folder of the
	// entries in it: MOUNT/PATH/TYPE/NAME.
	Mount, Path string
	// Version is that of the key-value engine: 1 or 2.
	Version int
	// TokenFile has the token, and is read again when Vault refuses it.
	TokenFile string
	// RoleID and SecretIDFile are those of an AppRole.
	RoleID, SecretIDFile string
	// CAFile has the authorities of the server's certificate; empty for the system's.
	CAFile string
}

// vaultTimeout bounds one request, so that a Vault that is down fails a step at
// once, which is then tried again.
const vaultTimeout = 5 * time.Second

// Vault is a Keeper: the key-value engine of a HashiCorp Vault. It is safe for
// concurrent use.
type Vault struct {
	config VaultConfig
	client *vault.Client
	log    *slog.Logger
	logins singleflight.Group

	// mu guards the client's token together with what follows, and is never held while
	// Vault is asked.
	mu sync.Mutex
	// until is when the token ends, and zero where it is not known to; life is how
	// long it was good when it was got or renewed.
	until     time.Time
	life      time.Duration
	renewable bool
	// failed is why the last login did not succeed, and failedAt is when.
	failed   error
	failedAt time.Time
}

// NewVault returns the keeper of a Vault, which nothing is asked yet. The environment,
// where variables may say something to Vault's own tools and to terraform, says nothing
// of where Vault is and whether its certificate is good.
func NewVault(c VaultConfig, log *slog.Logger) (*Vault, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CAFile != "" {
		text, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, fmt.Errorf("vault: authorities: %w", err)
		}
		transport.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !transport.TLSClientConfig.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("vault: authorities: %s holds no certificate in PEM form", c.CAFile)
		}
	}
	client, err := vault.NewClient(&vault.Config{
		Address: c.Address, Timeout: vaultTimeout,
		HttpClient: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // the library follows them itself
		}},
	})
	if err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	client.ClearToken() // that of the environment is terraform's
	client.ClearNamespace()
	if c.Namespace != "" {
		client.SetNamespace(c.Namespace)
	}
	return &Vault{config: c, client: client, log: log}, nil
}

// String implements Keeper.
func (v *Vault) String() string { return "vault " + v.config.Address }

// path is that of an entry, which no name leads out of its cloud's folder.
func (v *Vault) path(cloud spec.Cloud, name string) (string, error) {
	if name == "" {
		name = Default
	}
	return path.Join(v.config.Path, string(cloud), name), named(name)
}

// entry is the data of an entry, and nil where there is none.
func (v *Vault) entry(ctx context.Context, cloud spec.Cloud, name string) (map[string]string, error) {
	at, err := v.path(cloud, name)
	if err != nil {
		return nil, err
	}
	return v.get(ctx, at)
}

// get is the data at a path, and nil where there is none.
func (v *Vault) get(ctx context.Context, at string) (map[string]string, error) {
	var found *vault.KVSecret
	err := v.do(ctx, "read "+at, func(ctx context.Context) (err error) {
		if v.config.Version == 1 {
			found, err = v.client.KVv1(v.config.Mount).Get(ctx, at)
		} else {
			found, err = v.client.KVv2(v.config.Mount).Get(ctx, at)
		}
		return err
	})
	if errors.Is(err, vault.ErrSecretNotFound) || err == nil && found.Data == nil {
		return nil, nil // nil: there is none, or its newest version was deleted
	}
	if err != nil {
		return nil, err
	}
	data := map[string]string{}
	for key, value := range found.Data {
		text, ok := value.(string)
		if !ok {
			return nil, fmt.Errorf("%w: %s: %s: %s is no text; write it as a string", ErrUnavailable, v, at, key)
		}
		data[key] = text
	}
	return data, nil
}

// Pick implements Keeper: the default entry is the one called default, else the first
// by name.
func (v *Vault) Pick(ctx context.Context, cloud spec.Cloud, name string) (credentials.Entry, bool, error) {
	e := credentials.Entry{Type: string(cloud), Name: name}
	var err error
	if e.AuthData, err = v.entry(ctx, cloud, name); err != nil || e.AuthData != nil || name != "" {
		return e, e.AuthData != nil, err
	}
	names, err := v.list(ctx, path.Join(v.config.Path, string(cloud)))
	if err != nil || len(names) == 0 {
		return e, false, err
	}
	e.Name = names[0]
	e.AuthData, err = v.entry(ctx, cloud, e.Name)
	return e, e.AuthData != nil, err
}

// list are the names in a folder, without the folders in it and what is no entry's name.
func (v *Vault) list(ctx context.Context, folder string) ([]string, error) {
	at := path.Join(v.config.Mount, "metadata", folder)
	if v.config.Version == 1 {
		at = path.Join(v.config.Mount, folder)
	}
	var found *vault.Secret
	err := v.do(ctx, "list "+folder, func(ctx context.Context) (err error) {
		found, err = v.client.Logical().ListWithContext(ctx, at)
		return err
	})
	if err != nil || found == nil {
		return nil, err
	}
	keys, _ := found.Data["keys"].([]any)
	var names []string
	for _, key := range keys {
		if name, ok := key.(string); ok && namePattern.MatchString(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// Entries implements Keeper.
func (v *Vault) Entries(ctx context.Context) ([]credentials.Entry, error) {
	var entries []credentials.Entry
	clouds := map[spec.Cloud]bool{}
	for _, kind := range credentials.Types() {
		cloud := credentials.Entry{Type: kind}.Cloud()
		if clouds[cloud] {
			continue
		}
		clouds[cloud] = true
		names, err := v.list(ctx, path.Join(v.config.Path, string(cloud)))
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			data, err := v.entry(ctx, cloud, name)
			if err != nil {
				return nil, err
			}
			if data != nil {
				entries = append(entries, credentials.Entry{Type: string(cloud), Name: name, AuthData: data})
			}
		}
	}
	return entries, nil
}

// Put implements Keeper.
func (v *Vault) Put(ctx context.Context, e credentials.Entry) error {
	data := map[string]any{}
	for key, value := range e.AuthData {
		data[key] = value
	}
	at, err := v.path(e.Cloud(), e.Name)
	if err != nil {
		return err
	}
	return v.do(ctx, "write "+at, func(ctx context.Context) error {
		if v.config.Version == 1 {
			return v.client.KVv1(v.config.Mount).Put(ctx, at, data)
		}
		_, err := v.client.KVv2(v.config.Mount).Put(ctx, at, data)
		return err
	})
}

// Remove implements Keeper: with version 2, all versions and their metadata go.
func (v *Vault) Remove(ctx context.Context, cloud spec.Cloud, name string) error {
	at, err := v.path(cloud, name)
	if err != nil {
		return err
	}
	data, err := v.get(ctx, at)
	if err == nil && data == nil {
		err = fmt.Errorf("credentials %s in %s: %w", Label(cloud, name), v, ErrUnknown)
	}
	if err != nil {
		return err
	}
	return v.do(ctx, "remove "+at, func(ctx context.Context) error {
		if v.config.Version == 1 {
			return v.client.KVv1(v.config.Mount).Delete(ctx, at)
		}
		return v.client.KVv2(v.config.Mount).DeleteMetadata(ctx, at)
	})
}

// Rotate implements Keeper: Vault has keys of its own.
func (v *Vault) Rotate(context.Context, string) (string, error) {
	return "", fmt.Errorf("%w: Vault encrypts with keys of its own; rotate them with vault operator rotate", ErrRefused)
}

var _, _ Keeper = (*Vault)(nil), (*File)(nil)
