// Package templates holds the files that scalerd brings along for other programs:
// what new nodes do when they boot, and its systemd unit.
package templates

import "embed"

// CloudInit is the cloud-config that every new node of a cloud gets, joined with
// its group's own (see tfgen/cloudinit).
//
//go:embed cloud-init.yaml
var CloudInit []byte

// Assets are the static files of pages: uPlot 1.6.32 with its licence, and those of
// scalerd's own pages.
//
//go:embed assets
var Assets embed.FS

// Docs are the pages for users, in Markdown; README.md is their table of contents
// (see scaler/docs).
//
//go:embed docs/*.md
var Docs embed.FS

// Console are the files of the web console (see scaler/console).
//
//go:embed console
var Console embed.FS
