package access

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// authority signs clients' certificates.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t}
	a.cert, a.key = a.sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotAfter: time.Now().Add(time.Hour),
	})
	return a
}

func (a *authority) sign(template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template.SerialNumber, template.NotBefore = big.NewInt(time.Now().UnixNano()), time.Now().Add(-2*time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, key
}

// client is a certificate of that common name, which ends at an instant.
func (a *authority) client(name string, ends time.Time, use x509.ExtKeyUsage) *tls.Certificate {
	cert, key := a.sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: name}, NotAfter: ends,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{use},
	})
	return &tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key}
}

// anna is a Store with one user, and keeps nothing more.
type anna struct{ Store }

func (anna) Users(context.Context) ([]User, error) {
	return []User{{Name: "anna", Role: Admin, Hash: hash("correct horse battery")}}, nil
}

func (anna) Tokens(context.Context) ([]Token, error) { return nil, nil }

// TestClientsWithCertificates connects with certificates of several kinds, and asks who
// the server takes the client for.
func TestClientsWithCertificates(t *testing.T) {
	dir, right, wrong := t.TempDir(), newAuthority(t), newAuthority(t)
	authorities := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(authorities, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: right.cert.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	config, _, err := TLS{Dir: dir, Hosts: []string{"127.0.0.1"}, ClientCA: authorities}.Config(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	guard, err := Open(t.Context(), anna{}, Options{ClientRoles: map[string]Role{"balancer": Viewer, "deployer": Operator}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(guard.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who := Principal(r.Context())
		fmt.Fprintf(w, "%s %s by %s", who.Name, who.Role, who.How)
	})))
	server.TLS = config
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	t.Cleanup(server.Close)
	later := time.Now().Add(time.Hour)
	nobody := "  by "
	for _, tt := range []struct {
		name     string
		cert     *tls.Certificate
		password bool
		want     string // empty: there is no connection
	}{
		{"no certificate", nil, false, nobody},
		{"no certificate, and a password", nil, true, "anna admin by password"},
		{"a certificate with a role", right.client("deployer", later, x509.ExtKeyUsageClientAuth), false, "deployer operator by certificate"},
		{"another one with another role", right.client("balancer", later, x509.ExtKeyUsageClientAuth), false, "balancer viewer by certificate"},
		{"a certificate with a role, and a password", right.client("balancer", later, x509.ExtKeyUsageClientAuth), true, "balancer viewer by certificate"},
		{"a certificate without a role", right.client("someone", later, x509.ExtKeyUsageClientAuth), false, nobody},
		{"a certificate with the name of a user", right.client("anna", later, x509.ExtKeyUsageClientAuth), false, nobody},
		{"a certificate without a role, and a password", right.client("someone", later, x509.ExtKeyUsageClientAuth), true, "anna admin by password"},
		{"another authority's certificate", wrong.client("deployer", later, x509.ExtKeyUsageClientAuth), false, ""},
		{"another authority's certificate, and a password", wrong.client("deployer", later, x509.ExtKeyUsageClientAuth), true, ""},
		{"an expired certificate", right.client("deployer", time.Now().Add(-time.Hour), x509.ExtKeyUsageClientAuth), false, ""},
		{"a server's certificate", right.client("deployer", later, x509.ExtKeyUsageServerAuth), false, ""},
		{"a certificate without its key", &tls.Certificate{Certificate: right.client("deployer", later, x509.ExtKeyUsageClientAuth).Certificate, PrivateKey: wrong.key}, false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			shown := &tls.Config{InsecureSkipVerify: true}
			if tt.cert != nil {
				// As an attacker would: whatever the server says that it takes.
				shown.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return tt.cert, nil }
			}
			client := &http.Client{Transport: &http.Transport{TLSClientConfig: shown, DisableKeepAlives: true}}
			request, err := http.NewRequestWithContext(t.Context(), "GET", server.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			if tt.password {
				request.SetBasicAuth("anna", "correct horse battery")
			}
			res, err := client.Do(request)
			if (err != nil) != (tt.want == "") {
				t.Fatalf("connection: %v, want one: %v", err, tt.want != "")
			}
			if err != nil {
				return
			}
			defer res.Body.Close()
			if body, err := io.ReadAll(res.Body); err != nil || string(body) != tt.want {
				t.Errorf("the server takes it for %q, %v, want %q", body, err, tt.want)
			}
		})
	}
}

func TestAFileWithoutAuthoritiesIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, []byte("none"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{path, path + ".missing"} {
		if _, _, err := (TLS{Dir: t.TempDir(), ClientCA: file}).Config(slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "client authorities") {
			t.Errorf("client authorities in %s: %v, want an error", filepath.Base(file), err)
		}
	}
}
