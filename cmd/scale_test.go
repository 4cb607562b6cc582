package cmd_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/scalerd/scalerd/tfgen"
	"github.com/scalerd/scalerd/tfgen/simcloud"
)

// The sizes of BenchmarkScale, and the largest one that a single root module is made
// for besides. The variables SCALE_SIZES and SCALE_SINGLE replace them.
const (
	scaleSizes  = "10 100 1000 10000"
	scaleSingle = 1000
)

// mostGrowth bounds what a node more may cost in the largest fleet, as a multiple of
// what it costs in the smallest, in wall time and in CPU time.
const mostGrowth = 1.5

// scalePatience bounds the filling of a fleet.
const scalePatience = 40 * time.Minute

// light is a Terraform module whose nodes are nothing but an entry in the state, so
// that what is measured is terraform's work and ours.
const light = `
variable "nodes" { type = any }

resource "terraform_data" "node" {
  for_each = var.nodes
  input    = { size = "m1.small", image = "ubuntu", name = each.key }
}

output "nodes" {
  value = { for name, node in terraform_data.node : name => { id = node.id, private_ip = "127.0.0.1", public_ip = "" } }
}
`

// cost is what something took: wall time, and the CPU time of all its processes.
type cost struct{ wall, cpu time.Duration }

func (c cost) String() string {
	return fmt.Sprintf("%8.2fs %8.2fs", c.wall.Seconds(), c.cpu.Seconds())
}

// BenchmarkScale prints what a fleet of each size costs to make and to grow by one
// node, from the order to the state that was read back, and the same in a single root
// module with one for_each under bare terraform. It fails where a node more in the
// largest fleet costs more than mostGrowth times what it costs in the smallest.
func BenchmarkScale(b *testing.B) {
	module := b.TempDir()
	if err := os.WriteFile(filepath.Join(module, "main.tf"), []byte(light), 0o600); err != nil {
		b.Fatal(err)
	}
	sizes, single := scaleConfig(b)
	for b.Loop() {
		var one []cost
		fmt.Printf("\n%6s | %-18s %8s | %-18s | %-18s | %-18s\n%6s | %-18s %8s | %-18s | %-18s | %-18s\n",
			"nodes", "made, scalerd", "peak", "made, one root", "+1, scalerd", "+1, one root", "", "    wall       CPU", "MB", "    wall       CPU", "    wall       CPU", "    wall       CPU")
		for _, n := range sizes {
			d := startDaemon(b)
			group := fmt.Sprintf("  - {name: web, cloud: module, min: 0, max: %d, initial: 0, module: {source: %q}}\n", n+100, module)
			d.submit("name: shop\ninterval: 10m\ngroups:\n" + group)
			made := d.grow(n)
			more := typical(9, func() cost { return d.grow(d.size() + 1) })
			one = append(one, more)
			rootMade, rootMore := "", ""
			if n <= single {
				m := newSingleRoot(b, d, n, nil)
				rootMade = m.apply().String()
				rootMore = typical(3, func() cost { m.add(); return m.apply() }).String()
			}
			fmt.Printf("%6d | %s %8.0f | %-18s | %s | %s\n", n, made, d.memory("VmHWM"), rootMade, more, rootMore)
			d.stop()
			d.forgetAll()
		}
		first, last := one[0], one[len(one)-1]
		wall, cpu := ratio(last.wall, first.wall), ratio(last.cpu, first.cpu)
		fmt.Printf("a node more at %d nodes costs %.2f times the wall time and %.2f times the CPU time of one at %d\n", sizes[len(sizes)-1], wall, cpu, sizes[0])
		if wall > mostGrowth || cpu > mostGrowth {
			b.Errorf("want at most %g times", mostGrowth)
		}
	}
	b.ReportMetric(0, "ns/op") // of no meaning: it holds everything
}

// shardSizes are those of BenchmarkScaleShards.
var shardSizes = []int{10, 25, 50, 100, 200}

// BenchmarkScaleShards prints why a shard has the size that it has: what bare terraform
// takes to make root modules of each size, for each of their machines of the simulated
// EC2, and for one machine more.
func BenchmarkScaleShards(b *testing.B) {
	for b.Loop() {
		d, env := startScaleOut(b, 1)
		d.grow(1)
		fmt.Printf("\n%6s | %-22s | %-18s\n", "nodes", "made, CPU for each", "+1   wall       CPU")
		for _, n := range shardSizes {
			m := newSingleRoot(b, d, n, env)
			made := m.apply()
			more := typical(3, func() cost { m.add(); return m.apply() })
			fmt.Printf("%6d | %20.0f ms | %s\n", n, 1000*made.cpu.Seconds()/float64(n), more)
		}
	}
	b.ReportMetric(0, "ns/op") // of no meaning: it holds everything
}

