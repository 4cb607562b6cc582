package hook_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/hook"
	"github.com/scalerd/scalerd/tfgen/spec"
)

func script(t *testing.T, dir, name, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text+"\n"), mode); err != nil {
		t.Fatal(err)
	}
}

func planned(context.Context) ([]byte, error) { return []byte(`{"resource_changes":[]}`), nil }

var subject = scaler.Subject{Application: "shop", Group: "web", Shard: "shard-000", Decision: 7}

func TestAPlanPassesWhenEveryCheckDoes(t *testing.T) {
	dir := t.TempDir()
	script(t, dir, "10-sees", `test "$(cat)" = '{"resource_changes":[]}' && test "$SCALERD_APPLICATION/$SCALERD_GROUP/$SCALERD_SHARD/$SCALERD_DECISION" = shop/web/shard-000/7`, 0o755)
	script(t, dir, "20-not-executable", "exit 1", 0o644)
	script(t, dir, ".hidden", "exit 1", 0o755)
	if err := hook.Checks(dir).Check(t.Context(), subject, planned); err != nil {
		t.Error(err)
	}
}

func TestACheckRefusesInItsOwnWords(t *testing.T) {
	dir := t.TempDir()
	script(t, dir, "10-passes", "exit 0", 0o755)
	script(t, dir, "20-refuses", "echo no node on a Friday; exit 1", 0o755)
	var veto *scaler.VetoError
	err := hook.Checks(dir).Check(t.Context(), subject, planned)
	if !errors.As(err, &veto) || veto.Check != "20-refuses" || veto.Words != "no node on a Friday" {
		t.Errorf("Check() = %v, want the veto of 20-refuses in its words", err)
	}
}

func TestACheckThatFailsIsNoVeto(t *testing.T) {
	dir := t.TempDir()
	script(t, dir, "broken", "echo no policy found >&2; exit 2", 0o755)
	err := hook.Checks(dir).Check(t.Context(), subject, planned)
	if err == nil || errors.As(err, new(*scaler.VetoError)) || !strings.Contains(err.Error(), "status 2") || !strings.Contains(err.Error(), "no policy found") {
		t.Errorf("Check() = %v, want an error that is no veto and says what the check wrote", err)
	}
}

func TestAPlanIsNotAppliedWithoutTheFolder(t *testing.T) {
	if err := hook.Checks(filepath.Join(t.TempDir(), "gone")).Check(t.Context(), subject, planned); err == nil {
		t.Error("Check() without its folder = nil, want an error")
	}
}

func TestNothingIsShownWithoutAnyCheck(t *testing.T) {
	err := hook.Checks(t.TempDir()).Check(t.Context(), subject, func(context.Context) ([]byte, error) {
		t.Error("the plan was shown although no check wants it")
		return nil, nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestALongAnswerIsCut(t *testing.T) {
	dir := t.TempDir()
	script(t, dir, "talks", `head -c 100000 /dev/zero | tr '\0' x; exit 1`, 0o755)
	err := hook.Checks(dir).Check(t.Context(), subject, planned)
	if err == nil || len(err.Error()) > 20_000 || !strings.HasSuffix(err.Error(), "[cut]") {
		t.Errorf("Check() is %d bytes long, want them cut", len(err.Error()))
	}
}

func TestNoCredentialsReachAProgram(t *testing.T) {
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	dir := t.TempDir()
	script(t, dir, "env", "env; exit 1", 0o755)
	if err := hook.Checks(dir).Check(t.Context(), subject, planned); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("Check() = %v, want an environment without credentials", err)
	}
}

var node = scaler.DrainNode{
	Application: "shop", Group: "web", Node: "web-0003", ID: "i-1", PrivateIP: "10.0.0.1", PublicIP: "198.51.100.1",
	Decision: 7, Deadline: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
}

func TestACommandDrainsTheNodeOfItsEnvironment(t *testing.T) {
	dir := t.TempDir()
	script(t, dir, "drain", `echo "$1 $SCALERD_APPLICATION $SCALERD_GROUP $SCALERD_NODE $SCALERD_ID $SCALERD_PRIVATE_IP $SCALERD_PUBLIC_IP $SCALERD_DECISION $SCALERD_DEADLINE" > "`+dir+`/out"`, 0o755)
	if err := (hook.Drainer{}).Drain(t.Context(), spec.Drain{Command: []string{filepath.Join(dir, "drain"), "now"}}, node); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, "out"))
	if want := "now shop web web-0003 i-1 10.0.0.1 198.51.100.1 7 2026-03-01T12:00:00Z\n"; err != nil || string(got) != want {
		t.Errorf("the command saw %q, %v, want %q", got, err, want)
	}
}

func TestADrainEndsWithItsDeadline(t *testing.T) {
	dir := t.TempDir()
	script(t, dir, "drain", "sleep 60 & sleep 60", 0o755)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := (hook.Drainer{}).Drain(ctx, spec.Drain{Command: []string{filepath.Join(dir, "drain")}}, node)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Drain() = %v, want the deadline", err)
	}
}

func TestAFailedCommandSaysWhy(t *testing.T) {
	err := (hook.Drainer{}).Drain(t.Context(), spec.Drain{Command: []string{"sh", "-c", "echo busy; exit 3"}}, node)
	if err == nil || !strings.Contains(err.Error(), "drain web-0003: sh ended with status 3: busy") {
		t.Errorf("Drain() = %v, want the command's status and words", err)
	}
}

func TestAURLIsToldOfTheNode(t *testing.T) {
	var got scaler.DrainNode
	status := http.StatusNoContent
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil || r.Method != http.MethodPost {
			t.Errorf("%s with a body that is no JSON: %v", r.Method, err)
		}
		w.WriteHeader(status)
	}))
	defer server.Close()
	if err := (hook.Drainer{}).Drain(t.Context(), spec.Drain{URL: server.URL}, node); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(node, got); diff != "" {
		t.Errorf("the URL was told (-want +got):\n%s", diff)
	}
	status = http.StatusServiceUnavailable
	if err := (hook.Drainer{}).Drain(t.Context(), spec.Drain{URL: server.URL}, node); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("Drain() = %v, want the answer's status", err)
	}
}
