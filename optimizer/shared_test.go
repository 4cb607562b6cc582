package optimizer

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// shared returns the path of a test file that lies beside the repository, or skips.
func shared(tb testing.TB, elem ...string) string {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			tb.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
	path := filepath.Join(append([]string{dir, "..", "shared"}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		tb.Skipf("%s is not here", filepath.Join(append([]string{"../shared"}, elem...)...))
	}
	return path
}

// micadoInputs are the inputs of the original's experiments.
var micadoInputs = []string{"AVG_RR", "SUM_RR", "CPU", "Inter", "CTXSW", "KBIn", "PktIn", "KBOut", "PktOut"}

func limit(v float64) *float64 { return &v }

// testConfig has two inputs, load and work, and the target latency at most 250.
func testConfig() Config {
	c := Default()
	c.Inputs = []string{"load", "work"}
	c.Targets = []Target{{Name: "latency", Min: limit(50), Max: limit(250)}}
	c.MaxNodes = 20
	return c
}

var start = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func newOptimizer(tb testing.TB, c Config) *Optimizer {
	tb.Helper()
	o, err := New(c)
	if err != nil {
		tb.Fatal(err)
	}
	return o
}

// step is a sample of n ready nodes, i intervals after the start.
func step(i, nodes int, load, work, latency float64) Sample {
	return Sample{At: start.Add(time.Duration(i) * 15 * time.Second), Nodes: nodes, Total: nodes,
		Values: map[string]float64{"load": load, "work": work, "latency": latency}}
}
