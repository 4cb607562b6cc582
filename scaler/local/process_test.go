//go:build unix

package local

import (
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

func TestStartSaysWhyAProcessEnded(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	address := taken.Addr().String()
	_, err = c.run("start", "balancer", "--balancer="+address, "--nodes=nodes.json")
	if want := "another program listens on " + address; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("start on a taken port: error %v, want one with %q", err, want)
	}
	if Alive(c.dir, "balancer") {
		t.Error("a process lives that could not start")
	}
}

func TestProcessIsDetachedFromItsStarter(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	cmd := c.command("start", "web-0001")
	cmd.Env = append(cmd.Env, "TF_VAR_secret=s3cret", "AWS_SECRET_ACCESS_KEY=s3cret")
	cmd.ExtraFiles = []*os.File{writer}
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("start, or its output is still held open: %v", err)
	}
	writer.Close()
	if err := reader.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := reader.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the process holds its starter's pipe open: read gave %v, want EOF", err)
	}
	var record Record
	if err := unmarshal(string(out), &record); err != nil {
		t.Fatal(err)
	}
	if session, err := unix.Getsid(record.PID); session != record.PID {
		t.Errorf("the process is of session %d, want its own, %d (error %v)", session, record.PID, err)
	}
	if environ, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(record.PID), "environ")); err == nil && strings.Contains(string(environ), "s3cret") {
		t.Errorf("the process has its starter's secrets: %q", environ)
	}
}

func TestEnvironmentKeepsWhatAProcessNeeds(t *testing.T) {
	t.Parallel()
	got := environment([]string{"PATH=/bin", "TF_LOG=trace", "HOME=/root", "AWS_PROFILE=x", "PATHS=y"})
	if want := []string{"PATH=/bin", "HOME=/root"}; !cmp.Equal(got, want) {
		t.Errorf("environment() = %v, want %v", got, want)
	}
}

func TestProcessWhoseFilesAreGoneEnds(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	record := c.start("web-0001")
	if err := os.Remove(filepath.Join(c.dir, "web-0001.alive")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the process that can't be found ends", func() bool { return !runs(t, record.PID) })
}

func TestSecondRunIsRefused(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	record := c.start("web-0001")
	if _, err := c.run("run", "web-0001"); err == nil || !strings.Contains(err.Error(), "another process holds") {
		t.Errorf("run of a name that lives: error %v, want that another process holds its lock", err)
	}
	if _, err := http.Get("http://" + record.Address + "/healthz"); err != nil {
		t.Errorf("the first process suffered: %v", err)
	}
}
