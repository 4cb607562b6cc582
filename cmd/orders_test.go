package cmd_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scalerd/scalerd/scaler"
)

func TestDropTakesTheChosenNodeOnly(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	d.submit(describe("shop", "web min: 2, max: 5, initial: 4, shard_size: 3"))
	before := d.settle("shop", "web", 4)

	d.must("drop", "shop", "web-0002")
	after := d.settle("shop", "web", 3)
	d.untouched(before, after, []string{"web-0001", "web-0003", "web-0004"})

	d.must("drop", "shop", after["web-0003"].id, "--replace")
	replaced := d.settle("shop", "web", 3)
	d.untouched(after, replaced, []string{"web-0001", "web-0004", "web-0005"})

	d.scale("shop", "web", 2)
	small := d.settle("shop", "web", 2)
	d.refuses("fewer than its min of 2", "drop", "shop", small.names()[0])
	d.refuses("not found", "drop", "shop", "web-0002")
	d.untouched(small, d.settle("shop", "web", 2), small.names())
}

func TestScaleByHandStaysWithinMinAndMax(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	d.submit(describe("shop", "web min: 1, max: 4, initial: 2"))
	before := d.settle("shop", "web", 2)
	d.refuses("5 nodes is outside 1..4", "scale", "shop", "web", "5")
	d.refuses("0 nodes is outside 1..4", "scale", "shop", "web", "0")
	d.refuses("not found", "scale", "shop", "api", "2")
	d.refuses("not found", "scale", "other", "web", "2")
	d.untouched(before, d.settle("shop", "web", 2), before.names())
	d.must("scale", "shop", "web", "4")
	d.untouched(before, d.settle("shop", "web", 4), before.names())
}

// must runs scalerctl and returns its stdout.
func (d *daemon) must(args ...string) string {
	d.t.Helper()
	out, errs, code := d.ctl(args...)
	if code != 0 {
		d.t.Fatalf("scalerctl %v ended with %d: %s", args, code, errs)
	}
	return out
}

// refuses checks that scalerctl ends with 1 and one sentence.
func (d *daemon) refuses(sentence string, args ...string) {
	d.t.Helper()
	out, errs, code := d.ctl(args...)
	if code != 1 || !strings.Contains(errs, sentence) || strings.Count(errs, "\n") != 1 || out != "" {
		d.t.Errorf("scalerctl %v ended with %d and %q%q, want 1 and a line with %q", args, code, out, errs, sentence)
	}
}

// growing asks for 3 nodes at each tick, whatever happens.
const growing = `name: shop
interval: 1s
groups:
  - name: web
    cloud: local
    max: 5
    local: {service_time: 20ms, boot_time: 0s}
    policies: [{rule: m_node_count = 3}]
    scaling: {cooldown_in: 1s, stabilisation: 1s}
`

func TestPausedGroupObeysOnlyByHand(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	d.submit(growing)
	d.settle("shop", "web", 3)
	d.must("pause", "shop", "--group", "web")
	d.must("scale", "shop", "web", "2")
	before := d.settle("shop", "web", 2)
	d.ticks("shop", 3)
	d.untouched(before, d.settle("shop", "web", 2), before.names())
	if status, err := d.status("shop", "web"); err != nil || !strings.Contains(strings.Join(status.Decision.Reasons, "\n"), "paused: stays at 2 instead of 3") {
		t.Errorf("status of a paused group is %+v, error %v", status, err)
	}
	if out := d.must("status", "shop"); !strings.Contains(out, "paused") {
		t.Errorf("scalerctl status tells nothing of the pause:\n%s", out)
	}
	d.must("resume", "shop", "--group", "web")
	d.settle("shop", "web", 3)

	d.must("pause", "shop")
	d.must("scale", "shop", "web", "4")
	d.settle("shop", "web", 4)
	d.ticks("shop", 3)
	d.settle("shop", "web", 4)
	d.must("resume", "shop")
	d.settle("shop", "web", 3)
}

// ticks waits until an application has ticked n times more.
func (d *daemon) ticks(app string, n int) {
	d.t.Helper()
	var last time.Time
	d.eventually(fmt.Sprintf("%s ticks %d times", app, n), func() error {
		status, err := d.client.Application(d.t.Context(), app)
		if err != nil {
			return err
		}
		if !status.TickedAt.Equal(last) {
			last = status.TickedAt
			n--
		}
		if n >= 0 { // the first one seen is an old one
			return fmt.Errorf("%d ticks to go", n+1)
		}
		return nil
	})
}

