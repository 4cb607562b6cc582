package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/scalerd/scalerd/scaler/api"
)

// registerRemote adds the flags that say which daemon to use. A token is no flag:
// others could read it from the list of processes.
func (s *settings) registerRemote(flags *pflag.FlagSet) {
	flags.StringVar(&s.remote.URL, "server", os.Getenv("SCALERD_SERVER"), "https://HOST:PORT of a scalerd elsewhere, in place of the socket; $SCALERD_SERVER sets the default, $SCALERD_TOKEN or the file $SCALERD_TOKEN_FILE has the token")
	flags.StringVar(&s.remote.CAFile, "ca-file", os.Getenv("SCALERD_CA_FILE"), "certificate authorities to trust for --server ($SCALERD_CA_FILE)")
	flags.StringVar(&s.remote.Fingerprint, "fingerprint", os.Getenv("SCALERD_FINGERPRINT"), "SHA-256 fingerprint of the certificate to trust for --server, as scalerd prints it ($SCALERD_FINGERPRINT)")
}

// connect makes the client of the socket or of the server; it sends nothing yet.
func (s *settings) connect() error {
	if s.remote.URL == "" {
		s.connected = api.NewClient(s.socket)
		return nil
	}
	s.remote.Token = os.Getenv("SCALERD_TOKEN")
	if file := os.Getenv("SCALERD_TOKEN_FILE"); s.remote.Token == "" && file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("token: %w", err)
		}
		s.remote.Token = strings.TrimSpace(string(text))
	}
	var err error
	if s.connected, err = api.NewRemote(s.remote); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	return nil
}

func (s *settings) client() *api.Client { return s.connected }
