package cmd_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/scalerd/scalerd/scaler"
)

// mainJob has two groups whose nodes serve 20 requests per second each: web is
// sized by the load and the latency that it sees, api by a rule.
const mainJob = `name: shop
interval: 1s
queries:
  web_requests: sum(rate(apache_accesses_total{group="web"}[4s]))
  web_waiting: sum(scalerd_node_waiting_requests{group="web"})
  api_busy: 100 * (1 - avg(rate(node_cpu_seconds_total{group="api",mode="idle"}[4s])))
groups:
  - name: web
    cloud: local
    min: 1
    max: 7
    local: {slots: 2, service_time: 100ms, boot_time: 1s, balancer: '127.0.0.1:%d'}
    policies:
      - target: {query: web_requests, kind: total, value: 9}
      - steps: {query: web_waiting, bands: [{above: 10, change: 2}]}
    scaling: {cooldown_out: 2s, cooldown_in: 2s, stabilisation: 5s}
  - name: api
    cloud: local
    min: 1
    max: 4
    local: {slots: 2, service_time: 100ms, boot_time: 1s, balancer: '127.0.0.1:%d'}
    policies:
      - rule: |
          if api_busy != None and len(m_nodes) == m_node_count:
              if api_busy > 60:
                  m_node_count += 1
              elif api_busy < 20:
                  m_node_count -= 1
    scaling: {cooldown_out: 3s, cooldown_in: 2s, stabilisation: 4s}
`

// limit is the latency that the load must see again after the fleet has grown.
const limit = 0.6

func TestFleetsFollowTheLoad(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	webPort, apiPort := freePort(t), freePort(t)
	d.submit(fmt.Sprintf(mainJob, webPort, apiPort))
	web := startLoad(t, fmt.Sprintf("http://127.0.0.1:%d/", webPort))
	api := startLoad(t, fmt.Sprintf("http://127.0.0.1:%d/", apiPort))
	started := time.Now()
	d.settle("shop", "web", 1)
	web.rate.Store(7)
	api.rate.Store(5)
	d.eventually("a node serves the load", func() error { return web.under(limit) })

	web.rate.Store(45)
	api.rate.Store(24)
	d.eventually("the load is more than a node can serve", func() error {
		if web.under(limit) == nil {
			return fmt.Errorf("9 in 10 requests take less than %g s", limit)
		}
		return nil
	})
	d.eventually("nodes come and the load is served", func() error {
		if err := d.hasReady("web", 4); err != nil {
			return err
		}
		if err := d.hasReady("api", 2); err != nil {
			return err
		}
		return web.under(limit)
	})
	d.eventually("the API's load is served", func() error { return api.under(limit) })

	web.rate.Store(5)
	api.rate.Store(1)
	d.settle("shop", "web", 1)
	d.settle("shop", "api", 1)
	t.Logf("the main job took %s", time.Since(started).Round(time.Second))
	d.explains("web", "web_requests")
	d.explains("api", "api_busy")
}

// hasReady returns nil where the group has at least n ready nodes.
func (d *daemon) hasReady(group string, n int) error {
	status, err := d.status("shop", group)
	if err == nil && status.Ready < n {
		err = fmt.Errorf("%d nodes of %s are ready, want %d", status.Ready, group, n)
	}
	return err
}

// explains checks that the group grew and shrank, each for a reason, and that
// scalerctl tells it with the metric that led to it.
func (d *daemon) explains(group, metric string) {
	d.t.Helper()
	var grown, shrunk *scaler.Decision
	for _, decision := range d.decisions("shop", group) {
		if len(decision.Reasons) == 0 || decision.Reasons[0] == "" {
			d.t.Errorf("decision %d has no reason", decision.ID)
		}
		explained, err := d.client.Explain(d.t.Context(), decision.ID)
		if err != nil {
			d.t.Fatal(err)
		}
		switch {
		case decision.From == 0: // the first one
		case len(explained.Steps) == 0: // a later one came before anything was done
		case decision.To > decision.From:
			grown = &decision
		default:
			shrunk = &decision
		}
	}
	if grown == nil || shrunk == nil {
		d.t.Fatalf("group %s grew by %+v and shrank by %+v, want both", group, grown, shrunk)
	}
	for _, decision := range []*scaler.Decision{grown, shrunk} {
		out, errs, code := d.ctl("explain", fmt.Sprint(decision.ID))
		if code != 0 {
			d.t.Fatalf("scalerctl explain %d ended with %d: %s", decision.ID, code, errs)
		}
		for _, want := range []string{
			fmt.Sprintf("Decision %d on shop/%s", decision.ID, group),
			fmt.Sprintf("%d -> %d node", decision.From, decision.To),
			metric + " = ", decision.Reasons[0], "What was done", "intent", "done",
		} {
			if !strings.Contains(out, want) {
				d.t.Errorf("scalerctl explain %d has no %q:\n%s", decision.ID, want, out)
			}
		}
	}
	if out, _, code := d.ctl("explain", "shop", group); code != 0 || !strings.Contains(out, "on shop/"+group) {
		d.t.Errorf("scalerctl explain shop %s ended with %d: %s", group, code, out)
	}
}
