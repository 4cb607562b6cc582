// Package simcloud simulates clouds, so that the real terraform (or tofu) can be run
// on what this project generates: offline, for nothing, and with every failure that
// a cloud has. It is the test bed of everything that starts terraform.
//
// # What it is
//
// One binary is three Terraform providers, hashicorp/aws,
// terraform-provider-openstack/openstack and hashicorp/azurerm, according to its file
// name. It serves their recorded schemas (package tfgen/schema), so terraform refuses
// an unknown attribute or a missing one as it does with the true provider. Behind them
// lie clouds that are files in a folder. Provider processes come and go, many at once,
// and may be killed at any moment; the cloud is what is in the folder.
//
// # Use in a test
//
// [Mirror] builds the binary and lays out a mirror for `terraform init`; it takes
// seconds, so a test package does it once. [New] makes a cloud, one for each test:
//
//	env, err := simcloud.Mirror(ctx, mirrorDir)    // TF_CLI_CONFIG_FILE=...
//	cloud, err := simcloud.New(t.TempDir())
//	cmd := exec.Command("terraform", "apply", "-auto-approve")
//	cmd.Env = append(os.Environ(), append(env, cloud.Env(), "AWS_REGION=eu-west-1",
//		"AWS_ACCESS_KEY_ID=any", "AWS_SECRET_ACCESS_KEY=any")...)
//	...
//	machines, err := cloud.Machines()              // what exists
//	empty, err := cloud.Empty()                    // nothing is left
//
// The folder's name reaches the provider in the environment variable SIMCLOUD_DIR.
// The test and any number of other processes may use the same folder through [Open].
//
// # Accounts
//
// Resources belong to an account and no account sees another's. On AWS it is the
// access key, the region (a resource's own region too) and the endpoint; on OpenStack
// the identity service, the project and the region; on Azure the subscription.
// [AWSAccount], [OpenStackAccount] and [AzureAccount] give the names. Credentials are
// looked for where the providers look: the provider block, the environment, AWS's
// shared files, clouds.yaml and secure.yaml. Any that are there are right; absent ones
// are refused in the provider's words when terraform plans. No secret is written to
// the cloud's files, and no attribute that the schema calls sensitive, but user data.
//
// # What it simulates
//
// Machines with identifiers, addresses and disks (a private address is a loopback
// address, where a test can serve what the machine would); key pairs, security groups and
// rules, placement and server groups, ports, interfaces, floating and public IPs,
// volumes and their attachments; on Azure also resource groups and networks. Which
// changes replace a resource, what conflicts with what, what is refused only when it is
// created (a name that is taken on Azure, user data over the limit, a Windows name of
// more than 15 letters) and what cannot be deleted while it is in use is like the
// providers'. Data sources find what exists; of what they look up beyond that (images,
// flavors, networks) everything exists unless a [Catalogue] says otherwise.
//
// An import gives back what the cloud knows and no more: OpenStack does not tell a
// server's user data and Azure not a machine's, and an adopted machine whose
// configuration has them is replaced unless their changes are ignored.
//
// # Faults
//
// [Cloud.Inject] makes calls go wrong, in all processes at once, until [Cloud.Heal]:
//
//	cloud.Inject(
//		simcloud.Fault{Kind: simcloud.Quota, Limit: 10},
//		simcloud.Fault{Kind: simcloud.NoCapacity, Size: "t3.large", Zone: "eu-west-1a"},
//		simcloud.Fault{Kind: simcloud.Throttle, Rate: 5},
//		simcloud.Fault{Kind: simcloud.Failure, Share: 0.01, Seed: 1},
//		simcloud.Fault{Kind: simcloud.Delay, For: 30 * time.Second, Operations: []simcloud.Operation{simcloud.Create}},
//		simcloud.Fault{Kind: simcloud.Crash, Skip: 4, Count: 1}, // at the fifth creation
//	)
//
// What they do, and what Terraform is left with:
//
//	quota         VcpuLimitExceeded / Quota exceeded for instances / OperationNotAllowed: nothing made
//	no-capacity   InsufficientInstanceCapacity / SkuNotAvailable, ZonalAllocationFailed: nothing made;
//	              OpenStack: No valid host was found, and a server in the state ERROR, tainted
//	throttle      RequestLimitExceeded / 429 / 429: nothing made
//	failure       InternalError / 500 / 500: nothing made
//	delay         the machine exists at once, the answer comes later
//	invisible     the machine exists, reads and lookups do not see it yet
//	hang          the machine exists, no answer comes
//	crash         the machine exists, the provider process is dead, Terraform knows nothing
//	lost          the machine exists, connection reset, Terraform knows nothing
//	timeout       the machine exists, tainted; on Azure Terraform knows nothing of it
//
// [Cloud.Delete] and [Cloud.Change] act behind Terraform's back. A kill -9 of terraform
// while a Delay waits leaves an orphan, as it would on a true cloud. [Cloud.Events]
// tells all that happened, so a test can prove that nothing was made twice and that
// only the right machine went; [Cloud.Hits] tells that a fault has struck.
//
// # What it does not simulate
//
// Nothing runs in a machine: no boot, no network, no user data. A block that the
// configuration does not have stays empty in the state, where the true providers show
// what the cloud chose (root_block_device, network). Default values stay null in the
// state. openstack keeps user data as it is, not as a hash. Quotas count machines, not
// cores. Prices, IAM, load balancers and anything else outside a fleet do not exist.
// It needs file locks, which are there on Linux and macOS.
package simcloud
