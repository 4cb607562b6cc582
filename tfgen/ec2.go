package tfgen

import (
	"maps"
	"net/url"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/scalerd/scalerd/tfgen/spec"
)

const ec2Machine = "aws_instance"

var ec2ProviderSource = provider{"aws", "hashicorp/aws", "~> 6.0"}

// ec2Node is the type of a node's settings.
const ec2Node = `object({
	ami = string
	instance_type = string
	key_name = optional(string)
	subnet = optional(string)
	zone = optional(string)
	public_ip = optional(bool)
	user_data = string
	root_volume = optional(object({
		size = optional(number)
		type = optional(string)
		encrypted = optional(bool)
		iops = optional(number)
		throughput = optional(number)
	}))
	spot = optional(object({
		max_price = optional(string)
	}))
	decision = optional(string, "")
	installation = optional(string, "")
})`

func ec2Shard(app *spec.Application, group *spec.Group) (Module, error) {
	data, err := groupUserData(app, group)
	if err != nil {
		return Module{}, err
	}
	main, err := ec2Main(app, group, data)
	if err != nil {
		return Module{}, err
	}
	return Module{
		PerNode: []string{ec2Machine + ".node"},
		Files: []File{
			versions(app, group, ec2ProviderSource),
			ec2Provider(app, group),
			variables(app, group, nodesVariable(ec2Node)),
			main,
			nodesOutput(app, group, `{
				for name, node in aws_instance.node : name => {
					id = node.id
					private_ip = node.private_ip
					public_ip = node.public_ip
				}
			}`),
			data.File,
		},
	}, nil
}

func ec2Provider(app *spec.Application, group *spec.Group) File {
	f := newFile(app, group)
	comment(f.Body(), "Credentials come from the environment: AWS_ACCESS_KEY_ID, AWS_PROFILE, a role, ...")
	block := f.Body().AppendNewBlock("provider", []string{"aws"}).Body()
	block.SetAttributeValue("region", cty.StringVal(group.EC2.Region))
	if group.EC2.Endpoint == "" {
		return finish("providers.tf", f)
	}
	if !onAWS(group.EC2) {
		block.AppendNewline()
		comment(block, "Only the EC2 API is there: no STS, IAM or instance metadata to ask.")
		for _, skip := range []string{"skip_credentials_validation", "skip_metadata_api_check", "skip_region_validation", "skip_requesting_account_id"} {
			block.SetAttributeValue(skip, cty.True)
		}
	}
	block.AppendNewline()
	block.AppendNewBlock("endpoints", nil).Body().SetAttributeValue("ec2", cty.StringVal(group.EC2.Endpoint))
	return finish("providers.tf", f)
}

// onAWS reports whether the group runs at Amazon, and not at another cloud that
// speaks its API.
func onAWS(settings *spec.EC2) bool {
	u, err := url.Parse(settings.Endpoint)
	return settings.Endpoint == "" || err == nil && (strings.HasSuffix(u.Hostname(), ".amazonaws.com") || strings.HasSuffix(u.Hostname(), ".amazonaws.com.cn"))
}

func ec2Main(app *spec.Application, group *spec.Group, data userData) (File, error) {
	settings := group.EC2
	f := newFile(app, group)
	m, err := newMachine(f.Body(), ec2Machine, settings.Arguments)
	if err != nil {
		return File{}, err
	}
	m.expr("ami", "each.value.ami")
	m.expr("instance_type", "each.value.instance_type")
	m.expr("key_name", "each.value.key_name")
	m.expr("subnet_id", "each.value.subnet")
	m.expr("availability_zone", "each.value.zone")
	m.expr("associate_public_ip_address", "each.value.public_ip")
	if data.compressed {
		m.expr("user_data_base64", "base64gzip(%s)", userDataExpr())
	} else {
		m.expr("user_data", "%s", userDataExpr())
	}
	m.body.AppendNewline()
	if len(settings.SecurityGroups) > 0 {
		m.expr("vpc_security_group_ids", "%s", stringList(settings.SecurityGroups))
	}
	if settings.InstanceProfile != "" {
		m.expr("iam_instance_profile", "%s", quote(settings.InstanceProfile))
	}
	m.expr("instance_initiated_shutdown_behavior", `"terminate"`)
	m.attributes()
	ec2Metadata(m, settings)
	ec2Blocks(m)
	m.blocks()
	m.body.AppendNewline()
	setExpr(m.body, "tags", "%s", ec2Tags(app, group))
	m.lifecycle("user_data", "user_data_base64")
	return finish("main.tf", f), nil
}

