// Command scalerctl validates, previews, submits and watches applications of a
// scalerd.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/scalerd/scalerd/cmd/manual"
	"github.com/scalerd/scalerd/scaler/api"
	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:]))
}

var (
	// errUsage marks a wrong command line: exit code 64.
	errUsage = errors.New("wrong usage")
	// errChanges is not a failure: plan --detailed-exitcode found changes.
	errChanges = errors.New("there are changes")
)

func run(ctx context.Context, args []string) int {
	root := rootCommand()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var mistakes strictyaml.Mistakes
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errChanges):
		return 2
	case errors.Is(err, errUsage):
		fmt.Fprintf(os.Stderr, "scalerctl: %v\nSee scalerctl --help.\n", err)
		return 64
	case errors.As(err, &mistakes):
		fmt.Fprintln(os.Stderr, err) // file:line:column first, as editors read it
		return 1
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(os.Stderr, "scalerctl: interrupted")
		return 1
	default:
		fmt.Fprintf(os.Stderr, "scalerctl: %v\n", err)
		return 1
	}
}

// settings are the flags that every command has.
type settings struct {
	socket string
	output string
	remote api.Remote
	// connected is the client of the daemon, which nothing was sent to yet.
	connected *api.Client
}

func rootCommand() *cobra.Command {
	var s settings
	root := &cobra.Command{
		Use:           "scalerctl",
		Short:         "Works with the applications of a scalerd",
		Version:       api.Version(),
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          usage(cobra.NoArgs),
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		// Before anything is done, and not when there is a result to show.
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return errors.Join(s.checkOutput(cmd.Name()), s.connect())
		},
	}
	root.PersistentFlags().StringVar(&s.socket, "socket", defaultSocket(), "unix socket of scalerd; $SCALERD_SOCKET sets the default")
	s.registerRemote(root.PersistentFlags())
	root.PersistentFlags().StringVarP(&s.output, "output", "o", "text", "text or json; plan and backtest also know markdown")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return fmt.Errorf("%w: %w", errUsage, err) })
	root.AddGroup(&cobra.Group{ID: "files", Title: "Work on files, without a daemon:"}, &cobra.Group{ID: "daemon", Title: "Work with the daemon:"})
	for _, c := range []*cobra.Command{validateCommand(), generateCommand(), planCommand(&s), convertCommand(), backtestCommand(&s), schemaCommand(), ruleCommand(&s)} {
		c.GroupID = "files"
		root.AddCommand(c)
	}
	for _, c := range []*cobra.Command{
		applyCommand(&s), statusCommand(&s), nodesCommand(&s), orphansCommand(&s), driftCommand(&s), decisionsCommand(&s), explainCommand(&s), whatIfCommand(&s), compareCommand(&s),
		scaleCommand(&s), dropCommand(&s), pauseCommand(&s, true), pauseCommand(&s, false), destroyCommand(&s),
		adviceCommand(&s), knowledgeCommand(&s), reportCommand(&s), usersCommand(&s), tokensCommand(&s), auditCommand(&s), credentialsCommand(&s),
		journalCommand(&s),
	} {
		c.GroupID = "daemon"
		root.AddCommand(c)
	}
	root.AddCommand(manual.Command(1))
	return root
}

// usage turns a wrong number of arguments into a usage error.
func usage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return fmt.Errorf("%w: %s: %w", errUsage, cmd.UseLine(), err)
		}
		return nil
	}
}

func defaultSocket() string {
	if socket := os.Getenv("SCALERD_SOCKET"); socket != "" {
		return socket
	}
	return "/var/lib/scalerd/scalerd.sock"
}

// checkOutput refuses an output that the command can't write.
func (s *settings) checkOutput(command string) error {
	knowsMarkdown := command == "plan" || command == "backtest"
	switch {
	case s.output == "text", s.output == "json", s.output == "markdown" && knowsMarkdown, command == "report":
		return nil
	case knowsMarkdown:
		return fmt.Errorf("%w: output %q: use text, json or markdown", errUsage, s.output)
	default:
		return fmt.Errorf("%w: output %q: use text or json", errUsage, s.output)
	}
}

// show writes a result: as JSON, or as text by the given function.
func (s *settings) show(w io.Writer, result any, text func(io.Writer) error) error {
	if s.output != "json" {
		return text(w)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(result)
}