// startScaleOut starts a scalerd with an empty group of up to n machines of the
// simulated EC2, and gives bare terraform another such cloud.
func startScaleOut(b *testing.B, n int) (d *daemon, env []string) {
	b.Helper()
	d, _ = startSimulated(b)
	d.submit("name: shop\ninterval: 10m\ngroups:\n" + strings.Replace(simulatedGroup("ec2", fmt.Sprintf("min: 0, initial: 0, max: %d", n)), "name: ec2", "name: web", 1))
	clouds, err := simcloud.New(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	return d, append(slices.Clone(mirror.env), clouds.Env(), "AWS_ACCESS_KEY_ID=AKIAFIRST", "AWS_SECRET_ACCESS_KEY=any")
}

// BenchmarkScaleOut prints what a thousand machines of the simulated EC2 cost from
// nothing, and the same in a single root module under bare terraform.
func BenchmarkScaleOut(b *testing.B) {
	n := 1000
	if _, single := scaleConfig(b); single < n {
		n = single
	}
	for b.Loop() {
		d, env := startScaleOut(b, n)
		made := d.grow(n)
		single := newSingleRoot(b, d, n, env).apply()
		fmt.Printf("\n0 -> %d simulated EC2 machines: scalerd %s (peak %.0f MB), one root module %s: %.1f times as fast\n",
			n, made, d.memory("VmHWM"), single, ratio(single.wall, made.wall))
	}
	b.ReportMetric(0, "ns/op")
}

func scaleConfig(b *testing.B) (sizes []int, single int) {
	b.Helper()
	list := os.Getenv("SCALE_SIZES")
	if list == "" {
		list = scaleSizes
	}
	for _, text := range strings.Fields(list) {
		n, err := strconv.Atoi(text)
		if err != nil {
			b.Fatalf("SCALE_SIZES: %v", err)
		}
		sizes = append(sizes, n)
	}
	single = scaleSingle
	if text := os.Getenv("SCALE_SINGLE"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			b.Fatalf("SCALE_SINGLE: %v", err)
		}
		single = n
	}
	return sizes, single
}

func ratio(a, b time.Duration) float64 { return a.Seconds() / b.Seconds() }

// typical is the median of the wall times of some measurements, and the mean of their
// CPU times: the garbage of several steps is collected in one.
func typical(times int, measure func() cost) cost {
	var walls []time.Duration
	var sum time.Duration
	for range times {
		c := measure()
		walls, sum = append(walls, c.wall), sum+c.cpu
	}
	slices.Sort(walls)
	return cost{walls[times/2], sum / time.Duration(times)}
}

func (d *daemon) size() int {
	d.t.Helper()
	status, err := d.status("shop", "web")
	if err != nil {
		d.t.Fatal(err)
	}
	return status.Wanted
}

// grow orders a size of the group shop/web and measures until all is settled.
func (d *daemon) grow(n int) cost {
	d.t.Helper()
	start, used := time.Now(), d.cpu()
	d.scale("shop", "web", n)
	d.within(scalePatience, fmt.Sprintf("there are %d nodes", n), func() error {
		status, err := d.status("shop", "web")
		if err == nil && (status.Wanted != n || !status.Settled) {
			err = fmt.Errorf("wanted %d, settled %t, problem %q", status.Wanted, status.Settled, status.Problem)
		}
		return err
	})
	return cost{time.Since(start), d.cpu() - used}
}

// cpu is the CPU time of the daemon and of its processes that have ended.
func (d *daemon) cpu() time.Duration {
	d.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", d.cmd.Process.Pid))
	if err != nil {
		d.t.Skipf("CPU time is only measured where there is /proc: %v", err)
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	ticks := 0
	for _, field := range strings.Fields(rest)[11:15] { // utime stime cutime cstime
		n, err := strconv.Atoi(field)
		if err != nil {
			d.t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / 100 // USER_HZ
}

// forgetAll removes what a stopped daemon knows: its nodes are only entries of
// states, and need not be destroyed.
func (d *daemon) forgetAll() {
	d.t.Helper()
	if err := os.RemoveAll(d.data); err != nil {
		d.t.Fatal(err)
	}
}

// singleRoot is one root module with all nodes, as a shard has some.
type singleRoot struct {
	b    *testing.B
	dir  string
	env  []string
	next int
}

// newSingleRoot copies the configuration of the daemon's first shard of shop/web.
func newSingleRoot(b *testing.B, d *daemon, n int, env []string) *singleRoot {
	b.Helper()
	m := &singleRoot{b: b, dir: b.TempDir(), env: append(os.Environ(), env...)}
	files, err := filepath.Glob(filepath.Join(d.modules("shop", "web")[0], "*"))
	if err != nil {
		b.Fatal(err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if strings.Contains(filepath.Base(path), "tfstate") || err != nil {
			continue
		}
		if err := os.WriteFile(filepath.Join(m.dir, filepath.Base(path)), text, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	m.next = n
	m.write()
	m.run("init", "-input=false")
	return m
}

func (m *singleRoot) add() {
	m.next++
	m.write()
}

// write writes a node set of that many nodes, all like one that is there.
func (m *singleRoot) write() {
	m.b.Helper()
	path := filepath.Join(m.dir, tfgen.NodesFile)
	text, err := os.ReadFile(path)
	if err != nil {
		m.b.Fatal(err)
	}
	have, err := tfgen.DecodeNodes(text)
	if err != nil {
		m.b.Fatal(err)
	}
	var settings tfgen.Settings
	for _, settings = range have {
		break
	}
	nodes := tfgen.Nodes{}
	for number := 1; number <= m.next; number++ {
		nodes[tfgen.NodeName("web", number)] = settings
	}
	if text, err = nodes.Encode(); err != nil {
		m.b.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		m.b.Fatal(err)
	}
}

// apply plans to a file and applies that, as scalerd does.
func (m *singleRoot) apply() cost {
	m.b.Helper()
	start := time.Now()
	used := m.run("plan", "-input=false", "-refresh=false", "-out=by-hand.tfplan")
	used += m.run("apply", "-input=false", "by-hand.tfplan")
	return cost{time.Since(start), used}
}

// run runs terraform and returns its CPU time.
func (m *singleRoot) run(args ...string) time.Duration {
	m.b.Helper()
	cmd := exec.CommandContext(m.b.Context(), "terraform", args...)
	cmd.Dir, cmd.Env = m.dir, m.env
	if out, err := cmd.CombinedOutput(); err != nil {
		m.b.Fatalf("terraform %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
