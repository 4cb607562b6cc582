//go:build !unix

package simcloud

import (
	"errors"
	"os"
)

func lock(*os.File, bool) error {
	return errors.New("simulated clouds need file locks, which are there on Linux and macOS")
}

// die ends the process without any clean-up.
func die() { os.Exit(137) }
