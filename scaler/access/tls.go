package access

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/google/renameio/v2"
	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// TLS says which certificate a listener shows: that of the files, one from an ACME
// authority for the domains, or one that is made and signed by itself in Dir.
type TLS struct {
	CertFile, KeyFile string
	// ACMEDomains are the names to ask for a certificate of; ACMEEmail is whom the
	// authority may write to. The listener must be reached from it on port 443.
	ACMEDomains []string
	ACMEEmail   string
	// ACMEDirectory is the authority's directory; empty is Let's Encrypt's. ACMECAFile
	// has the authorities of the directory's own certificate, in place of the system's.
	ACMEDirectory string
	ACMECAFile    string
	// Dir is the folder for what is made.
	Dir string
	// Hosts are the names and addresses of a certificate that is made.
	Hosts []string
	// ClientCA is a file with the authorities whose clients' certificates are taken.
	ClientCA string
}

// Config is the configuration for a listener, and the SHA-256 fingerprint of the
// certificate where it is one that was made.
func (t TLS) Config(log *slog.Logger) (config *tls.Config, fingerprint string, err error) {
	switch {
	case len(t.ACMEDomains) > 0:
		client, err := t.acmeClient()
		if err != nil {
			return nil, "", err
		}
		manager := &autocert.Manager{
			Prompt: autocert.AcceptTOS, Email: t.ACMEEmail, HostPolicy: autocert.HostWhitelist(t.ACMEDomains...),
			Cache: autocert.DirCache(filepath.Join(t.Dir, "acme")), Client: client,
		}
		config = manager.TLSConfig()
		config.NextProtos = []string{acme.ALPNProto}
	case t.CertFile != "":
		files := &certificate{certFile: t.CertFile, keyFile: t.KeyFile, log: log}
		if err := files.load(time.Now()); err != nil {
			return nil, "", err
		}
		config = &tls.Config{GetCertificate: files.get}
	default:
		own, err := selfSigned(t.Dir, t.Hosts, time.Now())
		if err != nil {
			return nil, "", err
		}
		config, fingerprint = &tls.Config{Certificates: []tls.Certificate{own}}, Fingerprint(own.Certificate[0])
	}
	config.MinVersion = tls.VersionTLS12
	// One request at a time on a connection: who bounds connections bounds requests.
	config.NextProtos = append(config.NextProtos, "http/1.1")
	if t.ClientCA != "" {
		config.ClientAuth = tls.VerifyClientCertIfGiven
		if config.ClientCAs, err = Authorities(t.ClientCA); err != nil {
			return nil, "", fmt.Errorf("client authorities: %w", err)
		}
	}
	return config, fingerprint, nil
}

// acmeClient talks to the ACME authority.
func (t TLS) acmeClient() (*acme.Client, error) {
	client := &acme.Client{DirectoryURL: cmp.Or(t.ACMEDirectory, autocert.DefaultACMEDirectory)}
	if t.ACMECAFile != "" {
		pool, err := Authorities(t.ACMECAFile)
		if err != nil {
			return nil, fmt.Errorf("authorities of the ACME directory: %w", err)
		}
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
		client.HTTPClient = &http.Client{Transport: transport, Timeout: time.Minute}
	}
	return client, nil
}

// Authorities are the certificates of a file in PEM form.
func Authorities(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate in PEM form", file)
	}
	return pool, nil
}

// Fingerprint is the SHA-256 of a certificate as openssl prints it.
func Fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	pairs := make([]string, len(sum))
	for i, b := range sum {
		pairs[i] = strings.ToUpper(hex.EncodeToString([]byte{b}))
	}
	return strings.Join(pairs, ":")
}

// certificate is one in files, which is read again when they changed.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger

	mu     sync.Mutex
	loaded *tls.Certificate
	stamp  string
}

// load reads the files; the lock is held, or nobody else has it yet.
func (c *certificate) load(now time.Time) error {
	stamp := c.stamps() // before the reading: what is replaced meanwhile is read again
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("certificate %s with key %s: %w", c.certFile, c.keyFile, err)
	}
	if now.After(pair.Leaf.NotAfter) {
		return fmt.Errorf("certificate %s expired on %s: renew it", c.certFile, pair.Leaf.NotAfter.Format(time.RFC3339))
	}
	c.loaded, c.stamp = &pair, stamp
	return nil
}

// stamps change when the files do.
func (c *certificate) stamps() string {
	var b strings.Builder
	for _, path := range []string{c.certFile, c.keyFile} {
		if info, err := os.Stat(path); err == nil {
			fmt.Fprintf(&b, "%d %d ", info.ModTime().UnixNano(), info.Size())
		}
	}
	return b.String()
}

// get is the certificate as the files have it now. While they are wrong, such as
// half replaced, the one before is shown.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.stamps(); now != c.stamp {
		if err := c.load(time.Now()); err != nil {
			c.log.Error("new certificate can't be used, the one before stays", "error", err)
			c.stamp = now
		} else {
			c.log.Info("certificate read again", "file", c.certFile, "until", c.loaded.Leaf.NotAfter)
		}
	}
	return c.loaded, nil
}

// selfSignedFor is how long a certificate that is made is good; who pinned its
// fingerprint does so for as long.
const selfSignedFor = 10 * 365 * 24 * time.Hour

// selfSigned is the certificate in the folder, which is made where there is none, or
// none that is good for a month more.
func selfSigned(dir string, hosts []string, now time.Time) (tls.Certificate, error) {
	certFile, keyFile := filepath.Join(dir, "self-signed.crt"), filepath.Join(dir, "self-signed.key")
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err == nil && now.AddDate(0, 1, 0).Before(pair.Leaf.NotAfter) {
		return pair, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return pair, fmt.Errorf("self-signed certificate: %w; remove %s and its key, and another one is made", err, certFile)
	}
	cert, key, err := makeCertificate(hosts, now)
	if err != nil {
		return pair, fmt.Errorf("make certificate: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return pair, fmt.Errorf("folder for certificate: %w", err)
	}
	// The key first: a certificate without its key would be an error for ever.
	if err := errors.Join(renameio.WriteFile(keyFile, key, 0o600), renameio.WriteFile(certFile, cert, 0o644)); err != nil {
		return pair, fmt.Errorf("write certificate: %w", err)
	}
	return tls.X509KeyPair(cert, key)
}

func makeCertificate(hosts []string, now time.Time) (cert, key []byte, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 126))
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "scalerd"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(selfSignedFor),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true,
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return nil, nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), nil
}
