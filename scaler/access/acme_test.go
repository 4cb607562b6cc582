package access

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"
)

// acmeAuthority is Let's Encrypt's own test authority in this process: it validates by
// TLS-ALPN on the port of a listener, to which its name server leads every name.
type acmeAuthority struct {
	*httptest.Server
	roots  *x509.CertPool
	orders atomic.Int32
}

func newACME(t *testing.T, port int) *acmeAuthority {
	t.Helper()
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	names, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	resolver := &dns.Server{Listener: names, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, asked *dns.Msg) {
		answer := new(dns.Msg).SetReply(asked)
		for _, q := range asked.Question {
			if q.Qtype == dns.TypeA {
				answer.Answer = append(answer.Answer, &dns.A{Hdr: dns.RR_Header{Name: q.Name, Rrtype: dns.TypeA, Class: dns.ClassINET}, A: net.IPv4(127, 0, 0, 1)})
			}
		}
		_ = w.WriteMsg(answer)
	})}
	ended := make(chan error, 1)
	go func() { ended <- resolver.ActivateAndServe() }()
	t.Cleanup(func() {
		names.Close()
		if err := <-ended; err != nil && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
	quiet, store := log.New(t.Output(), "", 0), db.NewMemoryStore()
	authority := ca.New(quiet, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {Description: "the default"}})
	front := wfe.New(quiet, store, va.New(quiet, 0, port, true, names.Addr().String(), store), authority, []string{"pebble.example"}, true, false, 0, 0)
	a := &acmeAuthority{roots: x509.NewCertPool()}
	handler := front.Handler()
	a.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "order") && !strings.Contains(r.URL.Path, "my-order") {
			a.orders.Add(1)
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(a.Close)
	a.roots.AddCert(authority.GetRootCert(0).Cert)
	return a
}

// shown is the certificate that a listener shows to who asks for a name.
func shown(address, name string, roots *x509.CertPool) (*x509.Certificate, error) {
	conn, err := tls.Dial("tcp", address, &tls.Config{ServerName: name, RootCAs: roots})
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0], nil
}

func TestACertificateComesFromAnACMEAuthority(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	authority := newACME(t, l.Addr().(*net.TCPAddr).Port)
	dir := t.TempDir()
	trusted := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(trusted, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	settings := TLS{Dir: dir, ACMEDomains: []string{"scalerd.example"}, ACMEEmail: "ops@scalerd.example", ACMEDirectory: authority.URL + wfe.DirectoryPath, ACMECAFile: trusted}
	serve := func(l net.Listener) *httptest.Server {
		config, fingerprint, err := settings.Config(slog.New(slog.DiscardHandler))
		if err != nil || fingerprint != "" {
			t.Fatalf("Config() = %q, %v, want no fingerprint: the certificate will change", fingerprint, err)
		}
		server := httptest.NewUnstartedServer(http.NotFoundHandler())
		server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
		server.Listener.Close()
		server.Listener = tls.NewListener(l, config)
		server.Start()
		t.Cleanup(server.Close)
		return server
	}
	first := serve(l)

	for _, name := range []string{"evil.example", "www.scalerd.example", ""} {
		if _, err := shown(l.Addr().String(), name, authority.roots); err == nil {
			t.Errorf("a certificate is shown for the name %q, which is not ours", name)
		}
	}
	if n := authority.orders.Load(); n != 0 {
		t.Errorf("the authority got %d orders for names that are not ours, want none", n)
	}
	made, err := shown(l.Addr().String(), "scalerd.example", authority.roots)
	if err != nil {
		t.Fatal(err)
	}
	if err := made.VerifyHostname("scalerd.example"); err != nil {
		t.Error(err)
	}
	ordered := authority.orders.Load()
	if ordered == 0 {
		t.Error("there was no order, so where does the certificate come from?")
	}
	cache := filepath.Join(dir, "acme")
	if info, err := os.Stat(cache); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder of the keys: %v, %v, want mode 0700", info.Mode(), err)
	}
	kept, err := os.ReadDir(cache)
	if err != nil || len(kept) < 2 {
		t.Fatalf("kept %v, %v, want the account's key and the certificate", kept, err)
	}
	for _, file := range kept {
		if info, err := file.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v, want mode 0600", file.Name(), info.Mode(), err)
		}
	}

	// After a restart the same certificate is shown, also while the authority is away.
	first.Close()
	authority.Close()
	again, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serve(again)
	if kept, err := shown(again.Addr().String(), "scalerd.example", authority.roots); err != nil || !kept.Equal(made) {
		t.Errorf("after a restart = %v, want the same certificate", err)
	}
}
