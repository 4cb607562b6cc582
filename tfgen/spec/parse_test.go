package spec

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// small is a description with nothing that it could leave out.
const small = `name: shop
groups:
  - name: web
    cloud: local
    max: 3
`

// full is a description that sets every key.
const full = `name: shop
interval: 30s
monitoring:
  prometheus:
    url: https://prometheus.example:9090/prefix
    username: me
    password_file: pass
    ca_file: ca.pem
    cert_file: cert.pem
    key_file: key.pem
    alert_timeout: 2h
    file_sd: targets.json
constants:
  limit: 100
  hours: [8, 20]
queries:
  cpu: avg(rate(cpu_seconds_total[1m]))
  requests: sum(rate(requests_total[1m]))
  busy: [busy > 0, node]
alerts:
  - {alert: overloaded, expr: avg(cpu) > 80, for: 1m, labels: {severity: page}, annotations: {summary: hot}}
groups:
  - name: web
    cloud: local
    price_per_hour: 0.25
    budget: {max_per_hour: 2.5, max_per_month: 900, currency: EUR}
    min: 2
    max: 10
    initial: 3
    shard_size: 5
    local: {slots: 8, service_time: 50ms, boot_time: 1s, balancer: "127.0.0.1:8080"}
    cloud_init: "#cloud-config"
    metrics: {port: 9000, path: /m}
    constants: {m_opt_weight: 0.5}
    queries: {cpu: avg(group_cpu)}
    alerts: [{alert: idle, expr: avg(cpu) < 20}]
    rollout: {mode: keep, batch: 2, surge: 3, pause: 1m}
    drift: {every: 10m, on_deleted: report, on_changed: repair}
    policies:
      - target: {query: cpu, value: 0.6, kind: average, tolerance: 0.2}
      - name: rule
        steps:
          query: requests
          bands:
            - {above: 100, change: 2}
            - {above: 1, below: 2, percent: -10}
            - {below: 1, nodes: 2}
      - rule: m_node_count = 3
      - rule: |
          if cpu > limit:
              m_node_count = 4
    scaling: {cooldown_out: 10s, cooldown_in: 20s, stabilisation: 1m, max_step_out: 4, max_step_in: 1}
`

