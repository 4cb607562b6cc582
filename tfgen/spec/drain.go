package spec

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Drain is what is done to a node before it is destroyed: a command is run, or a
// URL is called, so that the node finishes its work. A node that never worked, or is
// gone, is not drained.
type Drain struct {
	// Command is run on scalerd's machine, without a shell.
	Command []string `yaml:"command,omitempty" jsonschema:"minItems=1" jsonschema_description:"Command to run on scalerd's machine, with its arguments; no shell. It may be run again for the same node."`
	// URL is called with POST.
	URL string `yaml:"url" jsonschema_description:"Address to POST to, in place of command. It may be called again for the same node."`
	// Timeout ends the command or the call.
	Timeout Duration `yaml:"timeout" jsonschema_description:"Longest time for one node. Default 5m."`
	// OnFailure says what follows a drain that failed or took too long.
	OnFailure DrainFailure `yaml:"on_failure" jsonschema:"enum=proceed,enum=keep" jsonschema_description:"What follows a drain that failed or took too long: proceed destroys the node, keep leaves it in service and tries again later. Default proceed."`
	// AtOnce is the most nodes that are drained at the same time.
	AtOnce int `yaml:"at_once" jsonschema:"minimum=1" jsonschema_description:"Most nodes drained at the same time. Default 10."`
}

// DrainFailure says what follows a drain that failed.
type DrainFailure string

const (
	// DrainProceed destroys the node all the same.
	DrainProceed DrainFailure = "proceed"
	// DrainKeep leaves the node in service.
	DrainKeep DrainFailure = "keep"
)

// Repair says when a node that exists and does not work is replaced: its
// replacement comes first.
type Repair struct {
	// UnhealthyAfter is how long a node must not have been ready.
	UnhealthyAfter Duration `yaml:"unhealthy_after" jsonschema_description:"How long a node that was ready before must not have been ready. Default 10m."`
	// BootTimeout is how long a new node may take to be ready for the first time.
	BootTimeout Duration `yaml:"boot_timeout" jsonschema_description:"How long a new node may take to be ready; then it counts as a failed creation. Default 20m."`
	// AtOnce is the most nodes that are replaced at the same time.
	AtOnce int `yaml:"at_once" jsonschema:"minimum=1" jsonschema_description:"Most nodes replaced at the same time. Default 1."`
	// MaxPerHour bounds the replacements of an hour.
	MaxPerHour int `yaml:"max_per_hour" jsonschema:"minimum=1" jsonschema_description:"Most nodes replaced within an hour. Default 6."`
	// MaxUnready is the share of the group, in percent, that may be unready at once;
	// with more, monitoring or network are suspected and nothing is replaced. One
	// node is always allowed.
	MaxUnready float64 `yaml:"max_unready_percent" jsonschema:"minimum=0,maximum=100" jsonschema_description:"With more unready nodes than this percentage, and more than one, monitoring or the network is suspected and none is replaced. Default 30."`
}

func setDrainDefaults(d *Drain, path string, has func(path string) bool) {
	set(&d.Timeout, Duration(5*time.Minute), has(path+".timeout"))
	set(&d.OnFailure, DrainProceed, has(path+".on_failure"))
	set(&d.AtOnce, 10, has(path+".at_once"))
}

func setRepairDefaults(r *Repair, path string, has func(path string) bool) {
	set(&r.UnhealthyAfter, Duration(10*time.Minute), has(path+".unhealthy_after"))
	set(&r.BootTimeout, Duration(20*time.Minute), has(path+".boot_timeout"))
	set(&r.AtOnce, 1, has(path+".at_once"))
	set(&r.MaxPerHour, 6, has(path+".max_per_hour"))
	set(&r.MaxUnready, 30, has(path+".max_unready_percent"))
}

func (c *checker) drain(d *Drain, path string) {
	switch {
	case c.doc.Wrong(path+".command") || c.doc.Wrong(path+".url"):
	case len(d.Command) == 0 && d.URL == "":
		c.mistake(path, "does nothing", "write command: [program, argument] or url:")
	case len(d.Command) > 0 && d.URL != "":
		c.mistake(path+".url", "is set together with command", "keep one of them")
	case d.URL != "":
		u, err := url.Parse(d.URL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			c.mistake(path+".url", fmt.Sprintf("is %q, which is no http address", d.URL), "write it as https://host/path")
		} else if u.User != nil {
			c.mistake(path+".url", "holds a user or a password", "use a command that reads it from a file")
		}
	case strings.TrimSpace(d.Command[0]) == "" || slices.ContainsFunc(d.Command, func(arg string) bool { return strings.ContainsRune(arg, 0) }):
		c.mistake(path+".command", "names no program", "write the program first, then its arguments")
	}
	if c.fine(path+".timeout") && d.Timeout <= 0 {
		c.mistake(path+".timeout", "is 0s", "write more than 0s")
	}
}

func (c *checker) repair(r *Repair, path string) {
	least := func(key string, value Duration) {
		if at := path + "." + key; c.fine(at) && value.AsDuration() < time.Minute {
			c.mistake(at, fmt.Sprintf("is %s, less than 1m", value), "write 1m or more: a node that is slow once is not broken")
		}
	}
	least("unhealthy_after", r.UnhealthyAfter)
	least("boot_timeout", r.BootTimeout)
}
