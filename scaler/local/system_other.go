//go:build !unix

package local

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

var errNotUnix = fmt.Errorf("the local cloud needs a Unix system: %w", errors.ErrUnsupported)

func flock(*os.File, bool) (bool, error) { return false, errNotUnix }

func funlock(*os.File) {}

func detached() *syscall.SysProcAttr { return nil }

func closeInheritedOnExec() error { return errNotUnix }

func reaped(int) (bool, error) { return false, errNotUnix }
