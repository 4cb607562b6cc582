package terraform

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/renameio/v2"

	"github.com/scalerd/scalerd/scaler"
)

const (
	stateFile = scaler.StateFile
	// seenFile is a copy of the state that the last step left. Terraform writes its
	// state in place, so a killed one or a full disk can leave it cut short; and a
	// state that is older than this copy, or gone, was lost behind our back.
	seenFile = "terraform.seen.tfstate"
	// stateVersion is the state format that is read here. It has been 4 since
	// Terraform 0.12; another one is read by terraform.
	stateVersion = 4
)

// rawState is the part of state format version 4 that is used here.
type rawState struct {
	Version int    `json:"version"`
	Lineage string `json:"lineage"`
	Serial  int64  `json:"serial"`
	Outputs map[string]struct {
		Value json.RawMessage `json:"value"`
	} `json:"outputs"`
	Resources []struct {
		Module    string `json:"module"`
		Mode      string `json:"mode"`
		Type      string `json:"type"`
		Name      string `json:"name"`
		Instances []struct {
			IndexKey any    `json:"index_key"`
			Status   string `json:"status"`
			Deposed  string `json:"deposed"`
			// Attributes are the resource's; only its identifier is read, which a few
			// providers have as a number.
			Attributes struct {
				ID any `json:"id"`
			} `json:"attributes"`
		} `json:"instances"`
	} `json:"resources"`
}

// State implements scaler.Terraform. It reads files itself, no process, and only
// those that have changed: a group of 200 shards looks at all of them every few
// seconds. The State is shared by all who asked, who only read it.
func (r *Runner) State(dir string) (scaler.State, error) {
	now := time.Now()
	state, seen := stampOf(statePath(dir)), stampOf(filepath.Join(dir, seenFile))
	if have, ok := r.states.Load(dir); ok {
		if have := have.(stateRead); have.state == state && have.seen == seen {
			return have.State, nil
		}
	}
	read, err := ReadState(dir)
	if err != nil || !state.settled(now) || !seen.settled(now) {
		r.states.Delete(dir)
		return read, err
	}
	r.states.Store(dir, stateRead{read, state, seen})
	return read, nil
}

// stateRead is a state, and the files that it was read from.
type stateRead struct {
	scaler.State
	state, seen stamp
}

// stamp tells whether a file has changed.
type stamp struct {
	at   time.Time
	size int64
}

func stampOf(path string) stamp {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}
	}
	return stamp{info.ModTime(), info.Size()}
}

// settled reports whether a change after now gives the file another time: clocks of
// file systems are coarse.
func (s stamp) settled(now time.Time) bool { return now.Sub(s.at) > 2*time.Second }

// ReadState reads the state of the root module in dir. A module that was never
// applied has an empty one. Of a state that was cut short while it was written,
// what the last whole step left is returned: what terraform did since is done
// again by the next step, which restores that file first.
func ReadState(dir string) (scaler.State, error) {
	before, seenErr := readSeen(dir)
	if seenErr != nil && !errors.Is(seenErr, scaler.ErrStateUnread) {
		return scaler.State{}, seenErr
	}
	path := statePath(dir)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if before.Lineage != "" {
			return scaler.State{}, fmt.Errorf("%w: %s is gone, though it was at serial %d; restore it from %s or from your own backup", scaler.ErrStateLost, path, before.Serial, filepath.Join(dir, seenFile))
		}
		return scaler.State{}, nil
	}
	if err != nil {
		return scaler.State{}, fmt.Errorf("read state: %w", err)
	}
	if torn(text) {
		if seenErr != nil { // then there is only its lineage and serial
			return scaler.State{}, seenErr
		}
		return before, nil
	}
	state, err := readState(dir, text)
	if err != nil {
		return scaler.State{}, fmt.Errorf("read state %s: %w", path, err)
	}
	if before.Lineage != "" && (before.Lineage != state.Lineage || before.Serial > state.Serial) {
		return scaler.State{}, fmt.Errorf("%w: %s is at serial %d of lineage %s, but serial %d of lineage %s was seen; restore the newer one, or remove %s to accept this one",
			scaler.ErrStateLost, path, state.Serial, state.Lineage, before.Serial, before.Lineage, filepath.Join(dir, seenFile))
	}
	return state, nil
}

