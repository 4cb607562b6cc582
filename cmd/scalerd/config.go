package main

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/spf13/pflag"

	"github.com/scalerd/scalerd/scaler/outbound"
	"github.com/scalerd/scalerd/scaler/terraform"
	"github.com/scalerd/scalerd/tfgen/price"
	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// config is the daemon's configuration file. Every key has a flag of the same
// meaning, which wins.
type config struct {
	// Data is the folder with everything that scalerd keeps.
	Data string `yaml:"data"`
	// Socket is the unix socket of the API; default <data>/scalerd.sock.
	Socket string `yaml:"socket"`
	// Listen is the loopback address of /healthz, /readyz and /metrics.
	Listen string `yaml:"listen"`
	// OptimizerListen is the loopback address of the optimizers' own API, MiCADO's and
	// the native one; default: none.
	OptimizerListen string `yaml:"optimizer_listen"`
	// API is where and for whom the API listens with TCP.
	API apiConfig `yaml:"api"`
	// OIDC is a provider that people may sign in with.
	OIDC oidcConfig `yaml:"oidc"`
	// Reachable are the hosts, addresses and networks that descriptions may have requests
	// sent to; default: all but link-local ones and clouds' metadata.
	Reachable []string `yaml:"reachable"`
	// Engine is terraform, or tofu for OpenTofu.
	Engine string `yaml:"engine" jsonschema:"enum=terraform,enum=tofu"`
	// Terraform is the engine's binary; default: the one on PATH, else a terraform is
	// fetched.
	Terraform string `yaml:"terraform"`
	// Credentials is a file with the clouds' credentials, in the layout of MiCADO's
	// auth_data.yaml; default: the environment's.
	Credentials string `yaml:"credentials"`
	// CredentialsKey is a file with the key of the encrypted credentials, and
	// CredentialsPassphrase where their passphrase is read: file:PATH, env:NAME or ask.
	// Default: systemd's credential scalerd.key, where there is one.
	CredentialsKey        string `yaml:"credentials_key"`
	CredentialsPassphrase string `yaml:"credentials_passphrase"`
	// Vault keeps the credentials in place of the encrypted file.
	Vault vaultConfig `yaml:"vault"`
	// PolicyDir is a folder of checks that are asked about every plan; default: none.
	PolicyDir string `yaml:"policy_dir"`
	// Prices is a price list of the clouds' machines, for budgets; default: none.
	Prices string `yaml:"prices"`
	// TerraformProcesses bounds the terraform processes that run at once.
	TerraformProcesses int `yaml:"terraform_processes" jsonschema:"minimum=1"`
	// DriftInterval is the time between two drift checks of a shard; 0 turns them off.
	DriftInterval strictyaml.Duration `yaml:"drift_interval"`
	// DriftPerHour is the most drift checks in an hour, of all groups together; 0 is no
	// limit.
	DriftPerHour int `yaml:"drift_per_hour" jsonschema:"minimum=0"`
	// LookupInterval is the time between two looks in a group's cloud for machines that
	// no state tells of; 0 looks only after an interrupted creation.
	LookupInterval strictyaml.Duration `yaml:"lookup_interval"`
	// LookupGrace is how long a cloud may take to show a machine that it made.
	LookupGrace strictyaml.Duration `yaml:"lookup_grace"`
	// LogLevel is debug, info, warn or error.
	LogLevel string `yaml:"log_level" jsonschema:"enum=debug,enum=info,enum=warn,enum=error"`
}

// defaultData is where the packaged service keeps its data.
const defaultData = "/var/lib/scalerd"

func defaults() config {
	return config{
		Data:               defaultData,
		Engine:             terraform.EngineTerraform,
		Listen:             "127.0.0.1:9417",
		TerraformProcesses: max(2, runtime.NumCPU()),
		DriftInterval:      strictyaml.Duration(5 * time.Minute),
		DriftPerHour:       1000,
		LookupInterval:     strictyaml.Duration(time.Hour),
		LookupGrace:        strictyaml.Duration(30 * time.Second),
		LogLevel:           "info",
		Vault:              defaultVault(),
		OIDC:               defaultOIDC(),
		Reachable:          []string{},
	}
}

// flags are the command line's view of config.
type flags struct {
	file  string
	given config
	drift time.Duration
	// lookup and grace are LookupInterval and LookupGrace.
	lookup, grace time.Duration
}

