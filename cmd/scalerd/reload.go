package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"reflect"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/scalerd/scalerd/scaler/access/oidc"
)

// liveConfig is the configuration of a running daemon. Most of it stays as it was at
// the start; what can change is read through it.
type liveConfig struct {
	level   slog.LevelVar
	current atomic.Pointer[config]
}

func newLiveConfig(c config) (*liveConfig, error) {
	l := &liveConfig{}
	return l, l.set(c)
}

func (l *liveConfig) set(c config) error {
	level, err := c.level()
	if err != nil {
		return err
	}
	l.level.Set(level)
	l.current.Store(&c)
	return nil
}

// credentials is the path of the credentials file now.
func (l *liveConfig) credentials() string { return l.current.Load().Credentials }

// watchSignals reads the configuration again at each SIGHUP until ctx ends. All
// state stays; a configuration with a mistake changes nothing.
func (l *liveConfig) watchSignals(ctx context.Context, reread func() (config, error), log *slog.Logger) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangups:
		}
		reloading(log)
		if err := l.reload(reread, log); err != nil {
			log.Error("the configuration was not read again; the old one goes on", "error", err)
		}
		ready(log)
	}
}

func (l *liveConfig) reload(reread func() (config, error), log *slog.Logger) error {
	c, err := reread()
	if err != nil {
		return err
	}
	before := *l.current.Load()
	next := before
	next.LogLevel, next.Credentials = c.LogLevel, c.Credentials
	if err := l.set(next); err != nil {
		return err
	}
	log.Info("configuration read again", "log_level", c.LogLevel, "credentials", c.Credentials)
	if keys := differences(next, c); len(keys) > 0 {
		log.Warn("these keys changed and need a restart", "keys", strings.Join(keys, ", "))
	}
	return nil
}

// differences are the keys in which two configurations differ.
func differences(a, b config) []string {
	var keys []string
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range x.NumField() {
		if !reflect.DeepEqual(x.Field(i).Interface(), y.Field(i).Interface()) {
			key, _, _ := strings.Cut(x.Type().Field(i).Tag.Get("yaml"), ",")
			keys = append(keys, key)
		}
	}
	return keys
}

// checkConfigCommand says what is wrong with a configuration, and changes nothing.
func checkConfigCommand() *cobra.Command {
	var flags flags
	cmd := &cobra.Command{
		Use:   "check-config",
		Short: "Check the configuration file and flags, and start nothing",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := flags.config(cmd.Flags())
			if err != nil {
				return err
			}
			if c.Credentials != "" {
				if _, err := os.Stat(c.Credentials); err != nil {
					return fmt.Errorf("credentials: %w", err)
				}
			}
			if _, err := c.priceList(); err != nil {
				return err
			}
			if _, err := c.OIDC.provider(nil, slog.New(slog.DiscardHandler)); err != nil {
				return fmt.Errorf("oidc: %w", err)
			}
			if _, err := oidc.ReadSecret(c.OIDC.ClientSecretFile); err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), "the configuration is valid")
			return err
		},
	}
	flags.register(cmd.Flags())
	return cmd
}