func TestParseFillsInDefaults(t *testing.T) {
	got, err := Parse("shop.yaml", []byte(small))
	if err != nil {
		t.Fatal(err)
	}
	want := &Application{
		Name: "shop", Dir: ".", Interval: Duration(15 * time.Second),
		Groups: []Group{{
			Name: "web", Cloud: CloudLocal, Min: 1, Max: 3, Initial: 1, ShardSize: 50,
			Local:     &Local{Slots: 4, ServiceTime: Duration(100 * time.Millisecond), BootTime: Duration(2 * time.Second)},
			Metrics:   Metrics{Port: 9100, Path: "/metrics"},
			Scaling:   Scaling{CooldownIn: Duration(time.Minute), Stabilisation: Duration(5 * time.Minute), MaxTurns: 12, BreakerAfter: 5, BreakerProbe: Duration(5 * time.Minute)},
			CloudInit: CloudInit{Mode: CloudInitAppend},
			Rollout:   Rollout{Mode: RolloutReplace, Batch: 1, Surge: 1, Pause: Duration(30 * time.Second)},
			Drift:     Drift{OnDeleted: DriftRepair, OnChanged: DriftReport},
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Parse() (-want +got):\n%s", diff)
	}
}

func TestParseReadsEveryKey(t *testing.T) {
	got, err := Parse("shop.yaml", []byte(full))
	if err != nil {
		t.Fatal(err)
	}
	number := func(f float64) *float64 { return &f }
	whole := func(i int) *int { return &i }
	want := &Application{
		Name: "shop", Dir: ".", Interval: Duration(30 * time.Second),
		Monitoring: Monitoring{Prometheus: &Prometheus{
			URL: "https://prometheus.example:9090/prefix", Username: "me", PasswordFile: "pass",
			CAFile: "ca.pem", CertFile: "cert.pem", KeyFile: "key.pem", Alerts: AlertsEvaluate, AlertTimeout: Duration(2 * time.Hour), FileSD: "targets.json",
		}},
		Constants: map[string]any{"limit": 100, "hours": []any{8, 20}},
		Alerts: []Alert{{Name: "overloaded", Expr: "avg(cpu) > 80", For: Duration(time.Minute),
			Labels: map[string]string{"severity": "page"}, Annotations: map[string]string{"summary": "hot"}}},
		Queries: map[string]Query{"cpu": {Expr: "avg(rate(cpu_seconds_total[1m]))"}, "requests": {Expr: "sum(rate(requests_total[1m]))"}, "busy": {Expr: "busy > 0", Label: "node"}},
		Groups: []Group{{
			Name: "web", Cloud: CloudLocal, Min: 2, Max: 10, Initial: 3, ShardSize: 5,
			Local:     &Local{Slots: 8, ServiceTime: Duration(50 * time.Millisecond), BootTime: Duration(time.Second), Balancer: "127.0.0.1:8080"},
			CloudInit: CloudInit{Mode: CloudInitAppend, Content: "#cloud-config"}, Metrics: Metrics{Port: 9000, Path: "/m"},
			Constants: map[string]any{"m_opt_weight": 0.5}, Queries: map[string]Query{"cpu": {Expr: "avg(group_cpu)"}},
			Alerts:       []Alert{{Name: "idle", Expr: "avg(cpu) < 20"}},
			PricePerHour: new(0.25), Budget: &Budget{MaxPerHour: 2.5, MaxPerMonth: 900, Currency: "EUR"},
			Rollout: Rollout{Mode: RolloutKeep, Batch: 2, Surge: 3, Pause: Duration(time.Minute)},
			Drift:   Drift{Every: Duration(10 * time.Minute), OnDeleted: DriftReport, OnChanged: DriftRepair},
			Policies: []Policy{
				{Name: "target", Target: &Target{Query: "cpu", Value: 0.6, Kind: TargetAverage, Tolerance: 0.2}},
				{Name: "rule", Steps: &Steps{Query: "requests", Bands: []Band{
					{Above: number(100), Change: whole(2)},
					{Above: number(1), Below: number(2), Percent: number(-10)},
					{Below: number(1), Nodes: whole(2)},
				}}},
				{Name: "rule-2", Rule: &Rule{Source: "m_node_count = 3", File: "shop.yaml", Line: 48, Column: 15}},
				{Name: "rule-3", Rule: &Rule{Source: "if cpu > limit:\n    m_node_count = 4\n", File: "shop.yaml", Line: 50, Column: 11}},
			},
			Scaling: Scaling{CooldownOut: Duration(10 * time.Second), CooldownIn: Duration(20 * time.Second), Stabilisation: Duration(time.Minute), MaxStepOut: 4, MaxStepIn: 1, MaxTurns: 12, BreakerAfter: 5, BreakerProbe: Duration(5 * time.Minute)},
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Parse() (-want +got):\n%s", diff)
	}
}

func TestParseReadsTheTargetsOfEmbeddedMonitoring(t *testing.T) {
	got, err := Parse("shop.yaml", []byte(small+`monitoring:
  targets:
    - {job: db, addresses: ["db:9187", "[::1]:9187"], labels: {team: store}}
    - {job: queue, addresses: ["queue:80"], path: /m}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []ScrapeTarget{
		{Job: "db", Addresses: []string{"db:9187", "[::1]:9187"}, Path: "/metrics", Labels: map[string]string{"team": "store"}},
		{Job: "queue", Addresses: []string{"queue:80"}, Path: "/m"},
	}
	if diff := cmp.Diff(want, got.Monitoring.Targets); diff != "" {
		t.Errorf("targets (-want +got):\n%s", diff)
	}
}

func TestLookups(t *testing.T) {
	app, err := Parse("shop.yaml", []byte(full))
	if err != nil {
		t.Fatal(err)
	}
	g := app.Group("web")
	if g != &app.Groups[0] || app.Group("db") != nil {
		t.Errorf("Group(web), Group(db) = %p, %p, want %p, nil", g, app.Group("db"), &app.Groups[0])
	}
	queries := map[string]Query{"cpu": {Expr: "avg(group_cpu)"}, "requests": {Expr: "sum(rate(requests_total[1m]))"}, "busy": {Expr: "busy > 0", Label: "node"}}
	if diff := cmp.Diff(queries, app.GroupQueries(g)); diff != "" {
		t.Errorf("GroupQueries() (-want +got):\n%s", diff)
	}
	app.GroupQueries(g)["cpu"] = Query{Expr: "changed"}
	if app.Queries["cpu"].Expr == "changed" || g.Queries["cpu"].Expr == "changed" {
		t.Error("GroupQueries() gave out the application's map")
	}
	constants := map[string]any{"limit": 100, "hours": []any{8, 20}, "m_opt_weight": 0.5}
	if diff := cmp.Diff(constants, app.GroupConstants(g)); diff != "" {
		t.Errorf("GroupConstants() (-want +got):\n%s", diff)
	}
}

func TestLoadNamesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "shop.yaml")
	if _, err := Load(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Load() of no file = %v, want ErrNotExist", err)
	}
	if err := os.WriteFile(path, []byte("name: Shop\n"+strings.TrimPrefix(small, "name: shop\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Load(path)
	var mistakes strictyaml.Mistakes
	if !errors.As(err, &mistakes) || !strings.HasPrefix(err.Error(), path+":1:1 name: ") {
		t.Errorf("Load() = %v, want a mistake at %s:1:1", err, path)
	}
}
