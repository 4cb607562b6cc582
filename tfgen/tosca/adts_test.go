package tosca

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scalerd/scalerd/tfgen"
	"github.com/scalerd/scalerd/tfgen/spec"
	"github.com/scalerd/scalerd/tfgen/strictyaml"
	"github.com/scalerd/scalerd/tfgen/tosca/toscatest"
)

// TestADTs reads every template of MiCADO's that is there, filled in and as it is,
// and compares what becomes of each: its groups, or why there are none.
func TestADTs(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(toscatest.Folder(t), "*.yaml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no templates: %v", err)
	}
	want, err := filepath.Abs("testdata/adts.want")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir()) // where the base template is that one of them names
	if err := errors.Join(os.MkdirAll("tests/templates", 0o700), os.WriteFile("tests/templates/cloudinit.yaml", []byte("#cloud-config\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(path)
		if !Is(text) {
			t.Errorf("Is(%s) = false, want true", name)
		}
		fmt.Fprintf(&b, "%s\n", name)
		_, _, unfilled := Parse(Source{File: name, Text: text})
		if n := countPlaceholders(unfilled); n > 0 {
			fmt.Fprintf(&b, "  unfilled: %d placeholders\n", n)
		}
		app, notes, err := Parse(Source{File: name, Text: []byte(toscatest.Fill(string(text)))}, tfgen.Check)
		if err != nil {
			for line := range strings.Lines(err.Error()) {
				what, _, _ := strings.Cut(strings.TrimSpace(line), ";")
				fmt.Fprintf(&b, "  refused: %s\n", strings.TrimPrefix(what, name))
			}
			continue
		}
		summarise(&b, app, len(notes))
		checkRoundTrip(t, app)
		checkSameTerraform(t, app)
	}
	golden(t, want, b.String())
}

func countPlaceholders(err error) int {
	var mistakes strictyaml.Mistakes
	errors.As(err, &mistakes)
	count := 0
	for _, m := range mistakes {
		if strings.HasPrefix(m.What, "is the placeholder") {
			count++
		}
	}
	return count
}

func summarise(b *strings.Builder, app *spec.Application, notes int) {
	fmt.Fprintf(b, "  application %s: %d constants, %d queries, %d alerts, %d targets, %d kept, %d notes\n", app.Name,
		len(app.Constants), len(app.Queries), len(app.Alerts), len(app.Monitoring.Targets), len(app.NotDeployed), notes)
	for _, g := range app.Groups {
		fmt.Fprintf(b, "  group %s: %s, %d to %d, first %d", g.Name, g.Cloud, g.Min, g.Max, g.Initial)
		if g.CloudInit.Content != "" || g.CloudInit.Base != "" {
			fmt.Fprintf(b, ", cloud-init %s", g.CloudInit.Mode)
		}
		for _, p := range g.Policies {
			fmt.Fprintf(b, ", %s of %d lines at %d:%d", p.Name, strings.Count(p.Rule.Source, "\n"), p.Rule.Line, p.Rule.Column)
		}
		b.WriteString("\n")
	}
}

// BenchmarkParseLargestADT reads the largest template and generates its Terraform.
func BenchmarkParseLargestADT(b *testing.B) {
	paths, _ := filepath.Glob(filepath.Join(toscatest.Folder(b), "*.yaml"))
	var largest []byte
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			b.Fatal(err)
		}
		text = []byte(toscatest.Fill(string(text)))
		if _, _, err := Parse(Source{File: path, Text: text}); err == nil && len(text) > len(largest) {
			largest = text
		}
	}
	b.SetBytes(int64(len(largest)))
	for b.Loop() {
		app, _, err := Parse(Source{File: "adt.yaml", Text: largest})
		if err != nil {
			b.Fatal(err)
		}
		for i := range app.Groups {
			generate(b, app, i)
		}
	}
}
