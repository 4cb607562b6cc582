package spec

import (
	"fmt"
	"time"
)

// setDefaults gives every key that the description does not set the value that the
// field's description promises.
func setDefaults(app *Application, has func(path string) bool) {
	set(&app.Interval, Duration(15*time.Second), has("interval"))
	if p := app.Monitoring.Prometheus; p != nil {
		set(&p.Alerts, AlertsEvaluate, has("monitoring.prometheus.alerts"))
		set(&p.AlertTimeout, DefaultAlertTimeout, has("monitoring.prometheus.alert_timeout"))
	}
	for i := range app.Monitoring.Targets {
		set(&app.Monitoring.Targets[i].Path, "/metrics", has(fmt.Sprintf("monitoring.targets[%d].path", i)))
	}
	for i := range app.Groups {
		g, path := &app.Groups[i], fmt.Sprintf("groups[%d]", i)
		set(&g.Min, 1, has(path+".min"))
		set(&g.Initial, g.Min, has(path+".initial"))
		set(&g.ShardSize, 50, has(path+".shard_size"))
		set(&g.Metrics.Port, 9100, has(path+".metrics.port"))
		set(&g.Metrics.Path, "/metrics", has(path+".metrics.path"))
		set(&g.Scaling.CooldownIn, Duration(60*time.Second), has(path+".scaling.cooldown_in"))
		set(&g.Scaling.Stabilisation, Duration(5*time.Minute), has(path+".scaling.stabilisation"))
		set(&g.Scaling.MaxTurns, 12, has(path+".scaling.max_turns"))
		set(&g.Scaling.BreakerAfter, 5, has(path+".scaling.breaker_after"))
		set(&g.Scaling.BreakerProbe, Duration(5*time.Minute), has(path+".scaling.breaker_probe"))
		if v := g.Scaling.Victims; v != nil {
			set(&v.Order, VictimsNewest, has(path+".scaling.victims.order"))
		}
		if g.Cloud == CloudLocal && g.Local == nil {
			g.Local = new(Local)
		}
		if g.Local != nil {
			set(&g.Local.Slots, 4, has(path+".local.slots"))
			set(&g.Local.ServiceTime, Duration(100*time.Millisecond), has(path+".local.service_time"))
			set(&g.Local.BootTime, Duration(2*time.Second), has(path+".local.boot_time"))
		}
		set(&g.CloudInit.Mode, CloudInitAppend, has(path+".cloud_init.mode"))
		set(&g.Rollout.Mode, RolloutReplace, has(path+".rollout.mode"))
		set(&g.Rollout.Batch, 1, has(path+".rollout.batch"))
		set(&g.Rollout.Surge, defaultSurge(g), has(path+".rollout.surge"))
		set(&g.Rollout.Pause, Duration(30*time.Second), has(path+".rollout.pause"))
		for j := range g.Offerings {
			set(&g.Offerings[j].Name, g.Offerings[j].usual(), has(fmt.Sprintf("%s.offerings[%d].name", path, j)))
		}
		if g.Drain != nil {
			setDrainDefaults(g.Drain, path+".drain", has)
		}
		if g.Repair != nil {
			setRepairDefaults(g.Repair, path+".repair", has)
		}
		set(&g.Drift.OnDeleted, DriftRepair, has(path+".drift.on_deleted"))
		set(&g.Drift.OnChanged, DriftReport, has(path+".drift.on_changed"))
		if o := g.OpenStack; o != nil {
			set(&o.AntiAffinity, AntiAffinityNone, has(path+".openstack.anti_affinity"))
			if o.BootVolume != nil {
				set(&o.BootVolume.Size, 10, has(path+".openstack.boot_volume.size"))
			}
		}
		if a := g.Azure; a != nil {
			setAzureDefaults(a, path+".azure", has)
		}
		if g.Optimizer != nil {
			setOptimizerDefaults(g.Optimizer, path+".optimizer", has)
		}
		for j := range g.Policies {
			setPolicyDefaults(&g.Policies[j], fmt.Sprintf("%s.policies[%d]", path, j), has)
		}
		namePolicies(g.Policies)
	}
}

