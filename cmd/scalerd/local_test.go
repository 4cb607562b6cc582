package main

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/scalerd/scalerd/scaler/local"
)

// runLocal runs `scalerd local` with these arguments and returns its stdout.
func runLocal(ctx context.Context, args ...string) (string, error) {
	cmd := localCommand()
	var stdout, stderr bytes.Buffer
	cmd.SetArgs(args)
	cmd.SetOut(&stdout)
	cmd.SetErr(&stderr)
	err := cmd.ExecuteContext(ctx)
	return stdout.String(), err
}

func TestLocalStartAdoptsWhatRuns(t *testing.T) {
	dir := t.TempDir()
	place := []string{"--dir", dir, "--name", "web-0001"}
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := runLocal(ctx, append([]string{"run", "--slots", "3", "--service-time", "1ms"}, place...)...)
		ended <- err
	}()
	defer func() {
		end()
		if err := <-ended; err != nil {
			t.Errorf("local run ended with %v", err)
		}
		if out, err := runLocal(t.Context(), append([]string{"stop"}, place...)...); err != nil || out != "" {
			t.Errorf("local stop = %q, error %v", out, err)
		}
		if _, err := local.ReadRecord(dir, "web-0001"); err == nil {
			t.Error("the record is there after local stop")
		}
	}()
	// start would run this test's binary if there were nothing to adopt.
	look, deadline := time.NewTicker(10*time.Millisecond), time.After(10*time.Second)
	defer look.Stop()
	for !written(dir) {
		select {
		case <-look.C:
		case <-deadline:
			t.Fatal("local run has written no record")
		}
	}
	out, err := runLocal(t.Context(), append([]string{"start"}, place...)...)
	if err != nil {
		t.Fatal(err)
	}
	var record local.Record
	if err := json.Unmarshal([]byte(out), &record); err != nil || record.Kind != local.KindNode || record.Port == 0 {
		t.Errorf("local start printed %q, error %v, want the record of a node", out, err)
	}
}

func written(dir string) bool {
	_, err := local.ReadRecord(dir, "web-0001")
	return err == nil
}

func TestLocalRefusesWrongFlags(t *testing.T) {
	for _, test := range []struct {
		name, want string
		args       []string
	}{
		{"start without a place", `required flag(s) "dir", "name" not set`, []string{"start"}},
		{"stop without a name", `required flag(s) "name" not set`, []string{"stop", "--dir", "x"}},
		{"run of a node without slots", "--slots is 0", []string{"run", "--dir", "x", "--name", "a", "--slots", "0"}},
		{"a balancer without nodes", "--nodes is missing", []string{"start", "--dir", "x", "--name", "a", "--balancer", ":0"}},
		{"an argument too much", "unknown command", []string{"stop", "--dir", "x", "--name", "a", "b"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := runLocal(t.Context(), test.args...)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("local %v: error %v, want %q in it", test.args, err, test.want)
			}
		})
	}
}
