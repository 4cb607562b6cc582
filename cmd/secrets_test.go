package cmd_test

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/scalerd/scalerd/scaler/credentials"
	keys "github.com/scalerd/scalerd/scaler/secrets"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// The secrets that scalerd is given here, each of them found by find in any form.
const (
	awsSecret       = "aws/wJalr+XUtnFEMI&K7MDENG<bPxRfi"
	openstackSecret = "openstack-5d1f0c7e9ab34e"
	azureSecret     = "azure~Q8r-71b2c6d9e0f34a"
	windowsSecret   = "Win-azure-90ab12cd34ef-1"
	firstPhrase     = "correct horse battery 4471"
	secondPhrase    = "staple anvil lantern 9023"
	userPassword    = "olga's long password 5562"
	wrongPassword   = "olga's mistyped password 8"
	wrongToken      = "scalerd_notatoken_0c1d2e3f4a5b6c7d"
)

// TestSecretsAreNowhere gives scalerd every kind of secret that it takes, has it work
// with them at its most talkative, and looks for them in everything that it writes,
// answers, sends and starts. The list of places is in templates/docs/security.md.
func TestSecretsAreNowhere(t *testing.T) {
	t.Parallel()
	collected := collector(t)
	d, clouds := newSimulated(t)
	phrase, seen := filepath.Join(t.TempDir(), "passphrase"), t.TempDir()
	put(t, phrase, firstPhrase+"\n", 0o600)
	// A check of plans keeps what it is given, and the files that are there meanwhile:
	// the saved plan among them.
	checks := t.TempDir()
	put(t, filepath.Join(checks, "keep"), fmt.Sprintf("#!/bin/sh\nset -e\nto=$(mktemp -d %s/XXXXXX)\ncat >$to/plan.json\nenv >$to/env\ncp -r %s/apps $to\n", seen, d.data), 0o700)
	d.flags = []string{"--log-level", "debug", "--credentials-passphrase", "file:" + phrase, "--policy-dir", checks, "--api-listen", "127.0.0.1:0"}
	d.env = append(d.env, "OTEL_EXPORTER_OTLP_ENDPOINT="+collected.URL)
	d.start()

	for kind, text := range map[string]string{
		"ec2":   "accesskey: AKIAFIRST\nsecretkey: " + strconv.Quote(awsSecret),
		"nova":  "username: me\npassword: " + openstackSecret + "\ndomain_name: Default",
		"azure": "subscription_id: 00000000-0000-0000-0000-000000000001\ntenant_id: t\nclient_id: c\nclient_secret: " + azureSecret + "\nadmin_password: " + windowsSecret,
	} {
		d.told(text, "credentials", "set", kind)
	}
	d.told(userPassword, "users", "add", "olga", "--role", "admin")
	token := strings.TrimSpace(d.told("", "tokens", "create", "machine", "--role", "admin"))
	d.told(secondPhrase, "credentials", "rotate", "--passphrase")
	put(t, phrase, secondPhrase+"\n", 0o600)
	b := d.browse()
	cookie := b.login("olga", userPassword, wrongPassword)
	b.refused(wrongToken)
	all := []hidden{
		hide("the key of EC2", awsSecret), hide("the password of OpenStack", openstackSecret), hide("the secret of Azure", azureSecret),
		hide("the password of Windows nodes", windowsSecret), hide("the first passphrase", firstPhrase), hide("the second passphrase", secondPhrase),
		hide("the user's password", userPassword), hide("the mistyped password", wrongPassword), hide("the wrong token", wrongToken),
		hide("the token", token), hide("the session", cookie), hide("the key of the credentials", "AGE-SECRET-KEY-1"),
	}

	description := "name: shop\ninterval: 1s\ngroups:\n"
	for _, cloud := range []string{"ec2", "openstack", "azure"} {
		description += simulatedGroup(cloud, "min: 1, max: 2")
	}
	d.submit(description)
	d.processesHide(all, awsSecret)
	for _, cloud := range []string{"ec2", "openstack", "azure"} {
		d.wait("shop", cloud, 1)
	}

	h := &hunt{t: t, all: all}
	for _, args := range [][]string{{"credentials", "list"}, {"credentials", "list", "-o", "json"}, {"credentials", "test", "ec2"}, {"users", "list", "-o", "json"},
		{"tokens", "list", "-o", "json"}, {"audit", "tail"}, {"status", "-o", "json"}, {"journal", "shop", "ec2", "--resources"}, {"explain", "shop", "ec2"}} {
		out, errs, _ := d.ctl(args...)
		h.look("scalerctl "+strings.Join(args, " "), []byte(out+errs))
	}
	d.must("audit", "verify")
	b.walkAPI(h, token)
	b.walkPages(h)
	h.look("/metrics", []byte(d.metrics()))
	d.eventually("traces are sent", func() error {
		if len(collected.text()) == 0 {
			return fmt.Errorf("nothing came")
		}
		return nil
	})
	h.look("the traces", collected.text())
	for _, dir := range []string{d.base, clouds.Dir(), seen} {
		h.files(dir)
	}
	table, err := rows(filepath.Join(d.data, "scalerd.db"))
	if err != nil {
		t.Fatal(err)
	}
	h.look("the database", table)
	for _, want := range []string{"terraform.tfstate", "scalerd.db", "scalerd.db-wal", "audit.log", "log", "plan.json", ".tfplan", keys.FileName} {
		if !h.saw(want) {
			t.Errorf("no file *%s was looked at", want)
		}
	}
	d.sealed(secondPhrase)
}