func setPolicyDefaults(p *Policy, path string, has func(path string) bool) {
	if t := p.Target; t != nil {
		path := path + ".target"
		if len(t.Queries) == 0 {
			set(&t.Kind, TargetAverage, has(path+".kind"))
		}
		for i := range t.Queries {
			set(&t.Queries[i].Kind, TargetAverage, has(fmt.Sprintf("%s.queries[%d].kind", path, i)))
		}
		set(&t.Tolerance, 0.1, has(path+".tolerance"))
	}
	if s := p.Schedule; s != nil {
		set(&s.TimeZone, "UTC", has(path+".schedule.time_zone"))
	}
	if d := p.Deadline; d != nil {
		set(&d.Slots, 1, has(path+".deadline.slots"))
	}
	if a := p.Activation; a != nil {
		set(&a.Nodes, 1, has(path+".activation.nodes"))
	}
	if m := p.Missing; m != nil {
		path := path + ".missing"
		set(&m.NoSeries, AnswerHold, has(path+".no_series"))
		set(&m.NaN, AnswerHold, has(path+".nan"))
		set(&m.Stale, AnswerHold, has(path+".stale"))
		set(&m.Error, AnswerHold, has(path+".error"))
		set(&m.Unreachable, AnswerHold, has(path+".unreachable"))
		set(&m.HoldFor, DefaultHoldFor, has(path+".hold_for"))
	}
}

func setAzureDefaults(a *Azure, path string, has func(path string) bool) {
	set(&a.OS, AzureLinux, has(path+".os"))
	admin := "ubuntu"
	if a.OS == AzureWindows {
		admin = "windows"
	}
	set(&a.AdminUsername, admin, has(path+".admin_username"))
	if a.OS == AzureWindows {
		set(&a.AdminPassword, "admin_password", has(path+".admin_password_credential"))
	}
	if a.Image != nil {
		set(&a.Image.Version, "latest", has(path+".image.version"))
	}
	if a.Spot != nil {
		set(&a.Spot.MaxPrice, -1, has(path+".spot.max_price"))
	}
	set(&a.NetworkResourceGroup, a.ResourceGroup, has(path+".network_resource_group"))
	set(&a.OSDisk.Type, "Standard_LRS", has(path+".os_disk.type"))
	set(&a.OSDisk.Caching, "ReadWrite", has(path+".os_disk.caching"))
}

// defaultSurge lets as many nodes come first as go at once, unless the nodes have to
// share an address.
func defaultSurge(g *Group) int {
	if g.OpenStack != nil && g.OpenStack.FloatingIP != "" {
		return 0
	}
	return g.Rollout.Batch
}

func set[T any](field *T, value T, has bool) {
	if !has {
		*field = value
	}
}

// namePolicies names each policy without a name after its kind, numbered from the
// second one of a kind on: rule, rule-2, rule-3.
func namePolicies(policies []Policy) {
	taken := map[string]bool{}
	for _, p := range policies {
		taken[p.Name] = true
	}
	for i := range policies {
		p := &policies[i]
		kind := p.kind()
		if p.Name != "" || kind == "" {
			continue
		}
		p.Name = kind
		for n := 2; taken[p.Name]; n++ {
			p.Name = fmt.Sprintf("%s-%d", kind, n)
		}
		taken[p.Name] = true
	}
}

// kind is the key of what the policy does, and empty where it does nothing.
func (p Policy) kind() string {
	switch {
	case p.Target != nil:
		return "target"
	case p.Steps != nil:
		return "steps"
	case p.Rule != nil:
		return "rule"
	case p.Advice != nil:
		return "advice"
	case p.Schedule != nil:
		return "schedule"
	case p.Deadline != nil:
		return "deadline"
	case p.Activation != nil:
		return "activation"
	default:
		return ""
	}
}