func (f *flags) register(set *pflag.FlagSet) {
	d := defaults()
	set.StringVar(&f.file, "config", "", "configuration file (YAML); its keys are these flags with _ for -")
	set.StringVar(&f.given.Data, "data", d.Data, "folder with everything that scalerd keeps")
	set.StringVar(&f.given.Socket, "socket", "", "unix socket of the API (default scalerd.sock in the data folder)")
	set.StringVar(&f.given.Listen, "listen", d.Listen, "loopback address of /healthz, /readyz and /metrics")
	set.StringVar(&f.given.OptimizerListen, "optimizer-listen", "", "loopback address of MiCADO's Optimizer API and of /v1/optimizers, for external loops and simulators, such as 127.0.0.1:12346 (default none)")
	f.given.API.register(set)
	f.given.OIDC.register(set)
	set.StringSliceVar(&f.given.Reachable, "reachable", nil, "hosts, addresses and networks that descriptions may have requests sent to, such as prometheus.internal,10.0.0.0/8 (default all but link-local addresses and clouds' metadata)")
	set.StringVar(&f.given.Engine, "engine", d.Engine, "terraform, or tofu for OpenTofu")
	set.StringVar(&f.given.Terraform, "terraform", "", "binary of the engine (default: on PATH; a terraform is fetched else)")
	set.StringVar(&f.given.Credentials, "credentials", "", "file with the clouds' credentials (layout of MiCADO's auth_data.yaml), mode 0600 (default: from the environment)")
	set.StringVar(&f.given.CredentialsKey, "credentials-key", "", "file with the key of the credentials that scalerctl credentials set takes, mode 0600; make one with scalerctl credentials keygen (default: systemd's credential scalerd.key)")
	set.StringVar(&f.given.CredentialsPassphrase, "credentials-passphrase", "", "in place of a key: file:PATH or env:NAME that has the passphrase, or ask for the terminal")
	f.given.Vault.register(set)
	set.StringVar(&f.given.PolicyDir, "policy-dir", "", "folder of executable checks that get the JSON of every plan on stdin; exit 1 refuses it (default none)")
	set.StringVar(&f.given.Prices, "prices", "", "price list (YAML or CSV: cloud, region, offering, per_hour) for budgets and costs (default none)")
	set.IntVar(&f.given.TerraformProcesses, "terraform-processes", d.TerraformProcesses, "most terraform processes at once")
	set.Lookup("terraform-processes").DefValue = "the number of processors, at least 2" // the manual is the same everywhere
	set.DurationVar(&f.drift, "drift-interval", d.DriftInterval.AsDuration(), "time between two drift checks of a shard, 0 for none")
	set.IntVar(&f.given.DriftPerHour, "drift-per-hour", d.DriftPerHour, "most drift checks in an hour, of all groups together, 0 for no limit")
	set.DurationVar(&f.lookup, "lookup-interval", d.LookupInterval.AsDuration(), "time between two looks in a group's cloud for machines that no state tells of, 0 for only after an interrupted creation")
	set.DurationVar(&f.grace, "lookup-grace", d.LookupGrace.AsDuration(), "how long a cloud may take to show a machine that it made")
	set.StringVar(&f.given.LogLevel, "log-level", d.LogLevel, "debug, info, warn or error")
}

