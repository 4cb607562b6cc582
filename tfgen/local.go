package tfgen

import (
	"fmt"

	"github.com/zclconf/go-cty/cty"

	"github.com/scalerd/scalerd/tfgen/spec"
)

// scalerdCommand is how a provisioner calls our own binary: the daemon sets
// SCALERD to the path of the binary that runs, and a person who runs terraform by
// hand has scalerd on PATH. The path is not written into the module, so a new
// release changes no resource.
const scalerdCommand = `\"$${SCALERD:-scalerd}\" local`

// LocalRunDir is where the processes of a local root module keep their records,
// relative to the module.
const LocalRunDir = "run"

// LocalBalancer is the name of a local group's balancer process.
const LocalBalancer = "balancer"

func localShard(app *spec.Application, group *spec.Group) Module {
	return Module{
		PerNode: []string{"terraform_data.node"},
		Files: []File{
			versions(app, group),
			variables(app, group, nodesVariable("object({\n slots = number\n service_time = string\n boot_time = string\n})")),
			localMain(app, group),
			localOutputs(app, group),
		},
	}
}

func localMain(app *spec.Application, group *spec.Group) File {
	f := newFile(app, group)
	comment(f.Body(), "A node is a process on this machine: creating the resource starts it,", "destroying the resource stops it.")
	node := f.Body().AppendNewBlock("resource", []string{"terraform_data", "node"}).Body()
	setExpr(node, "for_each", "var.nodes")
	node.AppendNewline()
	setExpr(node, "input", "merge(each.value, { name = each.key })")
	node.AppendNewline()

	start := node.AppendNewBlock("provisioner", []string{"local-exec"}).Body()
	setExpr(start, "command", `join(" ", [
		"%s start --dir %s --name ${each.key}",
		%s,
		"--slots ${each.value.slots} --service-time ${each.value.service_time} --boot-time ${each.value.boot_time}",
	])`, scalerdCommand, LocalRunDir, quote("--application "+app.Name+" --group "+group.Name))
	node.AppendNewline()

	stop := node.AppendNewBlock("provisioner", []string{"local-exec"}).Body()
	setExpr(stop, "when", "destroy")
	setExpr(stop, "command", `"%s stop --dir %s --name ${each.key}"`, scalerdCommand, LocalRunDir)
	return finish("main.tf", f)
}

func localOutputs(app *spec.Application, group *spec.Group) File {
	f := newFile(app, group)
	output := f.Body().AppendNewBlock("output", []string{"nodes"}).Body()
	output.SetAttributeValue("description", cty.StringVal("Every node's identifier, addresses and port, by name."))
	comment(output,
		"The kernel chooses the port, so it is read from the record that the process",
		"writes. Going through node.output makes Terraform read it after the start.")
	setExpr(output, "value", `{
		for name, node in terraform_data.node : name => {
			id = node.id
			private_ip = "127.0.0.1"
			public_ip = ""
			port = try(jsondecode(file("${path.module}/%s/${node.output.name}.json")).port, null)
		}
	}`, LocalRunDir)
	return finish("outputs.tf", f)
}

func localBase(app *spec.Application, group *spec.Group) Module {
	if group.Local == nil || group.Local.Balancer == "" {
		return Module{}
	}
	f := newFile(app, group)
	comment(f.Body(), "Spreads requests over the group's ready nodes, which it reads from the", "application's live node list.")
	balancer := f.Body().AppendNewBlock("resource", []string{"terraform_data", LocalBalancer}).Body()
	setExpr(balancer, "triggers_replace", "[%s]", quote(group.Local.Balancer))
	balancer.AppendNewline()

	start := balancer.AppendNewBlock("provisioner", []string{"local-exec"}).Body()
	setExpr(start, "command", `join(" ", [
		"%s start --dir %s --name %s",
		%s,
		%s,
	])`, scalerdCommand, LocalRunDir, LocalBalancer,
		quote("--application "+app.Name+" --group "+group.Name),
		quote("--balancer "+group.Local.Balancer+" --nodes ../../nodes.json"))
	balancer.AppendNewline()

	stop := balancer.AppendNewBlock("provisioner", []string{"local-exec"}).Body()
	setExpr(stop, "when", "destroy")
	setExpr(stop, "command", `"%s stop --dir %s --name %s"`, scalerdCommand, LocalRunDir, LocalBalancer)
	return Module{
		Files:  []File{versions(app, group), finish("main.tf", f)},
		Shared: []string{"terraform_data." + LocalBalancer},
	}
}

func localNode(group *spec.Group) Settings {
	return Settings{
		"slots":        group.Local.Slots,
		"service_time": fmt.Sprint(group.Local.ServiceTime),
		"boot_time":    fmt.Sprint(group.Local.BootTime),
	}
}
