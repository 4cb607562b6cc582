package main

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/scalerd/scalerd/scaler/operation"
)

func scaleCommand(s *settings) *cobra.Command {
	var w waiting
	cmd := &cobra.Command{
		Use:   "scale APPLICATION GROUP NODES",
		Short: "Set the size of a group once; its policies go on from there",
		Args:  usage(cobra.ExactArgs(3)),
		RunE: func(cmd *cobra.Command, args []string) error {
			nodes, err := strconv.Atoi(args[2])
			if err != nil || nodes < 0 {
				return fmt.Errorf("%w: %q is not a number of nodes", errUsage, args[2])
			}
			op, err := s.client().Scale(cmd.Context(), args[0], args[1], nodes)
			if err != nil {
				return err
			}
			return s.carryOut(cmd, w, op)
		},
	}
	w.register(cmd)
	return cmd
}

func dropCommand(s *settings) *cobra.Command {
	var w waiting
	var replace bool
	cmd := &cobra.Command{
		Use:   "drop APPLICATION NODE",
		Short: "Destroy one chosen node, given by its name, identifier or address",
		Args:  usage(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			op, err := s.client().Drop(cmd.Context(), args[0], args[1], replace)
			if err != nil {
				return err
			}
			return s.carryOut(cmd, w, op)
		},
	}
	cmd.Flags().BoolVar(&replace, "replace", false, "create another node in its place")
	w.register(cmd)
	return cmd
}

// carryOut waits for a decision made by hand and shows the result.
func (s *settings) carryOut(cmd *cobra.Command, w waiting, op operation.Operation) error {
	fmt.Fprintf(cmd.ErrOrStderr(), "Decision %d: %s\n", op.Decision.ID, op.Decision.Reasons[0])
	if w.no {
		return nil
	}
	if err := s.follow(cmd, w, op); err != nil {
		return err
	}
	return s.status(cmd, op.Application)
}

// pauseCommand makes pause, or resume where paused is false.
func pauseCommand(s *settings, paused bool) *cobra.Command {
	var group string
	cmd := &cobra.Command{
		Use:   "pause APPLICATION",
		Short: "Stop deciding about an application or one group; its nodes stay",
		Args:  usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := s.client().Pause(cmd.Context(), args[0], group, paused); err != nil {
				return err
			}
			return s.status(cmd, args[0])
		},
	}
	if !paused {
		cmd.Use, cmd.Short = "resume APPLICATION", "Decide again about an application or one group"
	}
	cmd.Flags().StringVar(&group, "group", "", "only this group")
	return cmd
}
