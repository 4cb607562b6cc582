package failure

import (
	"regexp"
	"slices"
	"strings"
)

// Classify tells the kind of a failure from a resource's address, which says whose
// words these are, and the text of its diagnostic. Without an address, or with one
// of another provider, all words are tried.
func Classify(address, text string) Kind {
	provider := providerOf(address)
	for _, rule := range table {
		if (rule.provider == "" || provider == "" || rule.provider == provider) && rule.words.MatchString(text) {
			return rule.kind
		}
	}
	return Unknown
}

// providerOf is the provider of a resource by the prefix of its type, and empty
// where the table has none of it.
func providerOf(address string) string {
	keyless, _, _ := strings.Cut(address, "[")
	for part := range strings.SplitSeq(keyless, ".") {
		prefix, _, _ := strings.Cut(part, "_")
		if slices.Contains([]string{aws, azure, openstack, google}, prefix) {
			return prefix
		}
	}
	return ""
}

// The prefixes of the providers' resource types.
const (
	aws       = "aws"
	azure     = "azurerm"
	openstack = "openstack"
	google    = "google"
)

// rule says what words of a provider mean. A rule without a provider is for all.
type rule struct {
	provider string
	kind     Kind
	words    *regexp.Regexp
}

// words matches any of the alternatives, whatever the case. Codes are matched as
// whole words, so that the code Unsupported is not found in UnsupportedOperation.
func words(alternatives ...string) *regexp.Regexp {
	return regexp.MustCompile(`(?i)\b(?:` + strings.Join(alternatives, "|") + `)`)
}

