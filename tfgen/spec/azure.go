package spec

// Azure configures nodes that are virtual machines of Microsoft Azure. The
// resource group, network, subnet and security group exist already.
type Azure struct {
	// Subscription is a subscription's identifier.
	Subscription string `yaml:"subscription" jsonschema_description:"Identifier of the subscription. Default: from the credentials or ARM_SUBSCRIPTION_ID."`
	// ResourceGroup holds the nodes; its location is theirs unless Location is set.
	ResourceGroup string `yaml:"resource_group" jsonschema:"required" jsonschema_description:"Existing resource group for the nodes."`
	// Location is the region.
	Location string `yaml:"location" jsonschema_description:"Region. Default: the resource group's."`
	// VirtualNetwork and Subnet are where the nodes' interfaces are.
	VirtualNetwork string `yaml:"virtual_network" jsonschema:"required" jsonschema_description:"Existing virtual network."`
	// Subnet is one of the virtual network's.
	Subnet string `yaml:"subnet" jsonschema:"required" jsonschema_description:"Existing subnet of the virtual network."`
	// NetworkSecurityGroup filters the traffic of the nodes' interfaces.
	NetworkSecurityGroup string `yaml:"network_security_group" jsonschema_description:"Existing network security group for the nodes' interfaces."`
	// NetworkResourceGroup holds the network and the security group.
	NetworkResourceGroup string `yaml:"network_resource_group" jsonschema_description:"Resource group of the virtual network and the security group. Default: resource_group."`
	// Size is the machine's size.
	Size string `yaml:"size" jsonschema:"required" jsonschema_description:"Size of the machines, such as Standard_B2s."`
	// OS is linux or windows.
	OS AzureOS `yaml:"os" jsonschema:"enum=linux,enum=windows" jsonschema_description:"Operating system. Default linux."`
	// AdminUsername is the first account.
	AdminUsername string `yaml:"admin_username" jsonschema_description:"Name of the first account. Default ubuntu, or windows for os: windows."`
	// PublicKey is the SSH key of the first account; Linux nodes have no password.
	PublicKey string `yaml:"public_key" jsonschema_description:"SSH public key of the first account (os: linux)."`
	// AdminPassword names the credential that holds a Windows node's password.
	AdminPassword string `yaml:"admin_password_credential" jsonschema:"enum=admin_password" jsonschema_description:"Key in the group's credentials entry that holds the first account's password (os: windows); admin_password is the only one. Default admin_password."`
	// Image is a marketplace image.
	Image *AzureImage `yaml:"image" jsonschema_description:"Marketplace image."`
	// ImageID is the identifier of an image or an image version.
	ImageID string `yaml:"image_id" jsonschema_description:"Identifier of an image of your own, in place of image."`
	// Zones are availability zones; nodes are spread over them.
	Zones []string `yaml:"zones" jsonschema_description:"Availability zones, such as \"1\"; nodes are spread over them in turn."`
	// PublicIP gives each node a public address.
	PublicIP bool `yaml:"public_ip" jsonschema_description:"Whether each node gets a static public address. Default false."`
	// Spot makes the nodes spot machines.
	Spot *AzureSpot `yaml:"spot" jsonschema_description:"Makes the nodes spot machines, which cost less and can be taken away."`
	// Identity gives the nodes a managed identity.
	Identity *AzureIdentity `yaml:"identity" jsonschema_description:"Managed identity of the nodes."`
	// OSDisk is the system disk.
	OSDisk AzureDisk `yaml:"os_disk" jsonschema_description:"The system disk."`
	// UseMSI makes Terraform log in with the managed identity of scalerd's own
	// machine.
	UseMSI bool `yaml:"use_msi" jsonschema_description:"Whether Terraform logs in with the managed identity of scalerd's own machine. Default false."`
	// Tags are added to every node; application, group and node are always set.
	Tags map[string]string `yaml:"tags" jsonschema_description:"Tags added to every node. scalerd sets application, group and node."`
	// Arguments are further arguments of the virtual machine's resource.
	Arguments map[string]any `yaml:"arguments" jsonschema_description:"Further arguments of Terraform's azurerm_linux_virtual_machine or azurerm_windows_virtual_machine, by their names there."`
}

// AzureOS is an operating system.
type AzureOS string

const (
	// AzureLinux is any Linux.
	AzureLinux AzureOS = "linux"
	// AzureWindows is Windows Server.
	AzureWindows AzureOS = "windows"
)

// AzureImage is a marketplace image.
type AzureImage struct {
	// Publisher, such as Canonical.
	Publisher string `yaml:"publisher" jsonschema:"required" jsonschema_description:"Publisher, such as Canonical."`
	// Offer, such as ubuntu-24_04-lts.
	Offer string `yaml:"offer" jsonschema:"required" jsonschema_description:"Offer, such as ubuntu-24_04-lts."`
	// SKU, such as server.
	SKU string `yaml:"sku" jsonschema:"required" jsonschema_description:"SKU, such as server."`
	// Version, such as latest.
	Version string `yaml:"version" jsonschema_description:"Version. Default latest."`
}

// AzureSpot are the terms of spot machines.
type AzureSpot struct {
	// MaxPrice is in US dollars per hour; -1 is the on-demand price.
	MaxPrice float64 `yaml:"max_price" jsonschema_description:"Most to pay, in US dollars per hour. Default -1, the on-demand price."`
}

// AzureIdentity is a managed identity.
type AzureIdentity struct {
	// System gives each node an identity of its own.
	System bool `yaml:"system" jsonschema_description:"Whether each node gets an identity of its own. Default false."`
	// IDs are user-assigned identities.
	IDs []string `yaml:"ids" jsonschema_description:"Identifiers of user-assigned identities."`
}

// AzureDisk is a system disk.
type AzureDisk struct {
	// Size is in GB; 0 is the image's.
	Size int `yaml:"size" jsonschema:"minimum=1" jsonschema_description:"Size in GB. Default: the image's."`
	// Type is Standard_LRS, StandardSSD_LRS, Premium_LRS, ...
	Type string `yaml:"type" jsonschema_description:"Storage type. Default Standard_LRS."`
	// Caching is None, ReadOnly or ReadWrite.
	Caching string `yaml:"caching" jsonschema:"enum=None,enum=ReadOnly,enum=ReadWrite" jsonschema_description:"Host caching. Default ReadWrite."`
}
