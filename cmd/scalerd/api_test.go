package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheAPIIsNeverOpenByMistake(t *testing.T) {
	for _, tt := range []struct {
		name string
		c    apiConfig
		says string // empty: it is taken
	}{
		{"no address", apiConfig{}, ""},
		{"every address, with TLS", apiConfig{Listen: ":9443"}, ""},
		{"every address, without TLS", apiConfig{Listen: ":9443", Plain: true}, "only loopback"},
		{"another machine's address, without TLS", apiConfig{Listen: "10.0.0.1:9443", Plain: true}, "only loopback"},
		{"a loopback address, without TLS", apiConfig{Listen: "127.0.0.1:9443", Plain: true}, ""},
		{"no port", apiConfig{Listen: "localhost"}, "host:port"},
		{"a certificate without its key", apiConfig{Listen: ":9443", TLSCert: "c"}, "together"},
		{"two kinds of certificates", apiConfig{TLSCert: "c", TLSKey: "k", ACMEDomains: []string{"a"}}, "either"},
		{"an authority without names", apiConfig{ACMEDirectory: "https://ca.internal/directory"}, "need acme_domains"},
		{"an authority without TLS", apiConfig{ACMEDomains: []string{"a"}, ACMEDirectory: "http://ca.internal/directory"}, "want https"},
		{"another authority", apiConfig{ACMEDomains: []string{"a"}, ACMEDirectory: "https://ca.internal/directory"}, ""},
		{"roles without authorities", apiConfig{ClientRoles: map[string]string{"a": "viewer"}}, "client_ca"},
		{"an unknown role", apiConfig{ClientCA: "ca", ClientRoles: map[string]string{"a": "root"}}, `role "root"`},
		{"a network that is none", apiConfig{Networks: []string{"10.0.0.0"}}, "networks"},
	} {
		err := tt.c.check()
		if tt.says == "" && err != nil || tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.says)
		}
	}
}

func TestTheAPIWaitsForWhatIsMended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log := slog.New(slog.NewTextHandler(&out, nil))
		tries := 0
		done := untilDone(t.Context(), log, func() error {
			if tries++; tries < 4 {
				return errors.New("certificate c.pem expired")
			}
			return nil
		})
		if !done || tries != 4 {
			t.Errorf("untilDone() = %t after %d tries, want true after 4", done, tries)
		}
		if n := strings.Count(out.String(), "c.pem expired"); n != 1 {
			t.Errorf("the same mistake is told %d times, want once:\n%s", n, &out)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if untilDone(ctx, log, func() error { return errors.New("never") }) {
			t.Error("untilDone() = true of what is never mended")
		}
	})
}