// table is tried from the top: a throttle that speaks of a limit is no quota, and
// Azure's OperationNotAllowed is one of both, by the words that follow it.
//
// Sources: the EC2 API's error codes
// (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html),
// Azure's allocation and quota errors
// (https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors),
// Nova's, Neutron's and Cinder's fault messages, and Compute Engine's
// (https://cloud.google.com/compute/docs/troubleshooting/troubleshooting-vm-creation).
var table = []rule{
	{aws, Throttled, words(`RequestLimitExceeded`, `Throttling(Exception)?\b`, `ThrottledException`, `EC2ThrottledException`, `TooManyRequests(Exception)?\b`, `Rate exceeded`)},
	{azure, Throttled, words(`429\b`, `too many requests`, `TooManyRequests`, `SubscriptionRequestsThrottled`, `OperationNotAllowed.*too many requests`)},
	{openstack, Throttled, words(`got 429\b`, `rate-limited`, `"?overLimit"?`)},
	{google, Throttled, words(`Error 429\b`, `rateLimitExceeded`, `userRateLimitExceeded`, `RATE_LIMIT_EXCEEDED`)},

	{aws, Quota, words(`VcpuLimitExceeded`, `InstanceLimitExceeded`, `MaxSpotInstanceCountExceeded`, `MaxSpotFleetRequestCountExceeded`, `AddressLimitExceeded`, `VolumeLimitExceeded`, `MaxIOPSLimitExceeded`, `NetworkInterfaceLimitExceeded`, `ResourceCountLimitExceeded`, `ServiceQuotaExceeded`)},
	{azure, Quota, words(`QuotaExceeded`, `exceeding (approved|quota)`, `[A-Za-z ]*cores quota`, `PublicIPCountLimitReached`, `[A-Za-z]+LimitReached`, `ResourceQuotaExceeded`)},
	{openstack, Quota, words(`Quota exceeded`, `OverQuota`, `exceeds the quota`, `VolumeLimitExceeded`, `VolumeSizeExceedsAvailableQuota`, `Maximum number of \w+ exceeded`)},
	{google, Quota, words(`Quota '[^']*' exceeded`, `quotaExceeded`, `QUOTA_EXCEEDED`, `QUOTA_LIMIT`)},

	{aws, NoCapacity, words(`InsufficientInstanceCapacity`, `InsufficientHostCapacity`, `InsufficientReservedInstanceCapacity`, `InsufficientCapacity(OnHost)?\b`, `InsufficientFreeAddressesInSubnet`, `UnfulfillableCapacity`, `SpotMaxPriceTooLow`, `(api error )?Unsupported: `)},
	{azure, NoCapacity, words(`SkuNotAvailable`, `ZonalAllocationFailed`, `AllocationFailed`, `Allocation failed`, `OverconstrainedAllocationRequest`, `OverconstrainedZonalAllocationRequest`, `NotAvailableForSubscription`, `SubnetIsFull`)},
	{openstack, NoCapacity, words(`No valid host was found`, `not enough hosts available`, `Insufficient compute resources`, `Exhausted all hosts`, `IpAddressGenerationFailure`, `ExternalIpAddressExhausted`, `No more (IP addresses|free)`)},
	{google, NoCapacity, words(`ZONE_RESOURCE_POOL_EXHAUSTED`, `STOCKOUT`, `IP_SPACE_EXHAUSTED`, `does not have enough resources available`, `resource pool exhausted`, `currently unavailable in the`)},

	{aws, Auth, words(`AuthFailure`, `UnauthorizedOperation`, `InvalidClientTokenId`, `SignatureDoesNotMatch`, `ExpiredToken(Exception)?\b`, `RequestExpired`, `AccessDenied(Exception)?\b`, `OptInRequired`, `PendingVerification`, `MissingAuthenticationToken`, `No valid credential sources`, `failed to (refresh cached|retrieve) credentials`, `no EC2 IMDS role found`)},
	{azure, Auth, words(`AuthorizationFailed`, `AuthenticationFailed`, `LinkedAuthorizationFailed`, `InvalidAuthenticationToken\w*`, `ExpiredAuthenticationToken`, `AADSTS\d+`, `unauthorized_client`, `SubscriptionNotFound`, `(ReadOnly)?DisabledSubscription`, `unable to build authorizer`, `could not (configure|acquire) `, `subscription ID could not be determined`, `building account`)},
	{openstack, Auth, words(`got 401\b`, `Authentication failed`, `Unable to re-?authenticate`, `(is )?disallowed by policy`, `doesn't allow [\w:]+ to be performed`, `You must provide (a password|exactly one|either)`, `No suitable endpoint could be found`, `Missing input for argument`, `One of \W*auth_url`, `auth_url`)},
	{google, Auth, words(`Error 401\b`, `Error 403\b.*(forbidden|permission|accessNotConfigured)`, `PERMISSION_DENIED`, `SERVICE_DISABLED`, `invalid_grant`, `could not find default credentials`, `No credentials loaded`, `BILLING_DISABLED`)},

	{aws, Exists, words(`\w+\.Duplicate\b`, `IdempotentParameterMismatch`)},
	{azure, Exists, words(`already exists - to be managed via Terraform`)},
	{openstack, Exists, words(`conflictingRequest.*already exists`)},
	{google, Exists, words(`alreadyExists`, `Error 409\b.*already exists`)},

	{aws, Config, words(`Invalid\w+\.(NotFound|Malformed|Unavailable)`, `InvalidParameter(Value|Combination)?\b`, `InvalidBlockDeviceMapping`, `MissingParameter`, `UnknownParameter`, `InvalidSubnet`, `InvalidKeyPair`, `UnsupportedOperation`)},
	{azure, Config, words(`InvalidParameter`, `InvalidRequestFormat`, `PlatformImageNotFound`, `ImageNotFound`, `MarketplacePurchaseEligibilityFailed`, `VMMarketplaceInvalidInput`, `ResourceGroupNotFound`, `ResourcePurchaseValidationFailed`, `SecurityTypeNotSupported`, `LocationNotAvailableForResourceType`, `status 400\b`)},
	{openstack, Config, words(`got 400\b`, `Unable to find (image|flavor|network|security)`, `No (image|flavor|network)s? (with|found)`, `returned no results`, `is too small for requested image`, `Invalid key_name`, `Image \S+ could not be found`, `Flavor \S+ could not be found`)},
	{google, Config, words(`Error 400\b`, `Error 404\b`, `badRequest`)},
	{"", Config, words(`Unsupported (argument|block type|attribute)`, `Missing required argument`, `Reference to undeclared`, `Invalid (function argument|expression|reference|index|value for (input )?variable)`, `Incorrect attribute value type`)},

	{"", Timeout, words(`timeout while waiting`, `context deadline exceeded`, `connection reset by peer`, `connection refused`, `i/o timeout`, `TLS handshake timeout`, `request send failed`, `unexpected EOF`, `broken pipe`, `no such host`, `Plugin did not respond`, `GatewayTimeout`, `504 Gateway`)},
}
