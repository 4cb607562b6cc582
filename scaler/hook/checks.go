package hook

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/scalerd/scalerd/scaler"
)

// checkTime is the longest time of one check.
const checkTime = 30 * time.Second

// Checks is a folder of checks: every executable file in it is run, in the order of
// the names, with the plan's JSON as `terraform show -json` writes it on its standard
// input, and SCALERD_APPLICATION, SCALERD_GROUP, SCALERD_SHARD and SCALERD_DECISION
// in its environment. Exit status 0 passes the plan and 1 refuses it, with what the
// check wrote as the reason. With any other status, and after 30 s, the plan is not
// applied either, and is tried again later.
//
// Open Policy Agent needs two lines, and its status is the check's:
//
//	#!/bin/sh
//	exec conftest test --policy /etc/scalerd/rego -
type Checks string

var _ scaler.Checks = Checks("")

// Check implements scaler.Checks.
func (dir Checks) Check(ctx context.Context, of scaler.Subject, plan func(context.Context) ([]byte, error)) error {
	checks, err := dir.list()
	if err != nil || len(checks) == 0 {
		return err
	}
	text, err := plan(ctx)
	if err != nil {
		return err
	}
	env := []string{
		"SCALERD_APPLICATION=" + of.Application, "SCALERD_GROUP=" + of.Group,
		"SCALERD_SHARD=" + of.Shard, "SCALERD_DECISION=" + strconv.FormatInt(of.Decision, 10),
	}
	for _, path := range checks {
		if err := check(ctx, path, env, text); err != nil {
			return err
		}
	}
	return nil
}

func check(ctx context.Context, path string, env []string, plan []byte) error {
	ctx, cancel := context.WithTimeoutCause(ctx, checkTime, fmt.Errorf("no answer within %s", checkTime))
	defer cancel()
	words, status, err := program{argv: []string{path}, env: env, stdin: plan}.run(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("check of the plan: %w; nothing was applied%s", err, said(words))
	case status == 1:
		return &scaler.VetoError{Check: filepath.Base(path), Words: words}
	case status != 0:
		return fmt.Errorf("check of the plan: %s ended with status %d, which neither passes nor refuses it; nothing was applied%s", path, status, said(words))
	}
	return nil
}

// said adds what a program wrote to an error.
func said(words string) string {
	if words == "" {
		return ""
	}
	return ": " + words
}

// list is what to run: executable files, but hidden ones.
func (dir Checks) list() ([]string, error) {
	entries, err := os.ReadDir(string(dir))
	if err != nil {
		return nil, fmt.Errorf("folder of checks: %w; nothing is applied without it", err)
	}
	var checks []string
	for _, entry := range entries {
		path := filepath.Join(string(dir), entry.Name())
		info, err := os.Stat(path) // through links
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("folder of checks: %s leads nowhere; nothing is applied before it is mended", path)
		}
		if err != nil {
			return nil, fmt.Errorf("folder of checks: %w", err)
		}
		if info.Mode().IsRegular() && info.Mode()&0o111 != 0 && !strings.HasPrefix(entry.Name(), ".") {
			checks = append(checks, path)
		}
	}
	return checks, nil
}
