package spec

import (
	"fmt"
	"time"
)

// setDefaults gives every key that the description does not set the value that the
// field's description promises.
func setDefaults(app *Application, has func(path string) bool) {
	set(&app.Interval, Duration(15*time.Second), has("interval"))
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
			if t := g.Policies[j].Target; t != nil {
				path := fmt.Sprintf("%s.policies[%d].target", path, j)
				set(&t.Kind, TargetAverage, has(path+".kind"))
				set(&t.Tolerance, 0.1, has(path+".tolerance"))
			}
		}
		namePolicies(g.Policies)
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
	default:
		return ""
	}
}
