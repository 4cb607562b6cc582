// Package manual writes a command's man pages.
package manual

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// Command is the hidden subcommand "man DIR", which writes a man page of the given
// section for the root command and each of its subcommands. SOURCE_DATE_EPOCH, in
// seconds since 1970, sets the pages' date, so that the same source gives the same
// bytes.
func Command(section int) *cobra.Command {
	return &cobra.Command{
		Use:    "man DIR",
		Short:  "Write man pages",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			date := time.Unix(0, 0).UTC()
			if epoch := os.Getenv("SOURCE_DATE_EPOCH"); epoch != "" {
				seconds, err := strconv.ParseInt(epoch, 10, 64)
				if err != nil {
					return fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
				}
				date = time.Unix(seconds, 0).UTC()
			}
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return fmt.Errorf("folder of the man pages: %w", err)
			}
			root := cmd.Root()
			root.DisableAutoGenTag = true
			header := &doc.GenManHeader{Section: strconv.Itoa(section), Source: root.Name() + " " + root.Version, Manual: "scalerd", Date: &date}
			if err := doc.GenManTree(root, header, args[0]); err != nil {
				return fmt.Errorf("write man pages: %w", err)
			}
			return nil
		},
	}
}
