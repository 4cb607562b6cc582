package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/scalerd/scalerd/scaler/api"
)

const (
	// startPatience is how long the daemon may take to answer; it may have to
	// fetch a terraform first.
	startPatience = 2 * time.Minute
	// answerPatience bounds one call of the API, which never waits for terraform.
	answerPatience = 5 * time.Second
	// driftInterval is short, to mend within the demo what somebody kills.
	driftInterval = 15 * time.Second
	// lookEvery is how often something that is waited for is looked at.
	lookEvery = 100 * time.Millisecond
)

// daemon is a scalerd of the demo's own: a child process with a temporary folder.
type daemon struct {
	// dir holds the data folder, the socket and the log.
	dir    string
	client *api.Client
	cmd    *exec.Cmd
	// ended is closed once the process is gone; state is how it ended.
	ended chan struct{}
	state error
}

func (d *daemon) data() string   { return filepath.Join(d.dir, "data") }
func (d *daemon) socket() string { return filepath.Join(d.dir, "sock") }
func (d *daemon) log() string    { return filepath.Join(d.dir, "scalerd.log") }

// startDaemon starts a daemon in dir. It is in a process group of its own, where
// a Ctrl-C on the terminal does not reach it: the demo ends it when its time has
// come.
func startDaemon(dir, executable, terraform string) (*daemon, error) {
	d := &daemon{dir: dir, ended: make(chan struct{})}
	d.client = api.NewClient(d.socket())
	log, err := os.Create(d.log())
	if err != nil {
		return nil, fmt.Errorf("daemon's log: %w", err)
	}
	defer log.Close()
	d.cmd = exec.Command(executable, "--data", d.data(), "--socket", d.socket(),
		"--listen", "127.0.0.1:0", "--drift-interval", driftInterval.String(), "--terraform", terraform)
	d.cmd.Stdout, d.cmd.Stderr = log, log
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := d.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start daemon: %w", err)
	}
	go func() {
		d.state = d.cmd.Wait()
		close(d.ended)
	}()
	return d, nil
}

// alive tells whether the process is there.
func (d *daemon) alive() bool {
	select {
	case <-d.ended:
		return false
	default:
		return true
	}
}

// ready waits until the daemon answers.
func (d *daemon) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startPatience, fmt.Errorf("the daemon did not answer within %s", startPatience))
	defer cancel()
	for {
		if _, err := d.client.Applications(ctx); err == nil {
			return nil
		}
		if !until(ctx, time.Now().Add(lookEvery)) {
			return context.Cause(ctx)
		}
	}
}

// death is the error of a daemon that ended by itself.
func (d *daemon) death() error {
	how := "without an error"
	if d.state != nil {
		how = "with " + d.state.Error()
	}
	return fmt.Errorf("the daemon ended %s, its log ends with:\n%s", how, d.lastWords())
}

// lastWords are the last lines of the daemon's log.
func (d *daemon) lastWords() string {
	const lines, bytes = 10, 16 << 10
	file, err := os.Open(d.log())
	if err != nil {
		return err.Error()
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.Size() > bytes {
		_, _ = file.Seek(-bytes, io.SeekEnd)
	}
	text, err := io.ReadAll(file)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// stop ends the process: it is asked to, and killed where it takes longer than
// patience. A terraform of a killed daemon is killed by the kernel.
func (d *daemon) stop(patience time.Duration) error {
	if !d.alive() {
		return nil
	}
	// A process that is not waited for yet keeps its id.
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop daemon: %w", err)
	}
	select {
	case <-d.ended:
		return nil
	case <-time.After(patience):
	}
	if err := d.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill daemon: %w", err)
	}
	<-d.ended
	return fmt.Errorf("the daemon was killed: it did not end within %s, its log ends with:\n%s", patience, d.lastWords())
}
