// Package examples holds descriptions to learn from, and the Terraform modules that
// some of them use; the tests run every one of them.
package examples

import "embed"

// Files are the descriptions and modules, by their paths in this folder.
//
//go:embed local ec2 openstack azure module tosca
var Files embed.FS