// sealed checks that the credentials, which nothing showed, are where they have to be.
func (d *daemon) sealed(phrase string) {
	d.t.Helper()
	file := filepath.Join(d.data, keys.FileName)
	key, err := keys.PassphraseKey(filepath.Join(d.data, "credentials.key.age"), file, phrase)
	if err != nil {
		d.t.Fatal(err)
	}
	opened, err := keys.OpenFile(file, key)
	if err != nil {
		d.t.Fatal(err)
	}
	var e credentials.Entry
	if e, _, err = opened.Pick(d.t.Context(), spec.CloudEC2, ""); err != nil || e.AuthData["secretkey"] != awsSecret {
		d.t.Errorf("the store does not have what it was given: %v", err)
	}
	for _, name := range []string{file, filepath.Join(d.data, "credentials.key.age")} {
		text, err := os.ReadFile(name)
		info, err2 := os.Stat(name)
		if err != nil || err2 != nil || info.Mode().Perm() != 0o600 || !bytes.HasPrefix(text, []byte("age-encryption.org/v1\n")) {
			d.t.Errorf("%s is not encrypted, or not private: %v %v", name, err, err2)
		}
	}
}

// processesHide waits for a terraform that applies with a secret, and checks that no
// process of the daemon has one on its command line, or may dump its memory; scalerd
// itself has none in its environment either.
func (d *daemon) processesHide(all []hidden, given string) {
	d.t.Helper()
	read := func(pid int, name string) []byte {
		text, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), name)) // of one that lives
		return text
	}
	if found := find(all, read(d.cmd.Process.Pid, "environ")); len(found) > 0 {
		d.t.Errorf("scalerd's environment has %v", found)
	}
	d.eventually("a terraform applies with credentials", func() error {
		with := false
		for _, p := range append(processesOf(d.t, d.base), process{pid: d.cmd.Process.Pid}) {
			line, limits := read(p.pid, "cmdline"), read(p.pid, "limits")
			if found := find(all, line); len(found) > 0 {
				return permanent(fmt.Errorf("%q shows %v", line, found))
			}
			if len(limits) > 0 && !strings.Contains(strings.Join(strings.Fields(string(limits)), " "), "Max core file size 0 0 ") {
				return permanent(fmt.Errorf("%q may dump its memory:\n%s", line, limits))
			}
			with = with || p.terraform("apply") && bytes.Contains(read(p.pid, "environ"), []byte(given))
		}
		if !with {
			return fmt.Errorf("none was seen")
		}
		return nil
	})
}

// told runs scalerctl with something on its standard input, and returns what it wrote.
func (d *daemon) told(in string, args ...string) string {
	d.t.Helper()
	cmd := exec.CommandContext(d.t.Context(), "scalerctl", append([]string{"--socket", filepath.Join(d.data, "scalerd.sock")}, args...)...)
	cmd.Stdin = strings.NewReader(in + "\n")
	out, err := cmd.Output()
	if err != nil {
		d.t.Fatalf("scalerctl %s: %v", strings.Join(args, " "), err)
	}
	return string(out)
}

// hunt looks for secrets, and remembers where.
type hunt struct {
	t     testing.TB
	all   []hidden
	paths []string
}

func (h *hunt) look(place string, text []byte) {
	h.t.Helper()
	h.paths = append(h.paths, place)
	if found := find(h.all, text); len(found) > 0 {
		h.t.Errorf("%s holds %s", place, strings.Join(found, ", "))
	}
}

func (h *hunt) saw(suffix string) bool {
	for _, path := range h.paths {
		if strings.HasSuffix(path, suffix) {
			return true
		}
	}
	return false
}

// files looks at all files in a folder, those that are removed meanwhile excepted.
func (h *hunt) files(dir string) {
	h.t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if os.IsNotExist(err) || err == nil && !entry.Type().IsRegular() {
			return nil
		}
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			return nil
		}
		h.look(path, text)
		return err
	})
	if err != nil {
		h.t.Error(err)
	}
}

func put(t testing.TB, path, text string, mode fs.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// traceCollector takes what an OpenTelemetry collector is sent.
type traceCollector struct {
	*httptest.Server
	mu  sync.Mutex
	got bytes.Buffer
}

func collector(t testing.TB) *traceCollector {
	c := &traceCollector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, part := range append(unpack(body), body) {
			c.got.Write(part)
		}
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *traceCollector) text() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Clone(c.got.Bytes())
}
