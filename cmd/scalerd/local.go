package main

import (
	"encoding/json"
	"flag"
	"log/slog"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/scalerd/scalerd/scaler/local"
)

// localCommand is `scalerd local`, which the Terraform of the embedded cloud
// runs.
func localCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "local",
		Short: "Run the nodes and balancers of the embedded cloud as processes of this machine",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(localStartCommand(), localStopCommand(), localRunCommand())
	return cmd
}

func localStartCommand() *cobra.Command {
	var spec local.Spec
	cmd := &cobra.Command{
		Use:   "start --dir DIR --name NAME",
		Short: "Start a process unless it lives, and print its record",
		Long: `Start a node, or with --balancer a balancer, in the background, unless a
process of that name lives, which is adopted as it is. When this returns, the
process listens; its record is printed as JSON.`,
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			record, err := local.Start(ctx, spec)
			if err != nil {
				return err
			}
			out := json.NewEncoder(cmd.OutOrStdout())
			out.SetIndent("", "  ")
			return out.Encode(record)
		},
	}
	specFlags(cmd, &spec)
	return cmd
}

func localRunCommand() *cobra.Command {
	var spec local.Spec
	cmd := &cobra.Command{
		Use:          "run --dir DIR --name NAME",
		Short:        "Be the process that start starts, until SIGTERM",
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			return local.Run(ctx, spec, slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil)))
		},
	}
	specFlags(cmd, &spec)
	return cmd
}

func localStopCommand() *cobra.Command {
	var dir, name string
	cmd := &cobra.Command{
		Use:          "stop --dir DIR --name NAME",
		Short:        "Stop a process if it lives, and remove its files except for its log",
		Args:         cobra.NoArgs,
		SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			return local.Stop(ctx, dir, name)
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "`directory` of the process's files")
	cmd.Flags().StringVar(&name, "name", "", "`name` of the process")
	requirePlace(cmd)
	return cmd
}

func specFlags(cmd *cobra.Command, spec *local.Spec) {
	set := flag.NewFlagSet(cmd.Name(), flag.ContinueOnError)
	spec.Flags(set)
	cmd.Flags().AddGoFlagSet(set)
	requirePlace(cmd)
}

func requirePlace(cmd *cobra.Command) {
	for _, name := range []string{"dir", "name"} {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // the command has no such flag
		}
	}
}
