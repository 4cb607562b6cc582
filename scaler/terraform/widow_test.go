package terraform

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// TestProvidersOfAKilledTerraformAreEnded starts processes that are named as providers
// are, of a living terraform and of none.
func TestProvidersOfAKilledTerraformAreEnded(t *testing.T) {
	if command(os.Getpid()) == "" {
		t.Skip("this system has no /proc")
	}
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Skip(err)
	}
	text, err := os.ReadFile(sleep)
	if err != nil {
		t.Fatal(err)
	}
	dir, elsewhere := t.TempDir(), t.TempDir()
	provider := filepath.Join(t.TempDir(), "terraform-provider-aws_v6.0.0")
	if err := os.WriteFile(provider, text, 0o700); err != nil {
		t.Fatal(err)
	}
	widow, other := exec.Command(provider, "600"), exec.Command(provider, "600")
	widow.Dir, other.Dir = dir, elsewhere
	// A shell that is named terraform tells the identifier of its provider.
	engine := exec.Command("/bin/sh", "-c", provider+" 600 >/dev/null & echo; wait")
	engine.Args[0], engine.Dir, engine.SysProcAttr = "terraform", dir, &syscall.SysProcAttr{Setpgid: true}
	told, err := engine.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	for _, cmd := range []*exec.Cmd{widow, other, engine} {
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := io.ReadFull(told, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	endWidows(dir, "/usr/bin/terraform")
	if err := widow.Wait(); err == nil {
		t.Error("the provider without a terraform ended by itself, want it killed")
	}
	if err := other.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("the provider of another root module: %v, want it alive", err)
	}
	if err := syscall.Kill(-engine.Process.Pid, 0); err != nil {
		t.Errorf("the living terraform: %v", err)
	}
	_ = other.Process.Kill()
	_ = other.Wait()
	_ = syscall.Kill(-engine.Process.Pid, syscall.SIGTERM)
	if err := engine.Wait(); err == nil {
		t.Error("the living terraform had ended, want it to wait for its provider")
	}
}
