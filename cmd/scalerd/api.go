package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"

	"github.com/scalerd/scalerd/scaler/access"
	"github.com/scalerd/scalerd/scaler/api"
)

// apiConfig is where and for whom the API listens with TCP, beside its socket.
type apiConfig struct {
	// Listen is the address, such as :9443; default: none. It is not listened on
	// before there is a user.
	Listen string `yaml:"listen"`
	// Plain is set to do without TLS, on a loopback address only.
	Plain bool `yaml:"plain"`
	// TLSCert and TLSKey are files with the certificate and its key, read again when
	// they change; default: a self-signed one is made.
	TLSCert string `yaml:"tls_cert"`
	TLSKey  string `yaml:"tls_key"`
	// TLSHosts are further names and addresses of a certificate that is made.
	TLSHosts []string `yaml:"tls_hosts"`
	// ACMEDomains are names to get a certificate for from Let's Encrypt, which has to
	// reach the listener on port 443. ACMEEmail is whom it may write to.
	ACMEDomains []string `yaml:"acme_domains"`
	ACMEEmail   string   `yaml:"acme_email"`
	// ACMEDirectory is another ACME authority's directory, and ACMECAFile has the
	// authorities of its own certificate.
	ACMEDirectory string `yaml:"acme_directory"`
	ACMECAFile    string `yaml:"acme_ca_file"`
	// ClientCA is a file with the authorities of clients' certificates. ClientRoles are
	// the roles of those clients, by common name.
	ClientCA    string            `yaml:"client_ca"`
	ClientRoles map[string]string `yaml:"client_roles"`
	// Networks are those that requests may come from; default: all.
	Networks []string `yaml:"networks"`
}

func (c *apiConfig) register(set *pflag.FlagSet) {
	set.StringVar(&c.Listen, "api-listen", "", "address of the API for other machines, such as :9443, with TLS; not before there is a user, see scalerctl users add (default none)")
	set.BoolVar(&c.Plain, "api-plain", false, "no TLS on --api-listen, which has to be a loopback address")
	set.StringVar(&c.TLSCert, "api-tls-cert", "", "file with the API's certificate (default: a self-signed one is made)")
	set.StringVar(&c.TLSKey, "api-tls-key", "", "file with the certificate's key")
	set.StringSliceVar(&c.TLSHosts, "api-tls-hosts", nil, "further names and addresses of a self-signed certificate")
	set.StringSliceVar(&c.ACMEDomains, "api-acme-domains", nil, "names to get a certificate for from Let's Encrypt, which must reach --api-listen on port 443")
	set.StringVar(&c.ACMEEmail, "api-acme-email", "", "address that Let's Encrypt may write to")
	set.StringVar(&c.ACMEDirectory, "api-acme-directory", "", "directory of another ACME authority, such as https://ca.internal/acme/acme/directory (default Let's Encrypt's)")
	set.StringVar(&c.ACMECAFile, "api-acme-ca-file", "", "file with the authorities of that directory's own certificate")
	set.StringVar(&c.ClientCA, "api-client-ca", "", "file with the authorities of clients' certificates")
	set.StringToStringVar(&c.ClientRoles, "api-client-roles", nil, "NAME=ROLE of clients' certificates, by common name")
	set.StringSliceVar(&c.Networks, "api-networks", nil, "networks that requests may come from, such as 10.0.0.0/8 (default all)")
}

func (c *apiConfig) override(set *pflag.FlagSet, given apiConfig) {
	override(set, "api-listen", &c.Listen, given.Listen)
	override(set, "api-plain", &c.Plain, given.Plain)
	override(set, "api-tls-cert", &c.TLSCert, given.TLSCert)
	override(set, "api-tls-key", &c.TLSKey, given.TLSKey)
	override(set, "api-tls-hosts", &c.TLSHosts, given.TLSHosts)
	override(set, "api-acme-domains", &c.ACMEDomains, given.ACMEDomains)
	override(set, "api-acme-email", &c.ACMEEmail, given.ACMEEmail)
	override(set, "api-acme-directory", &c.ACMEDirectory, given.ACMEDirectory)
	override(set, "api-acme-ca-file", &c.ACMECAFile, given.ACMECAFile)
	override(set, "api-client-ca", &c.ClientCA, given.ClientCA)
	override(set, "api-client-roles", &c.ClientRoles, given.ClientRoles)
	override(set, "api-networks", &c.Networks, given.Networks)
}

