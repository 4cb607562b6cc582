//go:build unix

package local

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestNodeProcessHasItsCapacity(t *testing.T) {
	c := newCloud(t)
	var err error
	// On a machine that does other work too, a node can be slower for a while; it is
	// never faster, and not always slower.
	for try := range 5 {
		record := c.start(fmt.Sprintf("web-%04d", try), "--slots=2", "--service-time=50ms")
		if err = capacity(t, record); err == nil || t.Failed() {
			return
		}
		t.Logf("try %d: %v", try, err)
	}
	t.Error(err)
}

// capacity saturates a node for a while, checks what it counts, and is an error
// where it served another rate than it should.
func capacity(t *testing.T, record Record) error {
	t.Helper()
	ask := func(end time.Time, served *atomic.Int64) {
		for time.Now().Before(end) {
			if _, err := get("http://" + record.Address); err != nil {
				t.Error(err)
				return
			}
			served.Add(1)
		}
	}
	before := scrape(t, record.Address)
	began := time.Now()
	var served atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { ask(began.Add(1500*time.Millisecond), &served) })
	}
	all.Wait()
	after, took := scrape(t, record.Address), time.Since(began)
	if got, want := delta(before, after, "apache_accesses_total"), float64(served.Load()); got != want {
		t.Errorf("apache_accesses_total rose by %v, want %v", got, want)
	}
	if got, want := delta(before, after, "apache_sent_kilobytes_total"), float64(served.Load()); got != want {
		t.Errorf("apache_sent_kilobytes_total rose by %v, want %v: an answer is 1 kB", got, want)
	}
	if got := delta(before, after, `node_network_transmit_bytes_total{device="eth0"}`); got < 1024*float64(served.Load()) {
		t.Errorf("transmitted bytes rose by %v, want more than the bodies' %d", got, 1024*served.Load())
	}
	busy := 0.0
	for _, cpu := range []string{"0", "1"} {
		busy += delta(before, after, `node_cpu_seconds_total{cpu="`+cpu+`",mode="user"}`)
	}
	rate, want := float64(served.Load())/took.Seconds(), expectedRate(record.Name, 2, 0.05, int(served.Load()))
	if rate > 1.15*want {
		t.Errorf("a saturated node served %.1f/s, want %.1f/s", rate, want)
	}
	// The slots were busy all the time except for the last requests' ends.
	share := busy / 2 / took.Seconds()
	if share > 1 {
		t.Errorf("busy share of a saturated node is %.2f, want at most 1", share)
	}
	if rate < 0.85*want || share < 0.85 {
		return fmt.Errorf("a saturated node served %.1f/s and was busy for %.2f of the time, want %.1f/s and nearly 1", rate, share, want)
	}
	return nil
}

// expectedRate is the capacity in requests/s with the service times that a node
// of that name draws first. They make 1.5 s of load a fair sample of it.
func expectedRate(name string, slots int, mean float64, requests int) float64 {
	random, sum := seeded(name), 0.0
	for range requests {
		sum += mean * random.ExpFloat64()
	}
	return float64(requests*slots) / sum
}

func TestMetricsPageHasEachName(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	record := c.start("web-0001", "--slots=2", "--service-time=1ms")
	if body, err := get("http://" + record.Address + "//unclean/../path"); err != nil || len(body) != bodySize || !strings.Contains(body, "web-0001") {
		t.Errorf("a node answered %d bytes, error %v, want %d with its name", len(body), err, bodySize)
	}
	values := scrape(t, record.Address)
	for _, name := range []string{
		"apache_up", "apache_uptime_seconds_total", "apache_accesses_total", "apache_sent_kilobytes_total",
		"apache_duration_ms_total", `apache_workers{state="idle"}`, "http_request_duration_microseconds_count",
		`http_request_duration_microseconds{quantile="0.5"}`, `http_request_duration_microseconds{quantile="0.9"}`,
		`http_request_duration_microseconds{quantile="0.99"}`,
		`node_cpu_seconds_total{cpu="0",mode="user"}`, `node_cpu_seconds_total{cpu="0",mode="idle"}`,
		`node_cpu_seconds_total{cpu="1",mode="idle"}`, "node_load1",
		`node_network_receive_bytes_total{device="eth0"}`, `node_network_transmit_bytes_total{device="eth0"}`,
		`node_network_receive_packets_total{device="eth0"}`, `node_network_transmit_packets_total{device="eth0"}`,
		"node_intr_total", "node_context_switches_total", "node_boot_time_seconds",
		"node_memory_MemTotal_bytes", "node_memory_MemAvailable_bytes", "node_memory_MemFree_bytes",
	} {
		if values[name] <= 0 {
			t.Errorf("%s = %v, want more than 0", name, values[name])
		}
	}
	for _, name := range []string{`apache_workers{state="busy"}`, `node_cpu_seconds_total{cpu="1",mode="user"}`, "apache_cpuload"} {
		if _, ok := values[name]; !ok {
			t.Errorf("%s is missing", name)
		}
	}
	if got, want := values["node_boot_time_seconds"], float64(record.StartedAt.UnixMilli())/1000; math.Abs(got-want) > 0.01 {
		t.Errorf("node_boot_time_seconds = %v, want %v", got, want)
	}
}
