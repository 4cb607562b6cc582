//go:build unix

package access

import (
	"bytes"
	"crypto/tls"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestACertificateThatIsRenewedWhileItIsReadIsReadAgain has the key in a pipe, so that
// the files are replaced between the reading of the certificate and that of its key.
func TestACertificateThatIsRenewedWhileItIsReadIsReadAgain(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	files := &certificate{certFile: filepath.Join(dir, "c"), keyFile: filepath.Join(dir, "k"), log: slog.New(slog.DiscardHandler)}
	oldCert, oldKey, err := makeCertificate([]string{"localhost"}, now)
	if err != nil {
		t.Fatal(err)
	}
	newCert, newKey, err := makeCertificate([]string{"localhost"}, now)
	if err != nil {
		t.Fatal(err)
	}
	put := func(path string, text []byte) {
		t.Helper()
		if err := os.WriteFile(path+".new", text, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	put(files.certFile, oldCert)
	if err := syscall.Mkfifo(files.keyFile, 0o600); err != nil {
		t.Skipf("there are no pipes here: %v", err)
	}
	loaded := make(chan error, 1)
	go func() { loaded <- files.load(now) }()
	pipe, err := os.OpenFile(files.keyFile, os.O_WRONLY, 0) // once the certificate was read
	if err != nil {
		t.Fatal(err)
	}
	put(files.certFile, newCert)
	put(files.keyFile, newKey)
	if _, err := pipe.Write(oldKey); err != nil {
		t.Fatal(err)
	}
	if err := pipe.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-loaded; err != nil {
		t.Fatal(err)
	}
	shown, err := files.get(nil)
	if err != nil {
		t.Fatal(err)
	}
	want, err := tls.X509KeyPair(newCert, newKey)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(shown.Certificate[0], want.Certificate[0]) {
		t.Error("the certificate that was renewed meanwhile is never shown")
	}
}
