package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/scalerd/scalerd/scaler/audit"
	"github.com/scalerd/scalerd/scaler/secretfile"
	"github.com/scalerd/scalerd/scaler/secrets"
)

// vaultConfig is where a HashiCorp Vault keeps the clouds' credentials.
type vaultConfig struct {
	// Address is that of the server, such as https://vault:8200; default: none.
	Address string `yaml:"address"`
	// Namespace is that of Vault Enterprise.
	Namespace string `yaml:"namespace"`
	// Mount is where the key-value engine is, and Path the folder of the entries in it.
	Mount string `yaml:"mount"`
	Path  string `yaml:"path"`
	// KV is the version of the key-value engine.
	KV int `yaml:"kv" jsonschema:"enum=1,enum=2"`
	// TokenFile has the token; else RoleID and SecretIDFile are those of an AppRole.
	TokenFile    string `yaml:"token_file"`
	RoleID       string `yaml:"role_id"`
	SecretIDFile string `yaml:"secret_id_file"`
	// CAFile has the authorities of the server's certificate.
	CAFile string `yaml:"ca_file"`
}

func defaultVault() vaultConfig { return vaultConfig{Mount: "secret", Path: "scalerd", KV: 2} }

func (c *vaultConfig) register(set *pflag.FlagSet) {
	d := defaultVault()
	set.StringVar(&c.Address, "vault-address", "", "HashiCorp Vault that keeps the clouds' credentials, such as https://vault:8200 (default none)")
	set.StringVar(&c.Namespace, "vault-namespace", "", "namespace of Vault Enterprise")
	set.StringVar(&c.Mount, "vault-mount", d.Mount, "where Vault's key-value engine is mounted")
	set.StringVar(&c.Path, "vault-path", d.Path, "folder of the credentials in it: PATH/TYPE/NAME")
	set.IntVar(&c.KV, "vault-kv", d.KV, "version of the key-value engine, 1 or 2")
	set.StringVar(&c.TokenFile, "vault-token-file", "", "file with Vault's token")
	set.StringVar(&c.RoleID, "vault-role-id", "", "role ID of an AppRole, in place of a token")
	set.StringVar(&c.SecretIDFile, "vault-secret-id-file", "", "file with the secret ID of the AppRole")
	set.StringVar(&c.CAFile, "vault-ca-file", "", "file with the authorities of Vault's certificate")
}

func (c *vaultConfig) override(set *pflag.FlagSet, given vaultConfig) {
	override(set, "vault-address", &c.Address, given.Address)
	override(set, "vault-namespace", &c.Namespace, given.Namespace)
	override(set, "vault-mount", &c.Mount, given.Mount)
	override(set, "vault-path", &c.Path, given.Path)
	override(set, "vault-kv", &c.KV, given.KV)
	override(set, "vault-token-file", &c.TokenFile, given.TokenFile)
	override(set, "vault-role-id", &c.RoleID, given.RoleID)
	override(set, "vault-secret-id-file", &c.SecretIDFile, given.SecretIDFile)
	override(set, "vault-ca-file", &c.CAFile, given.CAFile)
}

func (c *vaultConfig) check() error {
	if c.Address == "" {
		return nil
	}
	var errs []error
	if u, err := url.Parse(c.Address); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		errs = append(errs, fmt.Errorf("vault address %q: want https://HOST:PORT", c.Address))
	} else if u.Scheme == "http" {
		if err := checkLoopback(u.Host); err != nil {
			errs = append(errs, fmt.Errorf("vault address %q: use https where Vault is not on this machine", c.Address))
		}
	}
	if c.KV != 1 && c.KV != 2 {
		errs = append(errs, fmt.Errorf("vault kv: %d, but the key-value engine has the versions 1 and 2", c.KV))
	}
	if c.Mount == "" || c.Path == "" {
		errs = append(errs, errors.New("vault: mount and path can't be empty"))
	}
	if (c.TokenFile == "") == (c.RoleID == "") || (c.RoleID == "") != (c.SecretIDFile == "") {
		errs = append(errs, errors.New("vault: give either token_file, or role_id with secret_id_file"))
	}
	return errors.Join(errs...)
}

