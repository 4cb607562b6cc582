package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/scalerd/scalerd/scaler/audit"
)

func auditCommand(s *settings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Show and verify the log of who did what",
		Args:  usage(cobra.NoArgs),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(auditTailCommand(s), auditVerifyCommand(s))
	return cmd
}

func auditTailCommand(s *settings) *cobra.Command {
	var file, who, action string
	var limit int
	cmd := &cobra.Command{
		Use:   "tail",
		Short: "Show the newest entries of the audit log, the newest last",
		Args:  usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 1 {
				return fmt.Errorf("%w: --limit %d: want at least 1", errUsage, limit)
			}
			var entries []audit.Entry
			var err error
			if file != "" {
				entries, _, err = audit.Before(filepath.Dir(file), 0, limit, func(e audit.Entry) bool {
					return (who == "" || e.Who == who) && (action == "" || e.Action == action)
				})
			} else {
				entries, err = s.client().Audit(cmd.Context(), limit, who, action)
			}
			if err != nil {
				return err
			}
			slices.Reverse(entries)
			return s.show(cmd.OutOrStdout(), entries, func(w io.Writer) error {
				rows := [][]string{{"ENTRY", "TIME", "WHO", "HOW", "FROM", "ACTION", "TARGET", "RESULT", "DETAIL"}}
				for _, e := range entries {
					rows = append(rows, []string{strconv.FormatInt(e.Seq, 10), e.Time.Local().Format(time.DateTime), printable(e.Who), e.How, e.From, printable(e.Action), printable(e.Target), e.Result, printable(e.Detail)})
				}
				return columns(w, rows)
			})
		},
	}
	cmd.Flags().StringVar(&file, "file", "", "read this audit.log, without a daemon")
	cmd.Flags().StringVar(&who, "who", "", "only of this user or token")
	cmd.Flags().StringVar(&action, "action", "", "only of this operation, such as scale-group")
	cmd.Flags().IntVarP(&limit, "limit", "n", 20, "most entries")
	return cmd
}

// printable keeps what others typed from controlling the terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
}

// errAudit is what a log that was changed comes to: exit code 1.
var errAudit = errors.New("the audit log is not as it was written")

func auditVerifyCommand(s *settings) *cobra.Command {
	var file, head string
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Check that no entry of the audit log was changed, removed or moved",
		Long: "Checks the whole chain and prints its head. Keep the head on another machine: with\n" +
			"--head, a log that somebody made anew is found too.",
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			known, err := parseHead(head)
			if err != nil {
				return err
			}
			var report audit.Verification
			if file != "" {
				report, err = audit.Verify(filepath.Dir(file), known)
			} else {
				report, err = s.client().VerifyAudit(cmd.Context(), known)
			}
			if err != nil {
				return err
			}
			err = s.show(cmd.OutOrStdout(), report, func(w io.Writer) error {
				for _, note := range report.Notes {
					fmt.Fprintln(cmd.ErrOrStderr(), "note:", note)
				}
				if report.Problem != "" {
					return nil
				}
				_, err := fmt.Fprintf(w, "%d entries are as they were written; head %d:%s\n", report.Entries, report.Head.Seq, report.Head.Hash)
				return err
			})
			if err == nil && report.Problem != "" {
				return fmt.Errorf("%w: %s", errAudit, report.Problem)
			}
			return err
		},
	}
	cmd.Flags().StringVar(&file, "file", "", "check this audit.log and what lies beside it, without a daemon")
	cmd.Flags().StringVar(&head, "head", "", "NUMBER:HASH as an earlier verify printed it, which has to be in the log")
	return cmd
}

func parseHead(text string) (audit.Head, error) {
	if text == "" {
		return audit.Head{}, nil
	}
	number, hash, _ := strings.Cut(text, ":")
	seq, err := strconv.ParseInt(number, 10, 64)
	if err != nil || len(hash) != 64 {
		return audit.Head{}, fmt.Errorf("%w: --head %s: want NUMBER:HASH, as verify prints it", errUsage, text)
	}
	return audit.Head{Seq: seq, Hash: hash}, nil
}
