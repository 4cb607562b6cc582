package cmd_test

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUpdateTouchesOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	d.submit(describe("shop", "web min: 1, max: 4, initial: 2", "api max: 3"))
	web, api := d.settle("shop", "web", 2), d.settle("shop", "api", 1)

	// Other bounds change no node.
	d.apply(describe("shop", "web min: 2, max: 6", "api max: 3"))
	d.untouched(web, d.settle("shop", "web", 2), web.names())
	if status, err := d.status("shop", "web"); err != nil || status.Min != 2 || status.Max != 6 {
		t.Errorf("min..max are %d..%d, error %v, want 2..6", status.Min, status.Max, err)
	}
	// Bounds that the size does not fit bring it within.
	d.apply(describe("shop", "web min: 3, max: 6", "api max: 3"))
	grown := d.settle("shop", "web", 3)
	d.untouched(web, grown, web.names())
	// Another group.
	d.apply(describe("shop", "web min: 3, max: 6", "api max: 3", "db max: 2, initial: 2"))
	db := d.settle("shop", "db", 2)
	d.untouched(grown, d.settle("shop", "web", 3), grown.names())
	// One group less.
	d.apply(describe("shop", "web min: 3, max: 6", "db max: 2"))
	d.eventually("the removed group is gone", func() error {
		if _, err := os.Stat(d.groupDir("shop", "api")); err == nil {
			return fs.ErrExist
		}
		return nil
	})
	if left := processesOf(t, d.groupDir("shop", "api")); len(left) > 0 {
		t.Errorf("processes of the removed group live: %+v", left)
	}
	d.untouched(grown, d.settle("shop", "web", 3), grown.names())
	d.untouched(db, d.settle("shop", "db", 2), db.names())
	d.untouched(api, fleet{}, nil)
}

// apply runs scalerctl apply, which waits.
func (d *daemon) apply(description string) string {
	d.t.Helper()
	return d.must("apply", d.file(description))
}

func (d *daemon) file(description string) string {
	d.t.Helper()
	path := filepath.Join(d.t.TempDir(), "shop.yaml")
	if err := os.WriteFile(path, []byte(description), 0o600); err != nil {
		d.t.Fatal(err)
	}
	return path
}

func TestChangedSettingsAreRolledOut(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	d.submit(describe("shop", "web max: 4, initial: 2"))
	d.settle("shop", "web", 2)
	changed := describe("shop", "web max: 4, local: {slots: 7, service_time: 20ms, boot_time: 0s}, rollout: {pause: 0s}")
	if out, errs, code := d.ctl("plan", d.file(changed)); code != 0 || !strings.Contains(out, "2 of its nodes will be replaced, 1 at a time") || !strings.Contains(out, "slots: ") {
		t.Errorf("scalerctl plan ended with %d: %s%s, want 0 and a note about the nodes to replace and why", code, out, errs)
	}
	d.apply(changed)
	d.eventually("every node has the new settings", func() error {
		if left := d.outdated(); len(left) > 0 {
			return fmt.Errorf("%v have old settings", left)
		}
		return nil
	})
	if got, want := d.settle("shop", "web", 2).names(), []string{"web-0003", "web-0004"}; !slices.Equal(got, want) {
		t.Errorf("nodes after the rollout are %v, want %v", got, want)
	}
}

func TestSettingsOfAKeptFleetAreForNewNodesOnly(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	d.submit(describe("shop", "web max: 4, initial: 2"))
	before := d.settle("shop", "web", 2)
	changed := describe("shop", "web max: 4, local: {slots: 7, service_time: 20ms, boot_time: 0s}, rollout: {mode: keep}")
	if out, errs, code := d.ctl("plan", "--detailed-exitcode", d.file(changed)); code != 0 || !strings.Contains(out, "2 of its nodes keep the settings") {
		t.Errorf("scalerctl plan ended with %d: %s%s, want 0 and a note about outdated nodes", code, out, errs)
	}
	d.apply(changed)
	d.untouched(before, d.settle("shop", "web", 2), before.names())
	if got, want := d.outdated(), []string{"web-0001", "web-0002"}; !slices.Equal(got, want) {
		t.Errorf("outdated are %v, want %v", got, want)
	}
	d.must("drop", "shop", "web-0001", "--replace")
	after := d.settle("shop", "web", 2)
	d.untouched(before, after, []string{"web-0002", "web-0003"})
	if got, want := d.outdated(), []string{"web-0002"}; !slices.Equal(got, want) {
		t.Errorf("outdated are %v, want %v", got, want)
	}
	args := ""
	for _, p := range processesOf(t, d.groupDir("shop", "web")) {
		if p.pid == after["web-0003"].pid {
			args = strings.Join(p.args, " ")
		}
	}
	if !strings.Contains(args, "--slots=7") {
		t.Errorf("the new node runs as %q, want it with the new slots", args)
	}
}

// outdated are the nodes of shop that have older settings than the description.
func (d *daemon) outdated() []string {
	d.t.Helper()
	nodes, err := d.client.Nodes(d.t.Context(), "shop")
	if err != nil {
		d.t.Fatal(err)
	}
	var names []string
	for _, n := range nodes {
		if n.Outdated != "" {
			names = append(names, n.Name)
		}
	}
	return names
}

func TestBrokenDescriptionChangesNothing(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	d.submit(describe("shop", "web max: 4, initial: 2"))
	before := d.settle("shop", "web", 2)
	files := d.files("shop")
	broken := d.file("name: shop\ngroups:\n  - {name: web, cloud: local, min: 5, max: 3}\n  - {name: web, cloud: moon, max: 1}\n")
	out, errs, code := d.ctl("apply", broken)
	want := broken + ":3:31 groups[0].min: is 5, more than max 3; lower min or raise max\n" +
		broken + ":4:6 groups[1].name: is \"web\", as is groups[0].name; give each group its own\n" +
		broken + ":4:17 groups[1].cloud: is \"moon\", which is not known; use local or ec2 or openstack or azure or module\n"
	if diff := cmp.Diff(want, errs); code != 1 || out != "" || diff != "" {
		t.Errorf("scalerctl apply of a broken description ended with %d and %q (-want +got):\n%s", code, out, diff)
	}
	d.ticks("shop", 2)
	if diff := cmp.Diff(files, d.files("shop")); diff != "" {
		t.Errorf("files after a broken description (-before +after):\n%s", diff)
	}
	d.untouched(before, d.settle("shop", "web", 2), before.names())
}

// files are the Terraform files of an application: modules, node sets and states.
func (d *daemon) files(app string) map[string]string {
	d.t.Helper()
	texts := map[string]string{}
	err := filepath.WalkDir(d.groupDir(app, ""), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Dir(path) == d.groupDir(app, "") || strings.Contains(path, "/run/") {
			return err
		}
		text, err := os.ReadFile(path)
		texts[path] = string(text)
		return err
	})
	if err != nil {
		d.t.Fatal(err)
	}
	if keys := slices.Collect(maps.Keys(texts)); len(keys) < 4 {
		d.t.Fatalf("the application has only the files %v", keys)
	}
	return texts
}
