package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/docs/docstest"
	"github.com/scalerd/scalerd/scaler/monitor"
)

// frames are the rest of a description around an example of some of its keys.
const (
	appFrame   = "name: docs\ninterval: 15s\n"
	queryFrame = `queries:
  requests: sum(rate(http_requests_total[1m]))
  latency: avg(latency_seconds)
  cpu: 100 * (1 - avg(rate(node_cpu_seconds_total{mode="idle"}[1m])))
  load1: avg(node_load1)
  busy: node_load1
  jobs: sum(jobs_waiting)
  job_seconds: avg(job_seconds)
`
	groupFrame = "groups:\n  - name: web\n"
)

// TestDescriptionsInThePagesAreValid checks each example of a description, with a
// description around those that are part of one.
func TestDescriptionsInThePagesAreValid(t *testing.T) {
	checked := map[string]int{}
	for _, page := range docstest.Pages(t) {
		for _, b := range docstest.Blocks(t, page) {
			if b.Lang != "yaml" || b.Of == "config" || b.File() {
				continue
			}
			text, shift := framed(t, b)
			checked[b.Of]++
			source := scaler.Source{File: fmt.Sprintf("%s, %d lines above", page, b.Line-shift-1), Text: []byte(text)}
			if _, _, err := scaler.Validate(source, monitor.CheckQuery, scaler.CheckPrices(nil)); err != nil {
				t.Errorf("example at %s:%d: %v\n%s", page, b.Line, err, text)
			}
		}
	}
	if checked[""] < 2 || checked["group"] < 5 {
		t.Errorf("checked %v", checked)
	}
}

// framed is the whole description of an example, and on which line of it the example
// begins.
func framed(t *testing.T, b docstest.Block) (string, int) {
	t.Helper()
	has := func(text, key string) bool {
		return strings.HasPrefix(text, key+":") || strings.Contains(text, "\n"+key+":")
	}
	switch b.Of {
	case "":
		return b.Text, 0
	case "app":
		rest := ""
		if !has(b.Text, "queries") {
			rest = queryFrame
		}
		if !has(b.Text, "groups") {
			rest += groupFrame + "    cloud: local\n    max: 4\n"
		}
		return appFrame + b.Text + rest, 2
	case "group":
		head := appFrame + queryFrame + groupFrame
		if !has(b.Text, "cloud") {
			head += "    cloud: local\n"
		}
		if !has(b.Text, "max") {
			head += "    max: 40\n"
		}
		var body strings.Builder
		for line := range strings.Lines(b.Text) {
			body.WriteString("    " + line)
		}
		return head + body.String(), strings.Count(head, "\n")
	}
	t.Errorf("%s:%d: an example of yaml %s, which is not known", b.Page, b.Line, b.Of)
	return "", 0
}

// TestCommandsInThePages runs those that work on files, and parses those that need a
// daemon or somebody's own recordings: the command exists, with these flags and so
// many arguments.
func TestCommandsInThePages(t *testing.T) {
	root := docstest.Root(t)
	ran, parsed := 0, 0
	for _, page := range docstest.Pages(t) {
		commands := docstest.Of(docstest.Commands(t, page), "scalerctl")
		if len(commands) == 0 {
			continue
		}
		t.Run(filepath.Base(page), func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(filepath.Join(dir, "examples"), os.DirFS(filepath.Join(root, "examples"))); err != nil {
				t.Fatal(err)
			}
			for _, b := range docstest.Blocks(t, page) {
				if b.File() {
					if err := os.WriteFile(filepath.Join(dir, b.Of), []byte(b.Text), 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
			t.Setenv("SCALERD_SOCKET", "none.sock")
			t.Setenv("CHECKPOINT_DISABLE", "1")
			t.Chdir(dir)
			for _, c := range commands {
				if offline(c.Words[1:]) {
					ran++
					execute(t, dir, c)
				} else {
					parsed++
					parse(t, c)
				}
			}
		})
	}
	if ran < 10 || parsed < 20 {
		t.Errorf("ran %d commands and parsed %d", ran, parsed)
	}
}

// offline reports whether a command needs neither a daemon nor a recording that is
// not here.
func offline(args []string) bool {
	has := func(flag string) bool { return slices.Contains(args, flag) }
	switch args[0] {
	case "validate", "generate", "convert", "schema", "rule":
		return true
	case "plan":
		return has("--offline")
	case "backtest":
		own := slices.ContainsFunc(args, func(a string) bool { return strings.HasSuffix(a, ".gz") || a == "load.csv" })
		slow := testing.Short() && has("auto") // a minute with the race detector
		return !own && !slow && !has("--prometheus") && !has("--data")
	}
	return false
}

func execute(t *testing.T, dir string, c docstest.Command) {
	t.Helper()
	var args []string
	for _, a := range c.Words[1:] {
		rest, shared := strings.CutPrefix(a, "/tmp/")
		found, err := filepath.Glob(a)
		switch {
		case shared: // not into the machine's own folder
			args = append(args, filepath.Join(dir, rest))
		case err == nil && len(found) > 0 && strings.Contains(a, "*"): // as a shell does
			args = append(args, found...)
		default:
			args = append(args, a)
		}
	}
	var out, errs bytes.Buffer
	root := rootCommand()
	root.SetArgs(args)
	root.SetOut(&out)
	root.SetErr(&errs)
	err := root.ExecuteContext(t.Context())
	if errors.Is(err, errChanges) && (slices.Contains(args, "--detailed-exitcode") || slices.Contains(args, "--max-over")) {
		err = nil
	}
	if err != nil {
		t.Errorf("%s:%d: scalerctl %s: %v\n%s", c.Page, c.Line, strings.Join(args, " "), err, errs.String())
	}
	if c.Out != "" {
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(c.Out)), out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func parse(t *testing.T, c docstest.Command) {
	t.Helper()
	cmd, err := parsedCommand(c.Words[1:])
	if err != nil {
		t.Errorf("%s:%d: scalerctl %s: %v", c.Page, c.Line, strings.Join(c.Words[1:], " "), err)
	} else if !cmd.HasParent() || !cmd.Runnable() || cmd.HasSubCommands() {
		t.Errorf("%s:%d: scalerctl %s: no such command", c.Page, c.Line, strings.Join(c.Words[1:], " "))
	}
}

func parsedCommand(words []string) (*cobra.Command, error) {
	root := rootCommand()
	cmd, args, err := root.Traverse(words)
	if err != nil {
		return nil, err
	}
	if err := cmd.ParseFlags(args); err != nil {
		return nil, err
	}
	return cmd, cmd.ValidateArgs(cmd.Flags().Args())
}

func TestACommandThatIsNoneIsFound(t *testing.T) {
	for _, words := range [][]string{{"status", "--bogus"}, {"scale", "shop", "web"}, {"knowledge", "export"}} {
		if _, err := parsedCommand(words); err == nil {
			t.Errorf("scalerctl %v is let through", words)
		}
	}
}