func TestDestroyLeavesNothing(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	d.submit(describe("shop", "web max: 5, initial: 3, shard_size: 2", "api max: 3"))
	d.submit(describe("other", "web max: 5"))
	d.settle("shop", "web", 3)
	d.settle("shop", "api", 1)
	other := d.settle("other", "web", 1)

	out, errs, code := d.ctl("destroy", "shop")
	if code != 64 || !strings.Contains(errs, "confirm with --yes") || strings.Contains(errs, "[y/N]") {
		t.Errorf("scalerctl destroy without --yes and terminal ended with %d: %s%s", code, out, errs)
	}
	if out := d.must("destroy", "shop", "--yes"); out != "Application shop is destroyed.\n" {
		t.Errorf("scalerctl destroy says %q", out)
	}
	d.gone("shop")
	d.untouched(other, d.settle("other", "web", 1), other.names())
}

// gone checks that an application has left nothing.
func (d *daemon) gone(app string) {
	d.t.Helper()
	if _, err := d.client.Application(d.t.Context(), app); !errors.Is(err, scaler.ErrNotFound) {
		d.t.Errorf("the status of a destroyed application has the error %v, want %v", err, scaler.ErrNotFound)
	}
	dir := d.groupDir(app, "")
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		d.t.Errorf("the folder of a destroyed application is there, error %v", err)
	}
	if left := processesOf(d.t, dir); len(left) > 0 {
		d.t.Errorf("processes of a destroyed application live: %+v", left)
	}
	if text := d.metrics(); strings.Contains(text, fmt.Sprintf("application=%q,group", app)) {
		d.t.Errorf("the metrics tell of groups of the destroyed application %s", app)
	}
}

func TestDestroyGoesOnAfterAKill(t *testing.T) {
	for _, tt := range []struct {
		name string
		at   instant
	}{
		{"right after the order", func(*daemon, glimpse) bool { return true }},
		{"when terraform applies", terraformRuns("apply")},
		{"when a process has ended", func(d *daemon, before glimpse) bool { return d.glimpse().processes != before.processes }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := startDaemon(t)
			port := freePort(t)
			d.submit(describe("shop", fmt.Sprintf("web max: 5, initial: 3, shard_size: 2, local: {boot_time: 0s, balancer: '127.0.0.1:%d'}", port)))
			d.settle("shop", "web", 3)
			before := d.glimpse()
			if _, err := d.client.Destroy(t.Context(), "shop"); err != nil {
				t.Fatal(err)
			}
			d.await(tt.at, before)
			d.kill()
			d.start()
			d.eventually("the application is gone", func() error {
				status, err := d.client.Application(t.Context(), "shop")
				if errors.Is(err, scaler.ErrNotFound) {
					return nil
				}
				if err == nil {
					err = fmt.Errorf("it is there: %+v", status)
				}
				return err
			})
			d.gone("shop")
		})
	}
}

func TestShardsAreFilledAgain(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	d.submit(describe("shop", "web max: 8, initial: 8, shard_size: 3"))
	modules := []string{"shard-000", "shard-001", "shard-002"}
	first := d.settle("shop", "web", 8)
	if got := first.shards(); !slices.Equal(got, modules) {
		t.Errorf("8 nodes are in %v, want %v", got, modules)
	}
	d.scale("shop", "web", 2)
	small := d.settle("shop", "web", 2)
	d.untouched(first, small, []string{"web-0001", "web-0002"})
	d.scale("shop", "web", 8)
	second := d.settle("shop", "web", 8)
	d.untouched(small, second, small.names())
	if got := second.shards(); !slices.Equal(got, modules) {
		t.Errorf("8 nodes again are in %v, want %v", got, modules)
	}
	want := []string{"web-0001", "web-0002", "web-0009", "web-0010", "web-0011", "web-0012", "web-0013", "web-0014"}
	if got := second.names(); !slices.Equal(got, want) {
		t.Errorf("the nodes are %v, want %v", got, want)
	}
	d.scale("shop", "web", 7)
	if got := d.settle("shop", "web", 7).names(); !slices.Equal(got, want[:7]) {
		t.Errorf("the nodes are %v, want %v", got, want[:7])
	}
}
