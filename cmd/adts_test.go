package cmd_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/monitor"
	"github.com/scalerd/scalerd/tfgen/spec"
	"github.com/scalerd/scalerd/tfgen/strictyaml"
	"github.com/scalerd/scalerd/tfgen/tosca/toscatest"
)

// refused are the files of the folder that are no templates, need a file that is
// not there, or are of clouds that this version has no Terraform for.
var refused = []string{"face_detection_", "opt_", "pk_native_", "saker_", "stressng_cloudbroker", "stressng_cloudsigma"}

// TestEveryADT takes each of MiCADO's templates through its life over simulated
// clouds: validate, generate, `terraform fmt -check`, `terraform validate`, apply
// to min, scale to max, drop a chosen node in the middle, destroy. Those that are
// no templates, or of clouds that are not there, must be refused with a sentence.
// With -v it prints a table.
func TestEveryADT(t *testing.T) {
	folder := toscatest.Folder(t)
	paths, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no templates in %s: %v", folder, err)
	}
	if testing.Short() {
		paths = slices.DeleteFunc(paths, func(path string) bool {
			return !slices.Contains([]string{"nginx_azure.yaml", "nginx_nova.yaml", "wordpress_ec2_two_node_sets.yaml", "stressng_cloudsigma.yaml"}, filepath.Base(path))
		})
	}
	var rows []string
	t.Run("lives", func(t *testing.T) {
		d, _ := startSimulated(t)
		for _, path := range paths {
			name := filepath.Base(path)
			t.Run(name, func(t *testing.T) {
				start := time.Now()
				result := d.live(t, path)
				rows = append(rows, fmt.Sprintf("%-45s %-70s %5.1f s", name, result, time.Since(start).Seconds()))
			})
		}
	})
	t.Logf("%d templates:\n%s", len(rows), strings.Join(rows, "\n"))
}

// live takes one template through its life and says what became of it.
func (d *daemon) live(t *testing.T, path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	// One template names a base template of its own.
	base := filepath.Join(dir, "tests", "templates", "cloudinit.yaml")
	if err := errors.Join(os.MkdirAll(filepath.Dir(base), 0o700), os.WriteFile(base, []byte("#cloud-config\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, filepath.Base(path))
	if err := os.WriteFile(file, []byte(toscatest.Fill(string(text))), 0o600); err != nil {
		t.Fatal(err)
	}
	filled, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	app, notes, err := scaler.Validate(scaler.Source{File: file, Text: filled}, monitor.CheckQuery)
	if _, errs, code := d.ctl("validate", file); (code == 0) != (err == nil) {
		t.Fatalf("scalerctl validate ended with %d: %s; Validate() = %v", code, errs, err)
	}
	if err != nil {
		var mistakes strictyaml.Mistakes
		if !errors.As(err, &mistakes) || mistakes[0].Line == 0 || mistakes[0].What == "" {
			t.Fatalf("refused without a place: %v", err)
		}
		if !slices.ContainsFunc(refused, func(prefix string) bool { return strings.HasPrefix(filepath.Base(path), prefix) }) {
			t.Errorf("refused: %v", err)
		}
		what, _, _ := strings.Cut(mistakes[0].What, ",")
		return "refused: " + what
	}
	d.generated(t, file, filepath.Join(dir, "out"))
	d.must("apply", file, "--no-wait")
	for _, g := range app.Groups {
		d.wait(app.Name, g.Name, g.Min)
		d.scale(app.Name, g.Name, g.Max)
	}
	var did []string
	for _, g := range app.Groups {
		did = append(did, d.dropMiddle(t, app.Name, g))
	}
	d.must("destroy", app.Name, "--yes")
	return fmt.Sprintf("%s; %d notes", strings.Join(did, ", "), len(notes))
}

// dropMiddle drops a node in the middle of a group that has grown to its max.
func (d *daemon) dropMiddle(t *testing.T, app string, g spec.Group) string {
	names := d.wait(app, g.Name, g.Max)
	victim, replace, left := names[len(names)/2], "--replace", g.Max
	if g.Max > g.Min {
		replace, left = "--replace=false", g.Max-1
	}
	d.must("drop", app, victim, replace)
	d.within(2*patience, victim+" is gone", func() error {
		if now := d.wait(app, g.Name, left); slices.Contains(now, victim) {
			return fmt.Errorf("%v are there", now)
		}
		return nil
	})
	return fmt.Sprintf("%s %s %d→%d→%d→0", g.Cloud, g.Name, g.Min, g.Max, left)
}

// generated checks what scalerctl writes for a template without a daemon.
func (d *daemon) generated(t *testing.T, file, out string) {
	d.must("generate", file, "--out", out)
	terraform := func(dir string, args ...string) {
		cmd := exec.Command("terraform", args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), d.env...)
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("terraform %s in %s: %v\n%s", strings.Join(args, " "), dir, err, said)
		}
	}
	terraform(out, "fmt", "-check", "-recursive", "-diff")
	modules, err := filepath.Glob(filepath.Join(out, "*", "*", "versions.tf"))
	if err != nil || len(modules) == 0 {
		t.Fatalf("no modules in %s: %v", out, err)
	}
	for _, module := range modules {
		terraform(filepath.Dir(module), "init", "-input=false", "-backend=false")
		terraform(filepath.Dir(module), "validate")
	}
}
