//go:build unix

package local

import (
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

func TestRequestsSurviveTheDeathOfANode(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	list := filepath.Join(c.dir, "nodes.json")
	doomed := c.start("web-0001", "--slots=4", "--service-time=20ms")
	other := c.start("web-0002", "--slots=4", "--service-time=20ms")
	writeList(t, list, readyNode("web-0001", doomed.Address, 1), readyNode("web-0002", other.Address, 1))
	front := c.start("balancer", "--balancer=127.0.0.1:0", "--nodes="+list, "--group=web")
	if front.Kind != KindBalancer || doomed.Kind != KindNode {
		t.Errorf("kinds are %q and %q, want balancer and node", front.Kind, doomed.Kind)
	}
	var answered atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for answered.Load() < 300 {
				if _, err := get("http://" + front.Address); err != nil {
					t.Error(err)
					return
				}
				answered.Add(1)
			}
		})
	}
	eventually(t, "both nodes are at work", func() bool {
		return answered.Load() > 50 && scrape(t, doomed.Address)["apache_accesses_total"] > 10
	})
	kill(t, doomed.PID, syscall.SIGKILL)
	all.Wait()
	values := scrapePage(t, "http://"+front.Address+"/-/metrics")
	if got := values["scalerd_balancer_attempts_failed_total"]; got == 0 {
		t.Error("no attempt failed: the node's death was not met")
	}
	if got, want := values[`scalerd_balancer_requests_total{code="200"}`], float64(answered.Load()); got != want {
		t.Errorf("%v requests counted with code 200, want %v", got, want)
	}
}

func TestKilledBalancerStartsAnewOnItsAddress(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	first := c.start("balancer", "--balancer=127.0.0.1:0", "--nodes=nodes.json")
	kill(t, first.PID, syscall.SIGKILL)
	eventually(t, "the balancer is dead", func() bool { return !Alive(c.dir, "balancer") })
	second := c.start("balancer", "--balancer="+first.Address, "--nodes=nodes.json")
	if second.Address != first.Address {
		t.Errorf("the balancer listens on %s, want %s", second.Address, first.Address)
	}
	if _, err := get("http://" + second.Address + "/-/healthz"); err != nil {
		t.Error(err)
	}
}
