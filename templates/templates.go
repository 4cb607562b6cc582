// Package templates holds the files that scalerd brings along for other programs:
// what new nodes do when they boot, and its systemd unit.
package templates

import _ "embed"

// CloudInit is the cloud-config that every new node of a cloud gets, joined with
// its group's own (see tfgen/cloudinit).
//
//go:embed cloud-init.yaml
var CloudInit []byte
