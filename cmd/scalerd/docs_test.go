package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scalerd/scalerd/scaler/docs/docstest"
)

// TestDaemonsInThePages checks the flags of each scalerd in the pages, and each
// example of a configuration, as scalerd check-config does. Nothing is started.
func TestDaemonsInThePages(t *testing.T) {
	checked, configs := 0, 0
	for _, page := range docstest.Pages(t) {
		dir := t.TempDir()
		for _, b := range docstest.Blocks(t, page) {
			switch {
			case b.Lang == "yaml" && b.Of == "config":
				configs++
				checkConfig(t, b.Page, b.Line, "--config", write(t, dir, "config.yaml", b.Text))
			case b.File():
				write(t, dir, b.Of, b.Text)
			}
		}
		for _, c := range docstest.Of(docstest.Commands(t, page), "scalerd") {
			args := c.Words[1:]
			if len(args) > 0 && args[0] == "check-config" {
				args = args[1:]
			}
			if len(args) > 0 && args[0] == "demo" {
				continue // it has flags of its own, and TestDemo
			}
			for i, a := range args { // files of the page, and of the package
				if a == "/etc/scalerd/scalerd.yaml" {
					args[i] = filepath.Join(docstest.Root(t), "templates/package/scalerd.yaml")
				} else if _, err := os.Stat(filepath.Join(dir, a)); err == nil && a != "" && !strings.Contains(a, "/") {
					args[i] = filepath.Join(dir, a)
				}
			}
			checked++
			checkConfig(t, c.Page, c.Line, args...)
		}
	}
	if checked < 3 || configs < 1 {
		t.Errorf("checked %d commands and %d configurations", checked, configs)
	}
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func checkConfig(t *testing.T, page string, line int, args ...string) {
	t.Helper()
	var f flags
	root := rootCommand()
	check, _, err := root.Find([]string{"check-config"})
	if err != nil {
		t.Fatal(err)
	}
	check.ResetFlags()
	f.register(check.Flags())
	if err := check.ParseFlags(args); err != nil {
		t.Errorf("%s:%d: scalerd %s: %v", page, line, strings.Join(args, " "), err)
		return
	}
	if rest := check.Flags().Args(); len(rest) > 0 {
		t.Errorf("%s:%d: scalerd %s: takes no %v", page, line, strings.Join(args, " "), rest)
	}
	if _, err := f.config(check.Flags()); err != nil {
		t.Errorf("%s:%d: scalerd %s: %v", page, line, strings.Join(args, " "), err)
	}
}
