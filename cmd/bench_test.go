package cmd_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/scalerd/scalerd/tfgen"
)

// mostOverhead bounds what the daemon may take for a step, as a multiple of what
// the bare terraform commands take in the same module.
const mostOverhead = 1.3

// BenchmarkOneMoreNode adds a node to a group of ten, from the order to the state
// that was read back, and in turn by hand: the same change in a copy of the same
// module with `terraform plan -out` and `terraform apply`. It prints the medians of
// both and the median of the pairs' ratios, and fails where that is too large.
func BenchmarkOneMoreNode(b *testing.B) {
	const pairs = 9
	d := startDaemon(b)
	d.submit(describe("shop", "web max: 50, shard_size: 50, initial: 10"))
	d.settle("shop", "web", 10)
	var scalerd, bare, ratios []float64
	for b.Loop() {
		for range pairs {
			byHand := copyModule(b, filepath.Join(d.groupDir("shop", "web"), "shard-000"))
			bare = append(bare, byHand.addNode())
			scalerd = append(scalerd, d.addNode("shop", "web", 10))
			ratios = append(ratios, scalerd[len(scalerd)-1]/bare[len(bare)-1])
			d.scale("shop", "web", 10)
			d.settle("shop", "web", 10)
		}
	}
	b.ReportMetric(0, "ns/op") // of no meaning: it holds both and the way back
	b.ReportMetric(median(scalerd), "scalerd-ms")
	b.ReportMetric(median(bare), "terraform-ms")
	b.ReportMetric(median(ratios), "ratio")
	if got := median(ratios); got > mostOverhead {
		b.Errorf("a step takes %.2f times as long as bare terraform, want at most %g", got, mostOverhead)
	}
}

// addNode orders a node more than n and returns how long it took, in milliseconds.
func (d *daemon) addNode(app, group string, n int) float64 {
	d.t.Helper()
	start := time.Now()
	d.scale(app, group, n+1)
	d.eventually("the node is there", func() error {
		status, err := d.status(app, group)
		if err == nil && (status.Wanted != n+1 || !status.Settled) {
			err = fmt.Errorf("status is %+v", status)
		}
		return err
	})
	return milliseconds(start)
}

// byHand is a copy of a root module of the group shop/web in which a person runs
// terraform.
type byHand struct {
	b   *testing.B
	dir string
}

// copyModule copies a root module with its state. Its nodes' processes are those
// of the original; a node that is added has its own.
func copyModule(b *testing.B, from string) byHand {
	b.Helper()
	m := byHand{b, filepath.Join(b.TempDir(), "module")}
	if err := os.CopyFS(m.dir, os.DirFS(from)); err != nil {
		b.Fatal(err)
	}
	return m
}

// addNode adds a node with bare terraform and returns how long that took, in
// milliseconds. The node is stopped again afterwards.
func (m byHand) addNode() float64 {
	m.b.Helper()
	const name = "web-9999"
	path := filepath.Join(m.dir, tfgen.NodesFile)
	text, err := os.ReadFile(path)
	if err != nil {
		m.b.Fatal(err)
	}
	nodes, err := tfgen.DecodeNodes(text)
	if err != nil {
		m.b.Fatal(err)
	}
	for _, settings := range nodes {
		nodes[name] = settings
		break
	}
	if text, err = nodes.Encode(); err != nil {
		m.b.Fatal(err)
	}
	start := time.Now()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		m.b.Fatal(err)
	}
	m.run("terraform", "plan", "-input=false", "-out=by-hand.tfplan")
	m.run("terraform", "apply", "-input=false", "by-hand.tfplan")
	took := milliseconds(start)
	m.run("scalerd", "local", "stop", "--dir", tfgen.LocalRunDir, "--name", name)
	return took
}

func (m byHand) run(name string, args ...string) {
	m.b.Helper()
	cmd := exec.CommandContext(m.b.Context(), name, args...)
	cmd.Dir = m.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		m.b.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

func milliseconds(since time.Time) float64 { return float64(time.Since(since).Microseconds()) / 1000 }

func median(values []float64) float64 { return slices.Sorted(slices.Values(values))[len(values)/2] }

// mostIdleMemory is the aim for the resident memory of an idle daemon, in MB.
const mostIdleMemory = 80

// BenchmarkIdleMemory prints the resident memory of a scalerd with ten local groups
// of a node each, whose metrics it scrapes and queries, and which have nothing to do.
func BenchmarkIdleMemory(b *testing.B) {
	const groups = 10
	d := startDaemon(b)
	var list []string
	for i := range groups {
		list = append(list, fmt.Sprintf("web%d max: 5, policies: [{target: {query: q%d, kind: total, value: 1000}}]", i, i))
	}
	description := describe("shop", list...) + "queries:\n"
	for i := range groups {
		description += fmt.Sprintf("  q%d: sum(rate(apache_accesses_total{group=\"web%d\"}[1m]))\n", i, i)
	}
	d.submit(description)
	for i := range groups {
		d.settle("shop", fmt.Sprintf("web%d", i), 1)
	}
	for b.Loop() {
		d.ticks("shop", 60)
	}
	b.ReportMetric(0, "ns/op") // the time is that of 60 ticks
	b.ReportMetric(d.memory("VmHWM"), "peak-MB")
	b.ReportMetric(d.memory("VmRSS"), "resident-MB")
	if got := d.memory("VmRSS"); got > mostIdleMemory {
		b.Errorf("an idle scalerd has %.0f MB of memory, want at most %d", got, mostIdleMemory)
	}
}

// memory is a figure of the daemon's memory in /proc, in MB.
func (d *daemon) memory(name string) float64 {
	d.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.cmd.Process.Pid))
	if err != nil {
		d.t.Skipf("memory is only measured where there is /proc: %v", err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			kB, err := strconv.ParseFloat(strings.Fields(value)[0], 64)
			if err != nil {
				d.t.Fatal(err)
			}
			return kB / 1024
		}
	}
	d.t.Fatalf("/proc has no %s", name)
	return 0
}
