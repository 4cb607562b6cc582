// Command scalerd is the daemon: it keeps the node groups of its applications at
// the right size.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/scalerd/scalerd/cmd/manual"
	"github.com/scalerd/scalerd/scaler/api"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	// After the first signal the next one kills: terraform may take minutes.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:]))
}

// errUsage marks a wrong command line.
var errUsage = errors.New("wrong usage")

func run(ctx context.Context, args []string) int {
	root := rootCommand()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errUsage):
		fmt.Fprintf(os.Stderr, "scalerd: %v\nSee scalerd --help.\n", err)
		return 64
	default:
		fmt.Fprintf(os.Stderr, "scalerd: %v\n", err)
		return 1
	}
}

func rootCommand() *cobra.Command {
	var flags flags
	root := &cobra.Command{
		Use:   "scalerd",
		Short: "Keeps fleets of virtual machines at the right size with Terraform",
		Long: "scalerd runs in the foreground, as systemd wants it, until SIGINT or SIGTERM.\n" +
			"Talk to it with scalerctl.",
		Args:          noArgs,
		Version:       api.Version(),
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := flags.config(cmd.Flags())
			if err != nil {
				return err
			}
			reread := func() (config, error) { return flags.config(cmd.Flags()) }
			return serve(cmd.Context(), c, reread, cmd.ErrOrStderr())
		},
	}
	flags.register(root.Flags())
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return fmt.Errorf("%w: %w", errUsage, err) })
	root.AddCommand(localCommand())
	root.AddCommand(demoCommand())
	root.AddCommand(checkConfigCommand())
	root.AddCommand(manual.Command(8))
	return root
}

func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%w: %q is not a command of %s", errUsage, args[0], cmd.CommandPath())
	}
	return nil
}
