package failure_test

import (
	"testing"

	"github.com/scalerd/scalerd/scaler/failure"
)

// TestClassify has messages as the providers write them: most were copied from
// their issue trackers and documentation.
func TestClassify(t *testing.T) {
	const (
		aws       = `aws_instance.node["web-0001"]`
		azure     = `azurerm_linux_virtual_machine.node["web-0001"]`
		openstack = `openstack_compute_instance_v2.node["web-0001"]`
		google    = `module.nodes.google_compute_instance.node["web-0001"]`
	)
	for _, tt := range []struct {
		address, text string
		want          failure.Kind
	}{
		{aws, `creating EC2 Instance: operation error EC2: RunInstances, https response error StatusCode: 400, RequestID: 1f, api error VcpuLimitExceeded: You have requested more vCPU capacity than your current vCPU limit of 32 allows for the instance bucket that the specified instance type belongs to.`, failure.Quota},
		{aws, `creating EC2 Instance: operation error EC2: RunInstances, https response error StatusCode: 400, RequestID: 1f, api error MaxSpotInstanceCountExceeded: Max spot instance count exceeded`, failure.Quota},
		{aws, `creating EC2 Instance: operation error EC2: RunInstances, https response error StatusCode: 500, RequestID: 1f, api error InsufficientInstanceCapacity: We currently do not have sufficient t3.large capacity in the Availability Zone you requested (eu-west-1a).`, failure.NoCapacity},
		{aws, `creating EC2 Instance: operation error EC2: RunInstances, https response error StatusCode: 400, RequestID: 1f, api error SpotMaxPriceTooLow: Your Spot request price of 0.001 is lower than the minimum required Spot request fulfillment price of 0.0416.`, failure.NoCapacity},
		{aws, `creating EC2 Instance: operation error EC2: RunInstances, https response error StatusCode: 400, RequestID: 1f, api error Unsupported: Your requested instance type (c7g.large) is not supported in your requested Availability Zone (us-east-1e).`, failure.NoCapacity},
		{aws, `creating EC2 Instance: operation error EC2: RunInstances, https response error StatusCode: 400, RequestID: 1f, api error InsufficientFreeAddressesInSubnet: There are not enough free addresses in subnet 'subnet-1' to satisfy the requested number of instances.`, failure.NoCapacity},
		{aws, `creating EC2 Instance: operation error EC2: RunInstances, https response error StatusCode: 503, RequestID: 1f, api error RequestLimitExceeded: Request limit exceeded.`, failure.Throttled},
		{aws, `operation error EC2: DescribeInstances, exceeded maximum number of attempts, 25, https response error StatusCode: 400, api error Throttling: Rate exceeded`, failure.Throttled},
		{aws, `waiting for EC2 Instance (i-0abc) create: timeout while waiting for state to become 'running' (last state: 'pending', timeout: 10m0s)`, failure.Timeout},
		{aws, `creating EC2 Instance: operation error EC2: RunInstances, exceeded maximum number of attempts, 25, https response error StatusCode: 0, RequestID: , request send failed, Post "https://ec2.eu-west-1.amazonaws.com/": read tcp 10.0.0.2:51234->198.18.0.1:443: read: connection reset by peer`, failure.Timeout},
		{aws, `creating EC2 Instance: operation error EC2: RunInstances, https response error StatusCode: 403, RequestID: 1f, api error UnauthorizedOperation: You are not authorized to perform this operation. Encoded authorization failure message: x`, failure.Auth},
		{"", `Error: No valid credential sources found: Please see https://registry.terraform.io/providers/hashicorp/aws for more information about providing credentials. Error: failed to refresh cached credentials, no EC2 IMDS role found, operation error ec2imds: GetMetadata, request canceled, context deadline exceeded`, failure.Auth},
		{aws, `creating EC2 Instance: operation error EC2: RunInstances, https response error StatusCode: 400, RequestID: 1f, api error InvalidAMIID.NotFound: The image id '[ami-0123456789abcdef0]' does not exist`, failure.Config},
		{aws, `creating EC2 Instance: operation error EC2: RunInstances, https response error StatusCode: 400, RequestID: 1f, api error InvalidParameterValue: Invalid value 't9.huge' for InstanceType.`, failure.Config},
		{"aws_key_pair.group", `importing EC2 Key Pair (web): operation error EC2: ImportKeyPair, api error InvalidKeyPair.Duplicate: The keypair already exists`, failure.Exists},
		{aws, `creating EC2 Instance: operation error EC2: RunInstances, https response error StatusCode: 500, RequestID: 1f, api error InternalError: An internal error has occurred`, failure.Unknown},

		{azure, `creating Linux Virtual Machine (Subscription: "1"): performing CreateOrUpdate: unexpected status 409 (409 Conflict) with error: OperationNotAllowed: Operation could not be completed as it results in exceeding approved Total Regional Cores quota. Additional details - Deployment Model: Resource Manager, Location: westeurope, Current Limit: 10, Current Usage: 10, Additional Required: 1`, failure.Quota},
		{"azurerm_public_ip.node", `unexpected status 400 (400 Bad Request) with error: PublicIPCountLimitReached: Cannot create more than 10 public IP addresses for this subscription in this region.`, failure.Quota},
		{azure, `performing CreateOrUpdate: unexpected status 409 (409 Conflict) with error: SkuNotAvailable: The requested VM size for resource 'Following SKUs have failed for Capacity Restrictions: Standard_B2s' is currently not available in location 'westeurope'.`, failure.NoCapacity},
		{azure, `performing CreateOrUpdate: unexpected status 409 (409 Conflict) with error: ZonalAllocationFailed: Allocation failed. We do not have sufficient capacity for the requested VM size in this zone.`, failure.NoCapacity},
		{azure, `compute.VirtualMachinesClient#CreateOrUpdate: Failure sending request: StatusCode=0 -- Original Error: Code="OverconstrainedAllocationRequest" Message="Allocation failed."`, failure.NoCapacity},
		{azure, `performing CreateOrUpdate: unexpected status 429 (429 Too Many Requests) with error: OperationNotAllowed: The server rejected the request because too many requests have been received for this subscription.`, failure.Throttled},
		{azure, `creating Linux Virtual Machine: polling after CreateOrUpdate: context deadline exceeded`, failure.Timeout},
		{azure, `A resource with the ID "/subscriptions/1/x" already exists - to be managed via Terraform this resource needs to be imported into the State.`, failure.Exists},
		{azure, `unexpected status 403 (403 Forbidden) with error: AuthorizationFailed: The client 'x' with object id 'y' does not have authorization to perform action 'Microsoft.Compute/virtualMachines/write'`, failure.Auth},
		{"", `building account: could not acquire access token to parse claims: clientCredentialsToken: received HTTP status 401 with response: {"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided."}`, failure.Auth},
		{azure, `performing CreateOrUpdate: unexpected status 404 (404 Not Found) with error: PlatformImageNotFound: The platform image 'Canonical:ubuntu:server:1' is not available.`, failure.Config},
		{azure, `creating: unexpected status 500 (500 Internal Server Error) with error: InternalServerError: An internal error has occurred. Please retry later.`, failure.Unknown},

		{openstack, `Error creating OpenStack server: Expected HTTP response code [201 202] when accessing [POST https://nova/servers], but got 403 instead: {"forbidden": {"code": 403, "message": "Quota exceeded for instances: Requested 1, but already used 10 of 10 instances"}}`, failure.Quota},
		{"openstack_networking_port_v2.node", `Error creating openstack_networking_port_v2: Expected HTTP response code [201] when accessing [POST https://neutron/v2.0/ports], but got 409 instead: {"NeutronError": {"type": "OverQuota", "message": "Quota exceeded for resources: ['port'].", "detail": ""}}`, failure.Quota},
		{openstack, `Error waiting for instance (1f) to become ready: unexpected state 'ERROR', wanted target 'ACTIVE'. last error: No valid host was found. There are not enough hosts available.`, failure.NoCapacity},
		{"openstack_networking_port_v2.node", `but got 409 instead: {"NeutronError": {"type": "IpAddressGenerationFailure", "message": "No more IP addresses available on network 1f."}}`, failure.NoCapacity},
		{openstack, `Expected HTTP response code [201 202] when accessing [POST https://nova/servers], but got 429 instead: {"overLimit": {"code": 429, "message": "This request was rate-limited.", "retryAfter": "1"}}`, failure.Throttled},
		{openstack, `Error waiting for instance (1f) to become ready: timeout while waiting for state to become 'ACTIVE' (last state: 'BUILD', timeout: 30m0s)`, failure.Timeout},
		{openstack, `Authentication failed`, failure.Auth},
		{openstack, `but got 403 instead: {"forbidden": {"code": 403, "message": "Policy doesn't allow os_compute_api:servers:create to be performed."}}`, failure.Auth},
		{openstack, `Error creating OpenStack server: but got 400 instead: {"badRequest": {"code": 400, "message": "Invalid key_name provided."}}`, failure.Config},
		{openstack, `but got 500 instead: {"computeFault": {"code": 500, "message": "Unexpected API Error."}}`, failure.Unknown},

		{google, `Error waiting for instance to create: Quota 'CPUS' exceeded.  Limit: 24.0 in region europe-west1.`, failure.Quota},
		{google, `Error waiting for instance to create: The zone 'projects/p/zones/europe-west1-b' does not have enough resources available to fulfill the request.  Try a different zone, or try again later.`, failure.NoCapacity},
		{google, `googleapi: Error 403: Rate Limit Exceeded, rateLimitExceeded`, failure.Throttled},
		{google, `Error creating instance: googleapi: Error 403: Required 'compute.instances.create' permission for 'projects/p/zones/z/instances/web', forbidden`, failure.Auth},
		{google, `Error creating instance: googleapi: Error 409: The resource 'projects/p/zones/z/instances/web' already exists, alreadyExists`, failure.Exists},
		{google, `Error creating instance: googleapi: Error 400: Invalid value for field 'resource.machineType': 'x'. Machine type with name 'x' does not exist in zone 'z'., invalid`, failure.Config},

		{`terraform_data.node["web-0001"]`, `local-exec provisioner error: Error running command '"$SCALERD" start': exit status 1`, failure.Unknown},
		{"", `Unsupported argument: An argument named "instance_typ" is not expected here.`, failure.Config},
	} {
		if got := failure.Classify(tt.address, tt.text); got != tt.want {
			t.Errorf("Classify(%s) = %s, want %s: %s", tt.address, got, tt.want, tt.text)
		}
	}
}

func TestWorst(t *testing.T) {
	if got := failure.Worst(failure.NoCapacity, failure.Auth, failure.Throttled); got != failure.Auth {
		t.Errorf("Worst() = %s, want auth: that one needs a person", got)
	}
	if got := failure.Worst(); got != failure.Unknown {
		t.Errorf("Worst() of none = %s, want unknown", got)
	}
}

func TestEveryKnownKindSaysWhatIsDone(t *testing.T) {
	for _, k := range failure.Kinds {
		if (k.Advice() == "") != (k == failure.Unknown) {
			t.Errorf("Advice() of %s = %q", k, k.Advice())
		}
	}
}