// config merges defaults, file and flags, in this order, and checks the result.
func (f *flags) config(set *pflag.FlagSet) (config, error) {
	c := defaults()
	if f.file != "" {
		text, err := os.ReadFile(f.file)
		if err != nil {
			return c, fmt.Errorf("configuration: %w", err)
		}
		if !blank(text) {
			if _, err := strictyaml.Decode(f.file, text, &c); err != nil {
				return c, err
			}
		}
	}
	f.given.DriftInterval = strictyaml.Duration(f.drift)
	f.given.LookupInterval, f.given.LookupGrace = strictyaml.Duration(f.lookup), strictyaml.Duration(f.grace)
	override(set, "data", &c.Data, f.given.Data)
	override(set, "socket", &c.Socket, f.given.Socket)
	override(set, "listen", &c.Listen, f.given.Listen)
	override(set, "optimizer-listen", &c.OptimizerListen, f.given.OptimizerListen)
	c.API.override(set, f.given.API)
	c.OIDC.override(set, f.given.OIDC)
	override(set, "reachable", &c.Reachable, f.given.Reachable)
	override(set, "engine", &c.Engine, f.given.Engine)
	override(set, "terraform", &c.Terraform, f.given.Terraform)
	override(set, "credentials", &c.Credentials, f.given.Credentials)
	override(set, "credentials-key", &c.CredentialsKey, f.given.CredentialsKey)
	override(set, "credentials-passphrase", &c.CredentialsPassphrase, f.given.CredentialsPassphrase)
	c.Vault.override(set, f.given.Vault)
	override(set, "policy-dir", &c.PolicyDir, f.given.PolicyDir)
	override(set, "prices", &c.Prices, f.given.Prices)
	override(set, "terraform-processes", &c.TerraformProcesses, f.given.TerraformProcesses)
	override(set, "drift-interval", &c.DriftInterval, f.given.DriftInterval)
	override(set, "drift-per-hour", &c.DriftPerHour, f.given.DriftPerHour)
	override(set, "lookup-interval", &c.LookupInterval, f.given.LookupInterval)
	override(set, "lookup-grace", &c.LookupGrace, f.given.LookupGrace)
	override(set, "log-level", &c.LogLevel, f.given.LogLevel)
	return c, c.check()
}

// blank reports whether a file has only comments: every key may be left out.
func blank(text []byte) bool {
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			return false
		}
	}
	return true
}

func override[T any](set *pflag.FlagSet, name string, into *T, given T) {
	if set.Changed(name) {
		*into = given
	}
}

// maxSocketPath is what fits a socket address on every Unix.
const maxSocketPath = 103

func (c *config) check() error {
	data, err := filepath.Abs(c.Data)
	if err != nil {
		return fmt.Errorf("data folder %s: %w", c.Data, err)
	}
	c.Data = data
	if c.Socket == "" {
		c.Socket = filepath.Join(c.Data, "scalerd.sock")
	}
	var errs []error
	if len(c.Socket) > maxSocketPath {
		errs = append(errs, fmt.Errorf("socket %s: a socket's path has at most %d bytes; give a shorter one with --socket", c.Socket, maxSocketPath))
	}
	if err := checkLoopback(c.Listen); err != nil {
		errs = append(errs, err)
	}
	if c.OptimizerListen != "" {
		if err := checkLoopback(c.OptimizerListen); err != nil {
			errs = append(errs, fmt.Errorf("optimizer %w", err))
		}
	}
	if err := c.API.check(); err != nil {
		errs = append(errs, err)
	}
	if err := c.OIDC.check(c.API.Listen); err != nil {
		errs = append(errs, err)
	}
	if _, err := outbound.Parse(c.Reachable); err != nil {
		errs = append(errs, fmt.Errorf("reachable: %w", err))
	}
	if c.CredentialsKey != "" && c.CredentialsPassphrase != "" {
		errs = append(errs, errors.New("credentials: choose either credentials_key or credentials_passphrase"))
	}
	errs = append(errs, checkPassphrase(c.CredentialsPassphrase), c.Vault.check())
	if c.TerraformProcesses < 1 {
		errs = append(errs, fmt.Errorf("terraform processes: %d, but at least 1 is needed", c.TerraformProcesses))
	}
	if c.DriftInterval < 0 {
		errs = append(errs, fmt.Errorf("drift interval: %s is negative", c.DriftInterval))
	}
	if c.DriftPerHour < 0 {
		errs = append(errs, fmt.Errorf("drift checks per hour: %d is negative", c.DriftPerHour))
	}
	if c.LookupInterval < 0 || c.LookupGrace < 0 {
		errs = append(errs, fmt.Errorf("lookup interval %s and lookup grace %s: neither can be negative", c.LookupInterval, c.LookupGrace))
	}
	if _, err := c.level(); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// priceList is nil where there is none.
func (c *config) priceList() (*price.List, error) {
	if c.Prices == "" {
		return nil, nil
	}
	return price.Load(c.Prices)
}

func (c *config) level() (slog.Level, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return level, fmt.Errorf("log level %q: use debug, info, warn or error", c.LogLevel)
	}
	return level, nil
}

// checkLoopback refuses an address that others could reach: these pages need no
// password.
func checkLoopback(listen string) error {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return fmt.Errorf("listen %q: want host:port: %w", listen, err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("listen %q: only loopback addresses, such as 127.0.0.1:9417", listen)
	}
	return nil
}
