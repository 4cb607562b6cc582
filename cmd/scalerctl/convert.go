package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/scalerd/scalerd/tfgen/spec"
	"github.com/scalerd/scalerd/tfgen/tosca"
)

func convertCommand() *cobra.Command {
	var in input
	var out string
	cmd := &cobra.Command{
		Use:   "convert FILE",
		Short: "Write a TOSCA template as a description",
		Long: "Write a TOSCA template (a MiCADO ADT or a CSAR archive) as a description.\n\n" +
			"The same Terraform is generated from both. What the description does not say\n" +
			"has its default. What is changed, left out or not deployed is noted on\n" +
			"standard error.",
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			described, source, err := in.load(cmd, args[0])
			if err != nil {
				return err
			}
			if !tosca.Is(source.Text) {
				return fmt.Errorf("%s is a description already", source.File)
			}
			text := append(fmt.Appendf(nil, "# Made from %s by scalerctl convert.\n", filepath.Base(source.File)), spec.Encode(described)...)
			if out == "" {
				_, err = cmd.OutOrStdout().Write(text)
				return err
			}
			return os.WriteFile(out, text, 0o644)
		},
	}
	in.register(cmd)
	cmd.Flags().StringVarP(&out, "output", "o", "", "file to write to (default: standard output)")
	return cmd
}
