package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/scalerd/scalerd/examples"
	"github.com/scalerd/scalerd/scaler/demo"
)

// demoCommand is `scalerd demo`.
func demoCommand() *cobra.Command {
	var file string
	var o demo.Options
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show scalerd at work within three minutes, with real load on this machine",
		Long: `Run a daemon on a temporary folder with two node groups whose nodes are
processes of this machine, send them load, show what is decided and why, and
end with a table. Ctrl-C stops everything at any moment and leaves nothing.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if o.Executable, err = os.Executable(); err != nil {
				return fmt.Errorf("own binary: %w", err)
			}
			if o.File, o.Text, err = demoDescription(file); err != nil {
				return err
			}
			o.Out = os.Stdout
			if _, _, ok := terminal(os.Stdout); ok {
				o.Color = os.Getenv("NO_COLOR") == ""
				o.Size = func() (columns, rows int) {
					columns, rows, _ = terminal(os.Stdout)
					return columns, rows
				}
			}
			ctx, hurry, done := demoSignals(cmd.Context())
			defer done()
			o.Hurry = hurry
			return demo.Run(ctx, o)
		},
	}
	cmd.Flags().StringVar(&file, "file", "", "description to show instead of the built-in one (examples/local/shop.yaml)")
	cmd.Flags().StringVar(&o.Trace, "trace", "", "CSV `file` with the load: t_seconds,requests_per_second; .gz too")
	cmd.Flags().DurationVar(&o.Duration, "duration", 140*time.Second, "length of the load")
	cmd.Flags().DurationVar(&o.Limit, "limit", 500*time.Millisecond, "latency that 95 % of the requests should keep")
	cmd.Flags().Uint64Var(&o.Seed, "seed", 1, "seed of the arrivals")
	cmd.Flags().StringVar(&o.Terraform, "terraform", "", "terraform binary (default: on PATH, else fetched)")
	return cmd
}

func demoDescription(file string) (name string, text []byte, err error) {
	if file == "" {
		text, err = examples.Files.ReadFile("local/shop.yaml")
		return "examples/local/shop.yaml", text, err
	}
	if text, err = os.ReadFile(file); err != nil {
		return "", nil, fmt.Errorf("read description: %w", err)
	}
	return file, text, nil
}

// demoSignals ends ctx at the first signal and hurry at the second; later ones
// change nothing. No signal kills the process before it has stopped what it
// started, until done is called.
func demoSignals(parent context.Context) (ctx context.Context, hurry <-chan struct{}, done func()) {
	ctx, cancel := context.WithCancel(parent)
	signals, second := make(chan os.Signal, 2), make(chan struct{})
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	// While somebody is notified of it, a closed stdout is an error of the write
	// and not the death of the process. Nobody reads the channel, since broken
	// connections send this signal too.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for _, act := range []func(){cancel, func() { close(second) }} {
			select {
			case <-signals:
				act()
			case <-quit:
				return
			}
		}
	}()
	return ctx, second, func() {
		signal.Stop(signals)
		close(quit)
		<-ended
		cancel()
	}
}

// terminal is the size of the terminal that the file is, if it is one.
func terminal(file *os.File) (columns, rows int, ok bool) {
	size, err := unix.IoctlGetWinsize(int(file.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0, 0, false
	}
	if size.Col == 0 || size.Row == 0 {
		return 80, 24, true // a terminal that does not know
	}
	return int(size.Col), int(size.Row), true
}
