package scaler

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/scalerd/scalerd/tfgen"
)

func TestAFolderThatGoesIsThereAsAWholeOrNotAtAll(t *testing.T) {
	apps := t.TempDir()
	dir := filepath.Join(apps, "shop", "web", "shard-000")
	fill := func() {
		t.Helper()
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"main.tf", "terraform.tfstate", "terraform.seen.json"} {
			if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	killed := errors.New("killed")
	for point := 0; ; point++ {
		fill()
		n := 0
		d := disk{around: func(c diskChange, path string, do func() error) error {
			if n++; n <= point {
				return do()
			}
			if c == diskRemove { // in its middle
				_ = os.Remove(filepath.Join(path, "terraform.tfstate"))
			}
			return killed
		}}
		err := d.remove(dir)
		if files, listErr := filepath.Glob(filepath.Join(dir, "*")); len(files) != 0 && len(files) != 3 || listErr != nil {
			t.Errorf("killed at change %d: %v are left, want all or none", point+1, files)
		}
		if swept := (disk{}).sweepStrays(apps, 3); swept != nil {
			t.Fatal(swept)
		}
		if left, _ := filepath.Glob(filepath.Join(apps, "shop", "web", ".*")); len(left) > 0 {
			t.Errorf("killed at change %d: %v is left after the next start", point+1, left)
		}
		if err == nil {
			break
		}
		if !errors.Is(err, killed) {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
}

func TestOnlyStraysAreSwept(t *testing.T) {
	apps := t.TempDir()
	module := filepath.Join(apps, "shop", "web", "shard-000")
	if err := os.MkdirAll(filepath.Join(module, ".terraform"), 0o700); err != nil {
		t.Fatal(err)
	}
	keep := []string{".terraform.lock.hcl", "main.tf", "nodes.auto.tfvars.json", ".terraform/.x123456789", "terraform.tfstate.1234567"}
	for _, name := range append(slices.Clone(keep), ".nodes.auto.tfvars.json5577006791947779410") {
		if err := os.WriteFile(filepath.Join(module, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := (disk{}).sweepStrays(apps, 3); err != nil {
		t.Fatal(err)
	}
	for _, name := range keep {
		if _, err := os.Stat(filepath.Join(module, name)); err != nil {
			t.Errorf("%s was swept: %v", name, err)
		}
	}
	if strays, _ := filepath.Glob(filepath.Join(module, ".nodes*")); len(strays) > 0 {
		t.Errorf("%v are left", strays)
	}
}

// openAtIntent is a store with one open step that was killed in its first phase.
type openAtIntent struct {
	dryStore
	record StepRecord
}

func (o openAtIntent) OpenSteps(context.Context, string, string) ([]StepRecord, error) {
	return []StepRecord{o.record}, nil
}

// TestNoStepBeginsWithANodeSetThatAPowerCutTakesBack: after its apply, its nodes would
// be none of the set of before.
func TestNoStepBeginsWithANodeSetThatAPowerCutTakesBack(t *testing.T) {
	full := errors.New("no space left on device")
	for name, prepare := range map[string]func(*testing.T, *actuator, *shard){
		"killed when it was renamed": func(t *testing.T, a *actuator, s *shard) {
			a.store = openAtIntent{record: StepRecord{Shard: s.name, Phase: PhaseIntent, NodeSet: s.nodeSet}}
			if err := a.resolve(t.Context()); err != nil || s.open == nil {
				t.Fatalf("open step %v, %v, want the step to go on", s.open, err)
			}
		},
		"the disk was full when it was renamed": func(t *testing.T, _ *actuator, s *shard) {
			if err := s.writeNodes(tfgen.Nodes{"web-0001": {}}); !errors.Is(err, full) {
				t.Fatalf("writeNodes() = %v, want %v", err, full)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := &shard{name: "shard-000", dir: t.TempDir(), nodeSet: "digest"}
			tried := 0
			s.disk.around = func(c diskChange, path string, do func() error) error {
				if c != diskSettle {
					return do()
				}
				tried++
				return full
			}
			a := &actuator{shards: []*shard{s}, store: dryStore{}}
			prepare(t, a, s)
			before := tried
			if err := a.start(t.Context(), s, Expect{}); !errors.Is(err, full) || tried == before || s.busy {
				t.Errorf("start() = %v, busy %t, want it to settle the node set first, and to wait for that", err, s.busy)
			}
		})
	}
}

// firstStep is a Store that journals the beginning of a step.
type firstStep struct{ dryStore }

func (firstStep) BeginStep(context.Context, StepRecord) (int64, error) { return 1, nil }

// TestNodesThatWereTakenOutAreKnownAlsoWhereTheDiskIsFull: their deletion may be
// refused, and they come back then as they were.
func TestNodesThatWereTakenOutAreKnownAlsoWhereTheDiskIsFull(t *testing.T) {
	full := errors.New("no space left on device")
	s := &shard{name: "shard-000", dir: t.TempDir(), nodes: tfgen.Nodes{"web-0001": {"size": "s"}, "web-0002": {"size": "s"}}}
	s.disk.around = func(c diskChange, _ string, do func() error) error {
		if c == diskSettle {
			return full
		}
		return do()
	}
	a := &actuator{shards: []*shard{s}, store: firstStep{}}
	if err := a.rewrite(t.Context(), s, tfgen.Nodes{"web-0001": {"size": "s"}}); !errors.Is(err, full) {
		t.Fatalf("rewrite() = %v, want %v", err, full)
	}
	if got := sortedKeys(s.removed); !slices.Equal(got, []string{"web-0002"}) {
		t.Errorf("removed = %v, want web-0002", got)
	}
}
