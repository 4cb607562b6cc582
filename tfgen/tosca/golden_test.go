package tosca

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/scalerd/scalerd/tfgen"
	"github.com/scalerd/scalerd/tfgen/spec"
	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares a result with a golden file.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// source reads a template of testdata; its first line may hold parameters.
func source(t *testing.T, path string) Source {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s := Source{File: filepath.Base(path), Text: text}
	first, _, _ := strings.Cut(string(text), "\n")
	if params, found := strings.CutPrefix(first, "# params: "); found {
		root, err := strictyaml.Read("params", []byte(params))
		if err != nil {
			t.Fatal(err)
		}
		s.Params = root.Value().(map[string]any)
	}
	return s
}

// TestFeatures reads the templates of testdata/features and compares the
// descriptions that they become, with their notes.
func TestFeatures(t *testing.T) {
	t.Chdir("testdata/features")
	for _, path := range templates(t) {
		t.Run(path, func(t *testing.T) {
			s := source(t, path)
			if !Is(s.Text) {
				t.Error("Is() = false, want true")
			}
			app, notes, err := Parse(s, tfgen.Check)
			if err != nil {
				t.Fatalf("Parse() error:\n%v", err)
			}
			var b strings.Builder
			for _, note := range notes {
				fmt.Fprintf(&b, "# %s\n", note)
			}
			golden(t, strings.TrimSuffix(path, ".yaml")+".want", b.String()+string(spec.Encode(app)))
			checkRoundTrip(t, app)
			checkSameTerraform(t, app)
		})
	}
}

// TestMistakes reads the templates of testdata/mistakes and compares what is said
// of them.
func TestMistakes(t *testing.T) {
	t.Chdir("testdata/mistakes")
	for _, path := range templates(t) {
		t.Run(path, func(t *testing.T) {
			s := source(t, path)
			app, _, err := Parse(s, tfgen.Check)
			var mistakes strictyaml.Mistakes
			if app != nil || !errors.As(err, &mistakes) {
				t.Fatalf("Parse() = %v, %v, want mistakes", app, err)
			}
			lines := strings.Count(string(s.Text), "\n") + 1
			for _, m := range mistakes {
				if m.Line < 1 || m.Line > lines || m.Column < 1 || m.Fix == "" && !strings.Contains(m.What, ";") {
					t.Errorf("mistake %+v has no place or no advice", m)
				}
			}
			golden(t, strings.TrimSuffix(path, ".yaml")+".want", err.Error()+"\n")
		})
	}
}

func templates(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob("*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no templates: %v", err)
	}
	return paths
}

// checkRoundTrip checks that an application is the same after it was written as a
// description and read again.
func checkRoundTrip(t testing.TB, app *spec.Application) {
	t.Helper()
	if diff := roundTrip(app); diff != "" {
		t.Fatal(diff)
	}
}

// checkSameTerraform checks that an application and its description generate the
// same Terraform, byte for byte.
func checkSameTerraform(t testing.TB, app *spec.Application) {
	t.Helper()
	again, err := spec.Parse("encoded.yaml", spec.Encode(app))
	if err != nil {
		t.Fatal(err)
	}
	for i := range app.Groups {
		if diff := cmp.Diff(generate(t, app, i), generate(t, again, i)); diff != "" {
			t.Errorf("group %s differs:\n%s", app.Groups[i].Name, diff)
		}
	}
}

func generate(t testing.TB, app *spec.Application, group int) string {
	t.Helper()
	g := &app.Groups[group]
	base, err := tfgen.Base(app, g)
	if err != nil {
		t.Fatal(err)
	}
	shard, err := tfgen.Shard(app, g)
	if err != nil {
		t.Fatal(err)
	}
	node, err := tfgen.NewNode(app, g, 1)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, f := range append(base.Files, shard.Files...) {
		fmt.Fprintf(&b, "--- %s\n%s\n", f.Name, f.Content)
	}
	if len(shard.Files) == 0 {
		t.Errorf("group %s generates nothing", g.Name)
	}
	fmt.Fprintf(&b, "%s", node)
	return b.String()
}

// roundTrip says how an application differs from what is read of its description.
func roundTrip(app *spec.Application) string {
	text := spec.Encode(app)
	again, err := spec.Parse("encoded.yaml", text)
	if err != nil {
		return fmt.Sprintf("Parse() of Encode() error:\n%v\nof:\n%s", err, text)
	}
	if diff := sameApps(app, again); diff != "" {
		return fmt.Sprintf("Parse() of Encode() (-want +got):\n%s\nof:\n%s", diff, text)
	}
	return ""
}

// sameApps says how two applications differ, but for where they and their rules
// stand.
func sameApps(a, b *spec.Application) string {
	return cmp.Diff(a, b, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(spec.Rule{}, "File", "Line", "Column"), cmpopts.IgnoreFields(spec.Application{}, "Dir"))
}
