package cmd_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// postgres is a PostgreSQL server of one test, on a socket in a folder.
type postgres struct {
	t        *testing.T
	bin, dir string
	// who runs it, where the tests run as root, whom it refuses.
	who *syscall.Credential
}

// pgPassword is the password of the database, which may be in no file.
const pgPassword = "pg-SENTINEL"

// startPostgres runs a new server until the test ends.
func startPostgres(t *testing.T) postgres {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		t.Fatal(err)
	}
	if path, err := exec.LookPath("initdb"); err == nil && len(found) == 0 {
		found = append(found, path)
	}
	if _, err := exec.LookPath("psql"); err != nil || len(found) == 0 {
		t.Skip("PostgreSQL is not installed: no psql on PATH, or no initdb there nor in /usr/lib/postgresql/*/bin")
	}
	// A socket's path is short, so the folder is not the test's own.
	dir, err := os.MkdirTemp("", "pg")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	p := postgres{t: t, bin: filepath.Dir(slices.Max(found)), dir: dir}
	if os.Geteuid() == 0 {
		p.who = p.unprivileged()
	}
	password := filepath.Join(dir, "password")
	if err := os.WriteFile(password, []byte(pgPassword), 0o644); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "data")
	if out, err := p.command("initdb", "--pgdata", data, "--auth", "scram-sha-256", "--username", "scalerd", "--pwfile", password, "--no-sync").CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	if err := os.Remove(password); err != nil {
		t.Fatal(err)
	}
	server := p.command("postgres", "-D", data, "-k", dir, "-c", "listen_addresses=", "-c", "fsync=off", "-c", "log_min_messages=fatal")
	server.Stderr = os.Stderr
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGINT) // the fast shutdown
		_ = server.Wait()
	})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := poll(ctx, func() error {
		_, err := p.query("SELECT 1")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return p
}

// unprivileged gives the folder to a user that may run a server.
func (p postgres) unprivileged() *syscall.Credential {
	p.t.Helper()
	who, err := user.Lookup("postgres")
	if err != nil {
		p.t.Skipf("the tests run as root, and PostgreSQL needs another user: %v", err)
	}
	uid, err := strconv.Atoi(who.Uid)
	if err != nil {
		p.t.Fatal(err)
	}
	gid, err := strconv.Atoi(who.Gid)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := os.Chown(p.dir, uid, gid); err != nil {
		p.t.Fatal(err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

func (p postgres) command(name string, args ...string) *exec.Cmd {
	path := filepath.Join(p.bin, name)
	if name == "psql" { // it is the client's, which may be elsewhere
		path = name
	}
	cmd := exec.Command(path, args...)
	cmd.Dir, cmd.SysProcAttr = p.dir, &syscall.SysProcAttr{Credential: p.who}
	cmd.Env = append(os.Environ(), "PGPASSWORD="+pgPassword)
	return cmd
}

// connection is what PG_CONN_STR is set to.
func (p postgres) connection() string {
	return fmt.Sprintf("host=%s user=scalerd password=%s dbname=postgres sslmode=disable", p.dir, pgPassword)
}

func (p postgres) psql(args ...string) *exec.Cmd {
	return p.command("psql", append([]string{"--no-psqlrc", "--tuples-only", "--no-align", "-h", p.dir, "-U", "scalerd", "-d", "postgres"}, args...)...)
}

// query returns the lines of a query's answer.
func (p postgres) query(sql string) ([]string, error) {
	out, err := p.psql("-c", sql).Output()
	if err != nil {
		return nil, fmt.Errorf("psql: %w", err)
	}
	return strings.Fields(string(out)), nil
}

// lockState takes the lock of a state, as another terraform would, until the
// function that it returns is called.
func (p postgres) lockState(schema string) (release func()) {
	p.t.Helper()
	session := p.psql()
	in, err := session.StdinPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	out, err := session.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := session.Start(); err != nil {
		p.t.Fatal(err)
	}
	fmt.Fprintf(in, "SELECT pg_advisory_lock(id), 'locked' FROM %q.states;\n", schema)
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || !strings.Contains(line, "locked") {
		p.t.Fatalf("lock the state: %q, %v", line, err)
	}
	return func() {
		in.Close()
		_, _ = io.Copy(io.Discard, out)
		if err := session.Wait(); err != nil {
			p.t.Errorf("psql: %v", err)
		}
	}
}
