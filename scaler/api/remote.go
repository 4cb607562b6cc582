package api

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"

	"github.com/scalerd/scalerd/scaler/access"
)

// Remote says where a scalerd listens with TCP, and as whom to use it.
type Remote struct {
	// URL is its base address, such as https://master.example:9443.
	URL string
	// Token is a token's secret. User and Password are in place of it.
	Token, User, Password string
	// CAFile holds the authorities to trust in place of the system's; Fingerprint is
	// the SHA-256 of the one certificate to trust, as scalerd prints it.
	CAFile, Fingerprint string
}

// NewRemote returns a Client of a scalerd that listens with TCP.
func NewRemote(r Remote) (*Client, error) {
	base, err := url.Parse(r.URL)
	if err != nil || base.Host == "" || base.Scheme != "https" && base.Scheme != "http" {
		return nil, fmt.Errorf("server %q: want https://HOST:PORT", r.URL)
	}
	if base.Scheme == "http" && (r.Fingerprint+r.CAFile != "" || !loopback(base.Hostname())) {
		return nil, fmt.Errorf("server %q: use https: without it everybody between could read the token and change the answers", r.URL)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if r.CAFile != "" {
		text, err := os.ReadFile(r.CAFile)
		if err != nil {
			return nil, fmt.Errorf("authorities: %w", err)
		}
		if config.RootCAs = x509.NewCertPool(); !config.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("authorities: %s holds no certificate in PEM form", r.CAFile)
		}
	}
	if r.Fingerprint != "" {
		// The one certificate is known: who signed it, and for what name, is not asked.
		config.InsecureSkipVerify = true
		config.VerifyConnection = func(s tls.ConnectionState) error {
			if got := access.Fingerprint(s.PeerCertificates[0].Raw); !strings.EqualFold(got, r.Fingerprint) {
				return fmt.Errorf("its certificate has the fingerprint %s, and not %s: ask who runs it whether the certificate was changed, or somebody else answers", got, r.Fingerprint)
			}
			return nil
		}
	}
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true, Proxy: http.ProxyFromEnvironment}
	c := &Client{where: r.URL, base: base, http: &http.Client{Transport: transport, CheckRedirect: stay}}
	c.authorize = func(req *http.Request) {
		switch {
		case r.Token != "":
			req.Header.Set("Authorization", "Bearer "+r.Token)
		case r.User != "":
			req.SetBasicAuth(r.User, r.Password)
		}
	}
	return c, nil
}

// stay keeps a token from being sent elsewhere.
func stay(*http.Request, []*http.Request) error {
	return errors.New("scalerd answers no redirects: is this its address?")
}

// loopback tells whether a host is this machine.
func loopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

// untrusted says what to do about a certificate that can't be trusted; it is nil
// where err is something else.
func untrusted(err error) error {
	var (
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
	)
	switch {
	case errors.As(err, &authority):
		return errors.New("its certificate is signed by nobody whom this machine trusts: give the authority with --ca-file, or the fingerprint that scalerd logs at its start with --fingerprint")
	case errors.As(err, &name):
		return fmt.Errorf("its certificate is for another name: %w; use that name, or --fingerprint", name)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Errorf("its certificate is not good now: %s; renew it there, or look at the clock here", invalid.Detail)
	}
	return nil
}