// ec2Tags names each node in the console: after itself, and after the name in the
// description's tags if there is one.
func ec2Tags(app *spec.Application, group *spec.Group) string {
	own, name := maps.Clone(group.EC2.Tags), "each.key"
	if given := own["Name"]; given != "" {
		name = strings.TrimSuffix(quote(given), `"`) + `-${each.key}"`
	}
	delete(own, "Name")
	return tags(app, group, own, "each.key", "each.value", "Name = "+name)
}

// ec2Metadata requires session tokens of what asks the instance's metadata service
// (IMDSv2). Other clouds have no such option.
func ec2Metadata(m *machine, settings *spec.EC2) {
	if !onAWS(settings) || m.has("metadata_options") {
		if given, is := m.args["metadata_options"].(map[string]any); is && onAWS(settings) && given["http_tokens"] == nil {
			m.args = maps.Clone(m.args)
			options := maps.Clone(given)
			options["http_tokens"] = "required"
			m.args["metadata_options"] = options
		}
		return
	}
	m.body.AppendNewline()
	m.body.AppendNewBlock("metadata_options", nil).Body().SetAttributeValue("http_tokens", cty.StringVal("required"))
}

func ec2Blocks(m *machine) {
	if volume := m.dynamic("root_block_device", "each.value.root_volume[*]"); volume != nil {
		for _, pair := range [][2]string{{"volume_size", "size"}, {"volume_type", "type"}, {"encrypted", "encrypted"}, {"iops", "iops"}, {"throughput", "throughput"}} {
			setExpr(volume, pair[0], "root_block_device.value.%s", pair[1])
		}
	}
	if spot := m.dynamic("instance_market_options", "each.value.spot[*]"); spot != nil {
		spot.SetAttributeValue("market_type", cty.StringVal("spot"))
		spot.AppendNewline()
		setExpr(spot.AppendNewBlock("spot_options", nil).Body(), "max_price", "instance_market_options.value.max_price")
	}
}

func ec2Settings(app *spec.Application, group *spec.Group) (func(number int) Settings, error) {
	data, err := groupUserData(app, group)
	if err != nil {
		return nil, err
	}
	e := group.EC2
	return func(number int) Settings {
		s := Settings{"ami": e.AMI, "instance_type": e.InstanceType, "user_data": data.Name}
		put(s, "key_name", e.KeyName)
		put(s, "subnet", inTurn(e.Subnets, number))
		put(s, "zone", inTurn(e.Zones, number))
		if e.PublicIP != nil {
			s["public_ip"] = *e.PublicIP
		}
		if v := e.RootVolume; v != nil {
			volume := map[string]any{}
			put(volume, "size", v.Size)
			put(volume, "type", v.Type)
			put(volume, "iops", v.IOPS)
			put(volume, "throughput", v.Throughput)
			if v.Encrypted != nil {
				volume["encrypted"] = *v.Encrypted
			}
			s["root_volume"] = volume
		}
		if e.Spot != nil {
			spot := map[string]any{}
			put(spot, "max_price", e.Spot.MaxPrice)
			s["spot"] = spot
		}
		putFixed(s, ec2Machine, e.Arguments)
		return s
	}, nil
}