// torn reports whether a state file was cut short while it was written. Terraform
// makes the file empty when it takes its lock.
func torn(text []byte) bool { return !json.Valid(text) }

func parseState(text []byte) (scaler.State, error) {
	var raw rawState
	if err := json.Unmarshal(text, &raw); err != nil {
		return scaler.State{}, fmt.Errorf("%w: not a state: %w", scaler.ErrStateLost, err)
	}
	state := scaler.State{Lineage: raw.Lineage, Serial: raw.Serial}
	if raw.Version != stateVersion {
		return state, fmt.Errorf("%w: its format is %d, and %d is known (0: OpenTofu has encrypted it)", scaler.ErrStateUnread, raw.Version, stateVersion)
	}
	state.Resources, state.IDs, state.Nodes = map[string]bool{}, map[string]string{}, map[string]scaler.NodeOutput{}
	for _, res := range raw.Resources {
		if res.Mode != "managed" {
			continue
		}
		for _, instance := range res.Instances {
			address := instanceAddress(res.Module, res.Type, res.Name, instance.IndexKey)
			tainted := instance.Status == "tainted" || instance.Deposed != ""
			state.Resources[address] = state.Resources[address] || tainted
			if id, ok := instance.Attributes.ID.(string); ok && instance.Deposed == "" {
				state.IDs[address] = id
			}
		}
	}
	outputs := map[string]json.RawMessage{}
	for name, output := range raw.Outputs {
		outputs[name] = output.Value
	}
	if err := takeOutputs(&state, outputs); err != nil {
		return scaler.State{}, err
	}
	return state, nil
}

// parseHead is parseState where lineage and serial are enough: a state that terraform
// alone can read tells them too.
func parseHead(text []byte) (scaler.State, error) {
	state, err := parseState(text)
	if errors.Is(err, scaler.ErrStateUnread) && state.Lineage != "" {
		err = nil
	}
	return state, err
}

func instanceAddress(module, kind, name string, key any) string {
	var b strings.Builder
	if module != "" {
		b.WriteString(module + ".")
	}
	b.WriteString(kind + "." + name)
	switch key := key.(type) {
	case string:
		fmt.Fprintf(&b, "[%q]", key)
	case float64:
		fmt.Fprintf(&b, "[%d]", int(key))
	}
	return b.String()
}

// remember keeps a copy of the state that the step left.
func (r *Runner) remember(ctx context.Context, tf driver) error {
	dir := tf.dir
	if remote(dir) && !r.claimed(tf) { // it may be somebody else's
		return nil
	}
	if err := r.pull(ctx, tf); err != nil {
		return err
	}
	if err := r.show(ctx, tf); err != nil {
		return err
	}
	text, err := os.ReadFile(statePath(dir))
	if errors.Is(err, fs.ErrNotExist) || err == nil && torn(text) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read state: %w", err)
	}
	path := filepath.Join(dir, seenFile)
	if have, err := os.ReadFile(path); err != nil || !bytes.Equal(have, text) {
		if err := renameio.WriteFile(path, text, 0o600); err != nil {
			return fmt.Errorf("keep state of %s: %w", dir, err)
		}
	}
	return r.noteClaim(tf)
}

// mend puts the last whole state in the place of one that was cut short.
func mend(dir string) error {
	path := filepath.Join(dir, stateFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !torn(text) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read state: %w", err)
	}
	whole, err := os.ReadFile(filepath.Join(dir, seenFile))
	if errors.Is(err, fs.ErrNotExist) {
		err = os.Remove(path) // nothing was ever applied to its end
	} else if err == nil {
		err = renameio.WriteFile(path, whole, 0o600)
	}
	if err != nil {
		return fmt.Errorf("mend state %s: %w", path, err)
	}
	return nil
}

func readSeen(dir string) (scaler.State, error) {
	path := filepath.Join(dir, seenFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return scaler.State{}, nil
	}
	if err != nil {
		return scaler.State{}, fmt.Errorf("read %s: %w", path, err)
	}
	state, err := readState(dir, text)
	if err != nil {
		err = fmt.Errorf("read %s: %w", path, err)
	}
	return state, err
}
