package terraform_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/scalerd/scalerd/scaler"
)

// TestANewShardIsPreparedFromItsSibling makes three shards of a group, whose module
// calls another one, so that there is something to prepare.
func TestANewShardIsPreparedFromItsSibling(t *testing.T) {
	called := t.TempDir()
	if err := os.WriteFile(filepath.Join(called, "main.tf"), []byte("resource \"terraform_data\" \"other\" {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	group := t.TempDir()
	shard := func(name string) root {
		r := newRoot(t, "a")
		r.dir = filepath.Join(group, name)
		if err := os.Mkdir(r.dir, 0o700); err != nil {
			t.Fatal(err)
		}
		r.write("main.tf", module+"\nmodule \"called\" {\n  source = \""+called+"\"\n}\n")
		r.nodes("a")
		return r
	}
	expect := creates("a")
	expect.Create = append(expect.Create, "module.called.terraform_data.other")
	step := func(r root) (inits int) {
		t.Helper()
		_, err := r.runner.Step(t.Context(), scaler.Root{Dir: r.dir}, expect, watcher{progress: func(p scaler.Progress) {
			if p.Phase == "init" {
				inits++
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		return inits
	}
	first, second, third := shard("shard-000"), shard("shard-001"), shard("shard-002")
	if n := step(first); n != 1 {
		t.Errorf("terraform init ran %d times for the first shard, want once", n)
	}
	if n := step(second); n != 0 {
		t.Errorf("terraform init ran %d times for the second shard, want never", n)
	}
	if err := os.RemoveAll(first.dir); err != nil {
		t.Fatal(err)
	}
	if n := step(third); n != 0 || third.have() != "a" {
		t.Errorf("terraform init ran %d times for the third shard, which has %q, want never and a", n, third.have())
	}
	// Another configuration is initialised.
	fourth := shard("shard-003")
	fourth.write("more.tf", "output \"more\" {\n  value = 1\n}\n")
	if n := step(fourth); n != 1 {
		t.Errorf("terraform init ran %d times for another configuration, want once", n)
	}
}
