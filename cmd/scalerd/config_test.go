package main

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

// packaged is the configuration file of the package.
const packaged = "../../templates/package/scalerd.yaml"

var keyLine = regexp.MustCompile(`(?m)^#(([a-z_]+):.*)$`)

func TestThePackagedConfigurationDocumentsEveryKey(t *testing.T) {
	text, err := os.ReadFile(packaged)
	if err != nil {
		t.Fatal(err)
	}
	var documented, known []string
	for _, found := range keyLine.FindAllStringSubmatch(string(text), -1) {
		documented = append(documented, found[2])
	}
	fields := reflect.TypeFor[config]()
	for i := range fields.NumField() {
		key, _, _ := strings.Cut(fields.Field(i).Tag.Get("yaml"), ",")
		known = append(known, key)
	}
	for i := range fields.NumField() { // the keys in a key are words of the text before it
		inner := fields.Field(i).Type
		if inner.Kind() != reflect.Struct {
			continue
		}
		before, _, _ := strings.Cut(string(text), "\n#"+known[i]+":")
		about := before[strings.LastIndex(before, "\n\n")+1:]
		for j := range inner.NumField() {
			key, _, _ := strings.Cut(inner.Field(j).Tag.Get("yaml"), ",")
			if !regexp.MustCompile(`(?m)^#(   |.*, )` + key + `[ ,]`).MatchString(about) {
				t.Errorf("%s does not say what %s is in %s", packaged, key, known[i])
			}
		}
	}
	slices.Sort(documented)
	slices.Sort(known)
	if diff := cmp.Diff(known, documented); diff != "" {
		t.Errorf("keys (-of config +of %s):\n%s", packaged, diff)
	}

	// The values that it shows are the defaults.
	file := filepath.Join(t.TempDir(), "scalerd.yaml")
	if err := os.WriteFile(file, keyLine.ReplaceAll(text, []byte("$1")), 0o600); err != nil {
		t.Fatal(err)
	}
	got, want := load(t, "--config", file), load(t)
	got.TerraformProcesses = want.TerraformProcesses // it depends on the machine
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-defaults +documented):\n%s", diff)
	}
	if diff := cmp.Diff(want, load(t, "--config", packaged)); diff != "" {
		t.Errorf("the file as it is changes something (-defaults +it):\n%s", diff)
	}
}

// load is the configuration that a command line gives.
func load(t *testing.T, args ...string) config {
	t.Helper()
	var f flags
	set := pflag.NewFlagSet("scalerd", pflag.ContinueOnError)
	f.register(set)
	if err := set.Parse(args); err != nil {
		t.Fatal(err)
	}
	c, err := f.config(set)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAReloadTakesWhatCanChangeAndNamesTheRest(t *testing.T) {
	before := load(t)
	after := before
	after.LogLevel, after.Credentials, after.Listen, after.TerraformProcesses = "debug", "/new", "127.0.0.1:1", 99
	got := differences(before, after)
	if diff := cmp.Diff([]string{"listen", "terraform_processes", "credentials", "log_level"}, got, cmp.Transformer("sorted", func(s []string) []string {
		return slices.Sorted(slices.Values(s))
	})); diff != "" {
		t.Errorf("differences (-want +got):\n%s", diff)
	}
}
