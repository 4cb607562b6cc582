package spec

// OpenStack configures nodes that are servers of an OpenStack project. How to log
// in comes from credentials, the OS_ environment variables or clouds.yaml; what is
// set here wins.
type OpenStack struct {
	// AuthURL is the address of the identity service.
	AuthURL string `yaml:"auth_url" jsonschema_description:"Address of the identity service (Keystone). Default: from OS_AUTH_URL or clouds.yaml."`
	// Cloud is an entry of clouds.yaml.
	Cloud string `yaml:"cloud" jsonschema_description:"Entry of clouds.yaml to use."`
	// Region is the region's name.
	Region string `yaml:"region" jsonschema_description:"Region. Default: the project's only one."`
	// ProjectID and ProjectName say which project; one is enough.
	ProjectID string `yaml:"project_id" jsonschema_description:"Identifier of the project."`
	// ProjectName needs a domain in the credentials.
	ProjectName string `yaml:"project_name" jsonschema_description:"Name of the project."`
	// Provider are further arguments of Terraform's openstack provider. None of
	// them may be a secret.
	Provider map[string]any `yaml:"provider" jsonschema_description:"Further arguments of Terraform's openstack provider, by their names there; no secrets."`
	// ImageID or ImageName is the machine image.
	ImageID string `yaml:"image_id" jsonschema_description:"Identifier of the machine image."`
	// ImageName is looked up when a node is created.
	ImageName string `yaml:"image_name" jsonschema_description:"Name of the machine image, in place of its identifier."`
	// FlavorID or FlavorName is the machine's size.
	FlavorID string `yaml:"flavor_id" jsonschema_description:"Identifier of the flavor."`
	// FlavorName is looked up when a node is created.
	FlavorName string `yaml:"flavor_name" jsonschema_description:"Name of the flavor, in place of its identifier."`
	// Networks are what each node is attached to, in order.
	Networks []OpenStackNetwork `yaml:"networks" jsonschema_description:"Networks that each node is attached to. Default: the project's only one."`
	// KeyName names an existing key pair.
	KeyName string `yaml:"key_name" jsonschema_description:"Name of an existing key pair."`
	// PublicKey makes a key pair of the group's own.
	PublicKey string `yaml:"public_key" jsonschema_description:"SSH public key from which a key pair is made, in place of key_name."`
	// SecurityGroups are names or identifiers.
	SecurityGroups []string `yaml:"security_groups" jsonschema_description:"Names or identifiers of security groups. Default: the project's default."`
	// Zones are availability zones; nodes are spread over them.
	Zones []string `yaml:"zones" jsonschema_description:"Availability zones; nodes are spread over them in turn."`
	// FloatingIPPool gives each node a floating address of this external network.
	FloatingIPPool string `yaml:"floating_ip_pool" jsonschema_description:"External network from which each node gets a floating address."`
	// FloatingIP is an existing floating address, for a group of one node.
	FloatingIP string `yaml:"floating_ip" jsonschema_description:"An existing floating address, for a group with max: 1."`
	// BootVolume makes each node boot from a volume of its own.
	BootVolume *OpenStackVolume `yaml:"boot_volume" jsonschema_description:"Makes each node boot from a volume made of the image."`
	// ConfigDrive hands the user data over on a drive.
	ConfigDrive bool `yaml:"config_drive" jsonschema_description:"Whether user data comes on a drive and not from the metadata service. Default false."`
	// AntiAffinity keeps the nodes on different hosts.
	AntiAffinity AntiAffinity `yaml:"anti_affinity" jsonschema:"enum=none,enum=soft,enum=hard" jsonschema_description:"Keeps nodes on different hosts: soft where possible, hard always. Default none."`
	// Metadata is added to every node; application, group and node are always set.
	Metadata map[string]string `yaml:"metadata" jsonschema_description:"Metadata added to every node. scalerd sets application, group and node."`
	// Arguments are further arguments of openstack_compute_instance_v2.
	Arguments map[string]any `yaml:"arguments" jsonschema_description:"Further arguments of Terraform's openstack_compute_instance_v2, by their names there."`
}

// OpenStackNetwork is a network by its identifier, its name, or both.
type OpenStackNetwork struct {
	// ID is the network's identifier.
	ID string `yaml:"id" jsonschema_description:"Identifier of the network."`
	// Name is the network's name.
	Name string `yaml:"name" jsonschema_description:"Name of the network."`
}

// OpenStackVolume is a boot volume.
type OpenStackVolume struct {
	// Size is in GB.
	Size int `yaml:"size" jsonschema:"minimum=1" jsonschema_description:"Size in GB. Default 10."`
	// Type is the volume type's name.
	Type string `yaml:"type" jsonschema_description:"Volume type. Default: the cloud's."`
	// Keep leaves the volume when its node goes.
	Keep bool `yaml:"keep" jsonschema_description:"Whether the volume stays when its node goes. Default false."`
}

// AntiAffinity says how strictly nodes are kept on different hosts.
type AntiAffinity string

const (
	// AntiAffinityNone lets nodes share a host.
	AntiAffinityNone AntiAffinity = "none"
	// AntiAffinitySoft separates nodes where there are enough hosts.
	AntiAffinitySoft AntiAffinity = "soft"
	// AntiAffinityHard refuses a node that would share a host.
	AntiAffinityHard AntiAffinity = "hard"
)
