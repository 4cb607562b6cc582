package cmd_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestTheServiceManagerIsTold plays systemd: the daemon says that it is ready, that
// it lives, that it reads its configuration again, and that it stops.
func TestTheServiceManagerIsTold(t *testing.T) {
	d := newDaemon(t)
	socket := filepath.Join(d.base, "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	said := func(want string) {
		t.Helper()
		buf := make([]byte, 4096)
		if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		for {
			n, err := conn.Read(buf)
			if err != nil {
				t.Fatalf("waiting for %s: %v\n%s", want, err, d.log())
			}
			if strings.Contains(string(buf[:n]), want) {
				return
			}
		}
	}
	config := filepath.Join(d.base, "scalerd.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("log_level: info\n")
	d.flags = []string{"--config", config}
	d.env = []string{"NOTIFY_SOCKET=" + socket, "WATCHDOG_USEC=300000"}
	d.start()
	said("READY=1")
	said("WATCHDOG=1")

	hangUp := func() {
		t.Helper()
		if err := syscall.Kill(d.cmd.Process.Pid, syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		said("RELOADING=1")
		said("READY=1")
	}
	write("log_level: debug\nterraform_processes: 7\n")
	hangUp()
	for _, want := range []string{"configuration read again", "keys=terraform_processes"} {
		if !strings.Contains(d.log(), want) {
			t.Errorf("the log lacks %q:\n%s", want, d.log())
		}
	}
	write("log_level: loud\n")
	hangUp()
	if want := "the old one goes on"; !strings.Contains(d.log(), want) {
		t.Errorf("the log lacks %q:\n%s", want, d.log())
	}

	write("# nothing\n") // for the start that cleans up
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	said("STOPPING=1")
	<-d.ended
	if code := d.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
