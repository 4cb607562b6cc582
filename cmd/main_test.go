// Package cmd_test runs the real scalerd and scalerctl, with real terraform, node
// processes and requests over the loopback interface.
package cmd_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the expected texts in testdata/script")

func TestMain(m *testing.M) {
	flag.Parse()
	if order := os.Getenv(crashEnv); order != "" {
		if err := crashDaemon(order); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(withBinaries(m.Run))
}

// withBinaries builds both commands, with the race detector where the tests run
// with it, and puts them first on PATH.
func withBinaries(run func() int) int {
	dir, err := os.MkdirTemp("", "scalerd-bin-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	build := exec.Command("go", "build", fmt.Sprintf("-race=%t", raceDetector), "-o", dir+string(filepath.Separator), "./scalerd", "./scalerctl")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build the commands:", err)
		return 1
	}
	if err := os.Setenv("PATH", dir+string(filepath.ListSeparator)+os.Getenv("PATH")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return run()
}
