package access

import (
	"crypto/tls"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAHashMatchesItsPasswordOnly(t *testing.T) {
	hashed := hash("correct horse battery")
	if !strings.HasPrefix(hashed, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("hash = %s, want argon2id with 19 MiB and two passes", hashed)
	}
	for password, want := range map[string]bool{"correct horse battery": true, "correct horse batterz": false, "": false} {
		if got := matches(password, hashed); got != want {
			t.Errorf("matches(%q) = %v, want %v", password, got, want)
		}
	}
	for _, broken := range []string{"", "$argon2id$", "$argon2id$v=19$m=0,t=0,p=0$AAAA$AAAA", strings.Replace(hashed, "argon2id", "argon2i", 1), hashed[:len(hashed)-44]} {
		if matches("correct horse battery", broken) {
			t.Errorf("a password matches %q", broken)
		}
	}
	if hash("correct horse battery") == hashed {
		t.Error("two hashes of one password are equal: there is no salt")
	}
}

func TestFailuresLockForLongerAndLonger(t *testing.T) {
	l, now := newLockout(), time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	for range freeTries - 1 {
		l.failed("anna", "a", now)
	}
	if wait := l.wait("anna", "a", now); wait != 0 {
		t.Errorf("wait after %d failures = %s, want none", freeTries-1, wait)
	}
	for i, want := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second} {
		l.failed("anna", "a", now)
		if wait := l.wait("anna", "a", now); wait != want {
			t.Errorf("wait after %d failures = %s, want %s", freeTries+i, wait, want)
		}
	}
	if wait := l.wait("anna", "b", now); wait != 0 {
		t.Errorf("wait from another address = %s, want none: an attacker must not lock others out", wait)
	}
	if wait := l.wait("anna", "a", now.Add(2*forgetAfter)); wait != 0 {
		t.Errorf("wait long after = %s, want none", wait)
	}
	for range 100 {
		l.failed("anna", "a", now)
	}
	if wait := l.wait("anna", "a", now); wait != longestLock {
		t.Errorf("longest wait = %s, want %s", wait, longestLock)
	}
	l.succeeded("anna", "a")
	if wait := l.wait("anna", "a", now); wait == 0 {
		t.Error("an address with many failures is not locked after one success")
	}
}

func TestFailuresAreBoundedAndCountByNetwork(t *testing.T) {
	l, now := newLockout(), time.Now()
	for i := range 2 * keptFailures {
		l.failed("anna", time.Unix(int64(i), 0).String(), now)
	}
	if n := len(l.byKey); n > keptFailures || n != l.order.Len() {
		t.Errorf("%d failures are kept, in an order of %d, want at most %d", n, l.order.Len(), keptFailures)
	}
	for address, want := range map[string]string{"10.0.0.1": "10.0.0.1", "::ffff:10.0.0.1": "10.0.0.1", "2001:db8:1:2:3::4": "2001:db8:1:2::/64", "@": "@"} {
		if got := network(address); got != want {
			t.Errorf("network(%s) = %s, want %s", address, got, want)
		}
	}
}

func TestSessionsEnd(t *testing.T) {
	s, now := newSessions(), time.Now()
	secret := s.begin(Identity{Name: "anna"}, "hash", sessionLife, now)
	for at, want := range map[time.Duration]bool{sessionIdle - time.Minute: true, sessionIdle * 3: false} {
		other := newSessions()
		kept := other.begin(Identity{Name: "anna"}, "hash", sessionLife, now)
		if _, ok := other.find(kept, now.Add(at)); ok != want {
			t.Errorf("session after %s = %v, want %v", at, ok, want)
		}
	}
	for at := time.Duration(0); at < sessionLife; at += time.Hour {
		if _, ok := s.find(secret, now.Add(at)); !ok {
			t.Fatalf("a used session is over after %s", at)
		}
	}
	if _, ok := s.find(secret, now.Add(sessionLife+time.Minute)); ok {
		t.Error("a used session never ends")
	}
	for range keptSessions + 10 {
		s.begin(Identity{}, "", sessionLife, now)
	}
	if n := s.order.Len(); n != keptSessions || len(s.byDigest) != n {
		t.Errorf("%d sessions, want %d", n, keptSessions)
	}
}

func TestACertificateIsMadeOnceAndReadAgainWhenItChanged(t *testing.T) {
	dir, log := t.TempDir(), slog.New(slog.DiscardHandler)
	_, first, err := TLS{Dir: dir, Hosts: []string{"localhost", "127.0.0.1"}}.Config(log)
	if err != nil {
		t.Fatal(err)
	}
	config, again, err := TLS{Dir: dir}.Config(log)
	if err != nil || again != first || len(first) != 95 {
		t.Errorf("fingerprints %q, then %q, %v, want the same", first, again, err)
	}
	if err := config.Certificates[0].Leaf.VerifyHostname("localhost"); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(filepath.Join(dir, "self-signed.key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key: %v, %v, want mode 0600", info.Mode(), err)
	}
	write := func(at time.Time) (certFile, keyFile string) {
		cert, key, err := makeCertificate([]string{"localhost"}, at)
		if err != nil {
			t.Fatal(err)
		}
		certFile, keyFile = filepath.Join(dir, "c"), filepath.Join(dir, "k")
		for path, text := range map[string][]byte{certFile: cert, keyFile: key} {
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return certFile, keyFile
	}
	now := time.Now()
	certFile, keyFile := write(now.Add(-2 * selfSignedFor))
	if _, _, err := (TLS{CertFile: certFile, KeyFile: keyFile}).Config(log); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("an expired certificate: %v, want to hear that", err)
	}
	write(now)
	config, _, err = TLS{CertFile: certFile, KeyFile: keyFile}.Config(log)
	if err != nil {
		t.Fatal(err)
	}
	shown := func() string {
		c, err := config.GetCertificate(&tls.ClientHelloInfo{})
		if err != nil {
			t.Fatal(err)
		}
		return Fingerprint(c.Certificate[0])
	}
	before := shown()
	if err := os.WriteFile(certFile, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if shown() != before {
		t.Error("a broken certificate took the place of a good one")
	}
	write(now)
	if shown() == before {
		t.Error("the new certificate is not shown")
	}
}
