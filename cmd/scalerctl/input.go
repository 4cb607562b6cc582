package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/monitor"
	"github.com/scalerd/scalerd/tfgen/spec"
	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// input are the flags of commands that read a description or a TOSCA template.
type input struct {
	params []string
	file   string
	name   string
	// checks are made besides those of the daemon.
	checks []spec.Check
}

func (in *input) register(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&in.params, "param", nil, "NAME=VALUE for an input of a TOSCA template; repeat for more")
	cmd.Flags().StringVar(&in.name, "name", "", "name of the application, in place of a TOSCA template's own")
	cmd.Flags().StringVar(&in.file, "params", "", "YAML file with the values of a TOSCA template's inputs")
}

// load reads and checks a description as the daemon does. Notes on a TOSCA template
// go to standard error.
func (in *input) load(cmd *cobra.Command, file string) (*spec.Application, scaler.Source, error) {
	source, err := in.read(cmd, file)
	if err != nil {
		return nil, source, err
	}
	described, notes, err := scaler.Validate(source, monitor.CheckQuery, in.checks...)
	for _, note := range notes {
		fmt.Fprintf(cmd.ErrOrStderr(), "note: %s\n", note)
	}
	return described, source, err
}

// read reads a description with its parameters; "-" is standard input.
func (in *input) read(cmd *cobra.Command, file string) (scaler.Source, error) {
	source := scaler.Source{File: file, Name: in.name}
	var err error
	if source.Params, err = in.parameters(); err != nil {
		return source, err
	}
	if file == "-" {
		source.File = "stdin"
		source.Text, err = io.ReadAll(cmd.InOrStdin())
		return source, err
	}
	source.Text, err = os.ReadFile(file)
	return source, err
}

// forDaemon is the source as the daemon reads it: paths in it count from the
// description's folder, which is given in full because the daemon runs elsewhere.
func forDaemon(source scaler.Source) (scaler.Source, error) {
	if source.File == "stdin" {
		return source, nil
	}
	file, err := filepath.Abs(source.File)
	if err != nil {
		return source, fmt.Errorf("folder of %s: %w", source.File, err)
	}
	source.File = file
	return source, nil
}

// parameters are those of the file, and of the command line, which win.
func (in *input) parameters() (map[string]any, error) {
	params := map[string]any{}
	if in.file != "" {
		text, err := os.ReadFile(in.file)
		if err != nil {
			return nil, err
		}
		root, err := strictyaml.Read(in.file, text)
		if err != nil {
			return nil, err
		}
		if !root.Is(strictyaml.KindMapping) {
			return nil, strictyaml.Mistakes{root.Mistake(fmt.Sprintf("is %s, not a mapping", root), "write one NAME: VALUE a line")}
		}
		params = root.Value().(map[string]any)
	}
	for _, p := range in.params {
		name, value, found := strings.Cut(p, "=")
		if !found || name == "" {
			return nil, fmt.Errorf("%w: --param %s: write NAME=VALUE", errUsage, p)
		}
		params[name] = value
	}
	return params, nil
}
