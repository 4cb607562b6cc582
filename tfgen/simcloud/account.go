package simcloud

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"
)

// AWSAccount is the name of the account that an access key opens in a region. The
// number in it comes from the key's identifier; an endpoint, for clouds that speak
// EC2's protocol, is empty for AWS itself.
func AWSAccount(accessKeyID, region, endpoint string) string {
	name := "aws/" + AWSAccountNumber(accessKeyID) + "/" + region
	if endpoint != "" {
		name += "/" + host(endpoint)
	}
	return name
}

// AWSAccountNumber is the twelve-digit account number that belongs to an access key.
func AWSAccountNumber(accessKeyID string) string {
	sum := sha256.Sum256([]byte(accessKeyID))
	return fmt.Sprintf("%012d", binary.BigEndian.Uint64(sum[:])%1_000_000_000_000)
}

// OpenStackAccount is the name of a project's account. The project is its
// identifier or, where only that is known, its name; for application credentials,
// which carry their project with them, it is "credential-" and their identifier.
func OpenStackAccount(authURL, project, region string) string {
	name := "openstack/" + host(authURL) + "/" + project
	if region != "" {
		name += "/" + region
	}
	return name
}

// AzureAccount is the name of a subscription's account.
func AzureAccount(subscription string) string { return "azure/" + strings.ToLower(subscription) }

// host shortens an address to its host and port.
func host(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return u.Host
	}
	return address
}
