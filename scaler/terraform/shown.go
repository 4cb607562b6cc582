package terraform

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
	tfjson "github.com/hashicorp/terraform-json"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/tfgen"
)

// A state whose format is not known here, or that OpenTofu has encrypted, is read by
// terraform itself: after each step and in each drift check, and never when State is
// asked. What it shows is kept in a file beside the state and counts for that very state.

// shownFile keeps what terraform showed last. It has no attribute but identifiers.
const shownFile = "terraform.shown.json"

// shown is what terraform showed of the state with the digest.
type shown struct {
	Digest string       `json:"digest"`
	State  scaler.State `json:"state"`
}

// readState reads the text of a state of the root module in dir. Of one that was not
// shown yet the lineage and serial come with the error, a scaler.ErrStateUnread.
func readState(dir string, text []byte) (scaler.State, error) {
	state, err := parseState(text)
	if !errors.Is(err, scaler.ErrStateUnread) {
		return state, err
	}
	path := filepath.Join(dir, shownFile)
	kept, readErr := os.ReadFile(path)
	if errors.Is(readErr, fs.ErrNotExist) {
		return state, err
	}
	var s shown
	if readErr == nil {
		readErr = json.Unmarshal(kept, &s)
	}
	if readErr != nil {
		return state, fmt.Errorf("%w: read %s: %w", err, path, readErr)
	}
	if s.Digest != digestOf(text) {
		return state, err
	}
	if bytes.Equal(s.State.Shared, []byte("null")) {
		s.State.Shared = nil
	}
	return s.State, nil
}

func digestOf(text []byte) string { return fmt.Sprintf("%x", sha256.Sum256(text)) }

// show has terraform show the state of a root module, where it has to and was not
// asked about this very state before.
func (r *Runner) show(ctx context.Context, tf driver) error {
	path := statePath(tf.dir)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && torn(text) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read state: %w", err)
	}
	state, err := readState(tf.dir, text)
	if !errors.Is(err, scaler.ErrStateUnread) {
		return nil // who needs the state is told what is wrong with it
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pullTimeout)
	defer cancel()
	said, err := tf.Show(ctx)
	if err != nil {
		return fmt.Errorf("have the state of %s shown: %w", tf.dir, err)
	}
	if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, text) {
		return fmt.Errorf("%w: %s was written while terraform showed it", scaler.ErrStateUnread, path)
	}
	if state, err = ofShown(state, said); err != nil {
		return fmt.Errorf("state of %s: %w", tf.dir, err)
	}
	kept, err := json.Marshal(shown{digestOf(text), state})
	if err != nil {
		return fmt.Errorf("keep what terraform shows of %s: %w", tf.dir, err)
	}
	if err := renameio.WriteFile(filepath.Join(tf.dir, shownFile), kept, 0o600); err != nil {
		return fmt.Errorf("keep what terraform shows of %s: %w", tf.dir, err)
	}
	return nil
}

// ofShown is the state with that lineage and serial, and the content that was shown.
func ofShown(state scaler.State, said *tfjson.State) (scaler.State, error) {
	state.Resources, state.IDs, state.Nodes = map[string]bool{}, map[string]string{}, map[string]scaler.NodeOutput{}
	if said.Values == nil { // there is nothing in it
		return state, nil
	}
	addShown(state, said.Values.RootModule)
	outputs := map[string]json.RawMessage{}
	for name, output := range said.Values.Outputs {
		text, err := json.Marshal(output.Value)
		if err != nil {
			return state, fmt.Errorf("output %q: %w", name, err)
		}
		outputs[name] = text
	}
	return state, takeOutputs(&state, outputs)
}

func addShown(state scaler.State, module *tfjson.StateModule) {
	if module == nil {
		return
	}
	for _, resource := range module.Resources {
		if resource.Mode != tfjson.ManagedResourceMode {
			continue
		}
		state.Resources[resource.Address] = state.Resources[resource.Address] || resource.Tainted || resource.DeposedKey != ""
		if id, ok := resource.AttributeValues["id"].(string); ok && resource.DeposedKey == "" {
			state.IDs[resource.Address] = id
		}
	}
	for _, child := range module.ChildModules {
		addShown(state, child)
	}
}

// takeOutputs reads the outputs that scalerd's own modules have.
func takeOutputs(state *scaler.State, outputs map[string]json.RawMessage) error {
	state.Shared = outputs["shared"]
	if text, ok := outputs[tfgen.InstallationOutput]; ok {
		if err := json.Unmarshal(text, &state.Installation); err != nil {
			return fmt.Errorf("output %q: %w", tfgen.InstallationOutput, err)
		}
	}
	if text, ok := outputs["nodes"]; ok {
		if err := json.Unmarshal(text, &state.Nodes); err != nil {
			return fmt.Errorf(`output "nodes": %w`, err)
		}
	}
	return nil
}
