package local

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scalerd/scalerd/tfgen"
)

func TestInspectorFindsDeadProcessesAndEndsStrayOnes(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	module := t.TempDir()
	c.dir = filepath.Join(module, tfgen.LocalRunDir)
	address := func(node string) string { return `terraform_data.node["` + node + `"]` }
	kept, killed, stray := c.start("web-0001"), c.start("web-0002"), c.start("web-0003")
	kill(t, killed.PID, syscall.SIGKILL)

	eventually(t, "the killed process is dead", func() bool { return !Alive(c.dir, killed.Name) })

	var inspector Inspector
	dead := inspector.Dead(module, []string{address("web-0001"), address("web-0002"), "terraform_data.balancer", "aws_instance.other"})
	if diff := cmp.Diff([]string{address("web-0002"), "terraform_data.balancer"}, dead); diff != "" {
		t.Errorf("Dead() (-want +got):\n%s", diff)
	}
	reaped, err := inspector.Reap(t.Context(), module, []string{address("web-0001"), address("web-0002")})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"web-0003"}, reaped); diff != "" {
		t.Errorf("Reap() (-want +got):\n%s", diff)
	}
	eventually(t, "the stray process has ended", func() bool { return !runs(t, stray.PID) })
	if !Alive(c.dir, kept.Name) {
		t.Errorf("%s was ended too", kept.Name)
	}
}
