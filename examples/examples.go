// Package examples holds descriptions to learn from; the tests run every one of
// them.
package examples

import "embed"

// Files are the descriptions, by their paths in this folder.
//
//go:embed local tosca
var Files embed.FS
