package spec

// EC2 configures nodes that are instances of Amazon EC2, or of another cloud that
// speaks its API.
type EC2 struct {
	// Region is the AWS region, or the region's name at Endpoint.
	Region string `yaml:"region" jsonschema:"required" jsonschema_description:"AWS region, such as eu-west-1."`
	// Endpoint replaces the region's EC2 endpoint.
	Endpoint string `yaml:"endpoint" jsonschema_description:"Address of another cloud that speaks the EC2 API, such as OpenNebula or OpenStack EC2."`
	// AMI is the machine image's identifier.
	AMI string `yaml:"ami" jsonschema:"required" jsonschema_description:"Machine image, such as ami-0123456789abcdef0."`
	// InstanceType is the machine's size.
	InstanceType string `yaml:"instance_type" jsonschema:"required" jsonschema_description:"Instance type, such as t3.small."`
	// KeyName names an existing key pair for SSH.
	KeyName string `yaml:"key_name" jsonschema_description:"Name of an existing key pair."`
	// SecurityGroups are identifiers.
	SecurityGroups []string `yaml:"security_groups" jsonschema_description:"Identifiers of security groups."`
	// Subnets are identifiers; nodes are spread over them.
	Subnets []string `yaml:"subnets" jsonschema_description:"Identifiers of subnets; nodes are spread over them in turn."`
	// Zones are availability zones; nodes are spread over them. Subnets imply them.
	Zones []string `yaml:"zones" jsonschema_description:"Availability zones to spread nodes over, where no subnets are given."`
	// PublicIP overrides what the subnet does by default.
	PublicIP *bool `yaml:"public_ip" jsonschema_description:"Whether nodes get a public address. Default: as the subnet says."`
	// InstanceProfile is the name of an IAM instance profile.
	InstanceProfile string `yaml:"instance_profile" jsonschema_description:"Name of an IAM instance profile."`
	// RootVolume is the disk that the image is copied to.
	RootVolume *EC2Volume `yaml:"root_volume" jsonschema_description:"The root disk. Default: as the image says."`
	// Spot makes the nodes spot instances.
	Spot *EC2Spot `yaml:"spot" jsonschema_description:"Makes the nodes spot instances, which cost less and can be taken away."`
	// Tags are added to every node; application, group and node are always set.
	Tags map[string]string `yaml:"tags" jsonschema_description:"Tags added to every node. scalerd sets application, group, node and, unless given, Name."`
	// Arguments are further arguments of Terraform's aws_instance.
	Arguments map[string]any `yaml:"arguments" jsonschema_description:"Further arguments of Terraform's aws_instance, by their names there."`
}

// EC2Volume is a root disk.
type EC2Volume struct {
	// Size is in GiB.
	Size int `yaml:"size" jsonschema:"minimum=1" jsonschema_description:"Size in GiB. Default: as the image says."`
	// Type is gp3, io2, ...
	Type string `yaml:"type" jsonschema_description:"Volume type, such as gp3. Default: as the image says."`
	// Encrypted encrypts it with the account's default key.
	Encrypted *bool `yaml:"encrypted" jsonschema_description:"Whether it is encrypted. Default: as the account says."`
	// IOPS and Throughput (MiB/s) are for types that let one choose.
	IOPS int `yaml:"iops" jsonschema:"minimum=1" jsonschema_description:"I/O operations per second, for types that let one choose."`
	// Throughput is in MiB/s.
	Throughput int `yaml:"throughput" jsonschema:"minimum=1" jsonschema_description:"Throughput in MiB/s, for gp3."`
}

// EC2Spot are the terms of spot instances.
type EC2Spot struct {
	// MaxPrice is in US dollars per hour, written as a decimal number.
	MaxPrice string `yaml:"max_price" jsonschema_description:"Most to pay, in US dollars per hour, as text such as \"0.02\". Default: the on-demand price."`
}
