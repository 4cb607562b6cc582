package main

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/scalerd/scalerd/examples"
	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/monitor"
)

// TestExamplesAreValid checks every description and template of examples.
func TestExamplesAreValid(t *testing.T) {
	checked := 0
	err := fs.WalkDir(examples.Files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".yaml") {
			return err
		}
		text, err := examples.Files.ReadFile(path)
		if err != nil {
			return err
		}
		source := scaler.Source{File: path, Text: text}
		if path == "tosca/shop.yaml" {
			source.Params = map[string]any{"image": "ami-0123456789abcdef0"}
		}
		if _, _, err := scaler.Validate(source, monitor.CheckQuery, scaler.CheckPrices(nil)); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		checked++
		return nil
	})
	if err != nil || checked < 3 {
		t.Errorf("%d examples were checked: %v", checked, err)
	}
}