// check refuses an address that others reach without TLS.
func (c *apiConfig) check() error {
	var errs []error
	if c.Listen != "" {
		if _, _, err := net.SplitHostPort(c.Listen); err != nil {
			errs = append(errs, fmt.Errorf("api listen %q: want host:port: %w", c.Listen, err))
		} else if err := checkLoopback(c.Listen); c.Plain && err != nil {
			errs = append(errs, fmt.Errorf("api %w, without TLS; leave out plain", err))
		}
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		errs = append(errs, errors.New("api: tls_cert and tls_key are only good together"))
	}
	if c.TLSCert != "" && len(c.ACMEDomains) > 0 {
		errs = append(errs, errors.New("api: choose either tls_cert or acme_domains"))
	}
	if (c.ACMEDirectory != "" || c.ACMECAFile != "" || c.ACMEEmail != "") && len(c.ACMEDomains) == 0 {
		errs = append(errs, errors.New("api: acme_directory, acme_ca_file and acme_email need acme_domains"))
	}
	if u, err := url.Parse(c.ACMEDirectory); c.ACMEDirectory != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
		errs = append(errs, fmt.Errorf("api acme_directory %q: want https://HOST/PATH", c.ACMEDirectory))
	}
	if c.Plain && (c.TLSCert != "" || c.ClientCA != "" || len(c.ACMEDomains) > 0) {
		errs = append(errs, errors.New("api: plain goes with no certificates"))
	}
	if len(c.ClientRoles) > 0 && c.ClientCA == "" {
		errs = append(errs, errors.New("api: client_roles need client_ca"))
	}
	_, err := c.options(nil)
	return errors.Join(append(errs, err)...)
}

func (c *apiConfig) options(log *slog.Logger) (access.Options, error) {
	o := access.Options{ClientRoles: map[string]access.Role{}, Log: log}
	var errs []error
	for name, text := range c.ClientRoles {
		role, err := access.ParseRole(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("api client_roles %s: %w", name, err))
		}
		o.ClientRoles[name] = role
	}
	for _, text := range c.Networks {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("api networks: %w", err))
		}
		o.Networks = append(o.Networks, network.Masked())
	}
	return o, errors.Join(errs...)
}

func (c *apiConfig) guard(ctx context.Context, store access.Store, note func(access.Notice), log *slog.Logger) (*access.Guard, error) {
	o, err := c.options(log)
	o.Note = note
	if err != nil {
		return nil, err
	}
	return access.Open(ctx, store, o)
}

// tls is the configuration of the listener, nil for none.
func (c *apiConfig) tls(data string, log *slog.Logger) (*tls.Config, error) {
	if c.Plain {
		return nil, nil
	}
	hosts := append([]string{"localhost", "127.0.0.1", "::1"}, c.TLSHosts...)
	if name, err := os.Hostname(); err == nil {
		hosts = append(hosts, name)
	}
	if host, _, err := net.SplitHostPort(c.Listen); err == nil && host != "" {
		hosts = append(hosts, host)
	}
	config, fingerprint, err := access.TLS{
		CertFile: c.TLSCert, KeyFile: c.TLSKey, ACMEDomains: c.ACMEDomains, ACMEEmail: c.ACMEEmail, ACMEDirectory: c.ACMEDirectory, ACMECAFile: c.ACMECAFile,
		Dir: filepath.Join(data, "tls"), Hosts: hosts, ClientCA: c.ClientCA,
	}.Config(log)
	if err == nil && fingerprint != "" {
		log.Info("the API shows a self-signed certificate", "sha256", fingerprint)
	}
	return config, err
}

// retryAfter is the time between two tries to listen.
const retryAfter = 10 * time.Second

// serve listens once there is a user, and serves until ctx ends. A certificate that
// is not good and an address that is taken keep the API closed until that is mended,
// and never stop the control loop.
func (c *apiConfig) serve(ctx context.Context, guard *access.Guard, data string, handler http.Handler, log *slog.Logger) error {
	var config *tls.Config
	var l net.Listener
	if !untilDone(ctx, log, func() (err error) { config, err = c.tls(data, log); return err }) {
		return nil
	}
	select {
	case <-guard.Populated():
	default:
		log.Warn("the API does not listen yet, because there is no user: scalerctl users add NAME --role admin", "api_listen", c.Listen)
	}
	select {
	case <-guard.Populated():
	case <-ctx.Done():
		return nil
	}
	if !untilDone(ctx, log, func() (err error) { l, err = net.Listen("tcp", c.Listen); return err }) {
		return nil
	}
	log.Info("the API listens", "api_listen", l.Addr().String(), "tls", config != nil)
	if len(c.ACMEDomains) == 0 { // an ACME authority asks from networks of its own, in the handshake
		l = guard.Listener(l)
	}
	l = api.Limit(l) // of those who are let in
	if config != nil {
		l = tls.NewListener(l, config)
	}
	var group errgroup.Group
	serveHTTP(ctx, &group, l, handler, log)
	return group.Wait()
}

// untilDone tries until there is no error, and tells of each new one; it returns false
// when ctx ends before.
func untilDone(ctx context.Context, log *slog.Logger, try func() error) bool {
	told := ""
	for {
		err := try()
		if err == nil {
			return true
		}
		if err.Error() != told {
			log.Error("the API does not listen: mend what is wrong, and it will; the control loop goes on", "error", err)
			told = err.Error()
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(retryAfter):
		}
	}
}