// systemKey is the name of the credential that systemd's LoadCredential gives the key by.
const systemKey = "scalerd.key"

// keeper is where the clouds' credentials are kept; it is nil where nothing says it.
func (c *config) keeper(log *slog.Logger) (secrets.Keeper, error) {
	file := filepath.Join(c.Data, secrets.FileName)
	given := filepath.Join(os.Getenv("CREDENTIALS_DIRECTORY"), systemKey)
	_, err := os.Stat(given)
	hasGiven := os.Getenv("CREDENTIALS_DIRECTORY") != "" && err == nil
	var key *secrets.Key
	switch {
	case c.Vault.Address != "":
		return secrets.NewVault(secrets.VaultConfig{
			Address: c.Vault.Address, Namespace: c.Vault.Namespace, Mount: c.Vault.Mount, Path: c.Vault.Path, Version: c.Vault.KV,
			TokenFile: c.Vault.TokenFile, RoleID: c.Vault.RoleID, SecretIDFile: c.Vault.SecretIDFile, CAFile: c.Vault.CAFile,
		}, log)
	case c.CredentialsKey != "":
		key = secrets.KeyFile(c.CredentialsKey, false)
	case c.CredentialsPassphrase != "":
		passphrase, err := readPassphrase(c.CredentialsPassphrase)
		if err != nil {
			return nil, err
		}
		if key, err = secrets.PassphraseKey(filepath.Join(c.Data, "credentials.key.age"), file, passphrase); err != nil {
			return nil, err
		}
	case hasGiven:
		key = secrets.KeyFile(given, true)
	default:
		if _, err := os.Stat(file); err == nil {
			return nil, fmt.Errorf("%s is there and no key for it: give --credentials-key or --credentials-passphrase", file)
		}
		return nil, nil
	}
	return secrets.OpenFile(file, key)
}

// checkPassphrase checks where the passphrase is to come from.
func checkPassphrase(from string) error {
	kind, name, _ := strings.Cut(from, ":")
	if from == "" || from == "ask" || (kind == "file" || kind == "env") && name != "" {
		return nil
	}
	return fmt.Errorf("credentials passphrase %q: use file:PATH, env:NAME, or ask for the terminal", from)
}

// readPassphrase reads the passphrase from where the configuration says. A variable of
// the environment is removed, so that terraform does not get it.
func readPassphrase(from string) (string, error) {
	kind, name, _ := strings.Cut(from, ":")
	switch kind {
	case "file":
		text, err := secretfile.Read(name)
		if err != nil {
			return "", fmt.Errorf("passphrase of the credentials: %w", err)
		}
		return strings.TrimRight(string(text), "\r\n"), nil
	case "env":
		passphrase := os.Getenv(name)
		if passphrase == "" {
			return "", fmt.Errorf("passphrase of the credentials: $%s is not set", name)
		}
		return passphrase, os.Unsetenv(name)
	default:
		if !term.IsTerminal(int(os.Stdin.Fd())) {
			return "", errors.New("passphrase of the credentials: it is to be asked for, and standard input is no terminal; use file:PATH or env:NAME")
		}
		fmt.Fprint(os.Stderr, "Passphrase of the credentials: ")
		text, err := term.ReadPassword(int(os.Stdin.Fd()))
		fmt.Fprintln(os.Stderr)
		return string(text), err
	}
}

// auditCredentials writes each access to credentials to the audit log. That one can't
// be written stops no step: the log tells of it itself.
func auditCredentials(log *audit.Log) func(secrets.Access) {
	return func(a secrets.Access) {
		e := audit.Entry{Who: "scalerd", How: "terraform", Action: "read-credentials", Target: secrets.Label(a.Cloud, a.Name), Result: "done", Detail: a.Where}
		if a.Err != nil {
			e.Result, e.Detail = "failed", a.Err.Error()
		}
		_ = log.Append(e)
	}
}

// keepAlive renews what the keeper logs in with, until ctx ends.
func keepAlive(ctx context.Context, keeper secrets.Keeper) error {
	if v, ok := keeper.(*secrets.Vault); ok {
		return v.Run(ctx)
	}
	return nil
}
