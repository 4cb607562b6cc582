// Package outbound bounds where descriptions can have scalerd send requests: never to
// link-local and multicast addresses, where a cloud tells scalerd's machine its own
// credentials, and, where an admin lists what may be called, to nothing else. Without a
// list, loopback and private networks may be called.
package outbound

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// ErrRefused is that a host may not be called.
var ErrRefused = errors.New("scalerd may not call it")

// Policy says which hosts may be called. The zero value lets all through but guarded
// ones, which is where clouds tell a machine its credentials. It is safe for
// concurrent use.
type Policy struct {
	// names and networks are the only ones that may be called; where there are none, all
	// may that are not guarded.
	names    []string
	networks []netip.Prefix
	// resolver looks names up; nil is the system's.
	resolver *net.Resolver
}

// guarded are addresses that mean something else on every machine, or have what is
// meant for this machine alone.
var guarded = []netip.Prefix{
	netip.MustParsePrefix("169.254.0.0/16"),     // link-local: the metadata of EC2, OpenStack, Azure, Google, ...
	netip.MustParsePrefix("fe80::/10"),          // link-local
	netip.MustParsePrefix("fd00:ec2::/32"),      // EC2's metadata, DNS and time
	netip.MustParsePrefix("fd20:ce::254/128"),   // Google's metadata
	netip.MustParsePrefix("168.63.129.16/32"),   // Azure's host
	netip.MustParsePrefix("100.100.100.200/32"), // Alibaba's metadata
	netip.MustParsePrefix("192.0.0.192/32"),     // Oracle's metadata
	netip.MustParsePrefix("224.0.0.0/4"),        // multicast
	netip.MustParsePrefix("ff00::/8"),           // multicast
	netip.MustParsePrefix("255.255.255.255/32"), // broadcast
}

// metadata are names of guarded addresses.
var metadata = []string{
	"metadata", "metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal",
	"metadata.tencentyun.com", "metadata.platformequinix.com", "metadata.packet.net",
}

// Parse reads hosts, addresses and networks that may be called, such as
// prometheus.internal, 10.1.2.3 and 10.0.0.0/8; all mistakes at once. Without any, all
// may be called that is not guarded; what is guarded has to be named, as
// 169.254.169.254, and is not part of a larger network.
func Parse(allowed []string) (*Policy, error) {
	p := &Policy{}
	var errs []error
	for _, text := range allowed {
		if network, err := netip.ParsePrefix(text); err == nil {
			p.networks = append(p.networks, network.Masked())
			continue
		}
		if ip, err := netip.ParseAddr(text); err == nil && ip.Zone() == "" {
			p.networks = append(p.networks, netip.PrefixFrom(ip.Unmap(), ip.Unmap().BitLen()))
			continue
		}
		if name := canonical(text); namePattern.MatchString(name) {
			p.names = append(p.names, name)
			continue
		}
		errs = append(errs, fmt.Errorf("%q is no host, address or network: write prometheus.internal, 10.1.2.3 or 10.0.0.0/8; other letters than a to z as xn--...", text))
	}
	return p, errors.Join(errs...)
}

// namePattern is a host's name as DNS has it; IDNA makes one of any other (RFC 5891).
var namePattern = regexp.MustCompile(`^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_-])?$`)

// canonical is a host's name in lower case, without the dot of the root.
func canonical(host string) string { return strings.TrimSuffix(strings.ToLower(host), ".") }

// Host returns why a host, with or without a port, may not be called as it is named:
// ErrRefused. No name is looked up. What scalerd dials is checked again when it is known
// where the name leads; where somebody else does, as terraform, a name has to be allowed
// as such, where only some are.
func (p *Policy) Host(host string, dialled bool) error {
	name := canonical(bare(host))
	if ip, err := netip.ParseAddr(name); err == nil {
		return p.address(ip)
	}
	switch {
	case !namePattern.MatchString(name):
		// What dials may read other letters and digits as these, and so as an address.
		return fmt.Errorf("%w: %q is no host's name: write it with a to z, 0 to 9, - and dots, other letters as xn--...", ErrRefused, name)
	case slices.Contains(p.names, name):
		return nil
	case slices.Contains(metadata, name):
		return fmt.Errorf("%w: %s is where a cloud tells a machine its credentials", ErrRefused, name)
	case numeric(name):
		return fmt.Errorf("%w: %s is another way to write an address; write it as usual", ErrRefused, name)
	case p.open() || dialled && len(p.networks) > 0:
		return nil
	}
	return fmt.Errorf("%w: %s is not among the hosts that scalerd's admin allows", ErrRefused, name)
}

// open reports whether all may be called that is not guarded.
func (p *Policy) open() bool { return len(p.names)+len(p.networks) == 0 }

// address returns why an address may not be called.
func (p *Policy) address(ip netip.Addr) error {
	if err := p.guard(ip); err != nil {
		return err
	}
	listed := func(one netip.Addr) bool { return contains(p.networks, one) }
	if p.open() || slices.ContainsFunc(meanings(ip), listed) {
		return nil
	}
	return fmt.Errorf("%w: %s is not among the addresses that scalerd's admin allows", ErrRefused, ip)
}

// leads returns why an address may not be called that a name led to.
func (p *Policy) leads(host string, ip netip.Addr) error {
	if slices.Contains(p.names, canonical(host)) {
		return p.guard(ip)
	}
	return p.address(ip)
}

// guard returns why a guarded address may not be called. A network opens those that it
// names, and not those that it has beside others.
func (p *Policy) guard(ip netip.Addr) error {
	for _, one := range meanings(ip) {
		for _, g := range guarded {
			opens := func(n netip.Prefix) bool { return n.Contains(one) && g.Bits() <= n.Bits() }
			if g.Contains(one) && !slices.ContainsFunc(p.networks, opens) {
				return fmt.Errorf("%w: %s is for one machine alone (link-local, multicast, or a cloud's metadata)", ErrRefused, ip)
			}
		}
	}
	return nil
}

func contains(networks []netip.Prefix, ip netip.Addr) bool {
	return slices.ContainsFunc(networks, func(n netip.Prefix) bool { return n.Contains(ip) })
}

// translated are networks whose addresses have an IPv4 address in them, which a gateway
// may send them on to, and at which byte.
var translated = []struct {
	network netip.Prefix
	at      int
}{
	{netip.MustParsePrefix("64:ff9b::/96"), 12}, // RFC 6052
	{netip.MustParsePrefix("64:ff9b:1::/48"), 12},
	{netip.MustParsePrefix("2002::/16"), 2}, // 6to4
	{netip.MustParsePrefix("::/96"), 12},    // IPv4-compatible
}

// meanings are an address and the one that is in it.
func meanings(ip netip.Addr) []netip.Addr {
	ip = ip.Unmap().WithZone("")
	all := []netip.Addr{ip}
	if !ip.Is6() || ip.IsLoopback() || ip.IsUnspecified() {
		return all
	}
	for _, t := range translated {
		if t.network.Contains(ip) {
			b := ip.As16()
			all = append(all, netip.AddrFrom4([4]byte(b[t.at:t.at+4])))
		}
	}
	return all
}

// numeric reports whether a name is made of numbers, as 2852039166, 0xa9fea9fe and
// 169.254.43518 are: some resolvers take them for addresses.
func numeric(name string) bool {
	last := name[strings.LastIndexByte(name, '.')+1:]
	return last != "" && (strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x"))
}

// bare is a host without port and brackets.
func bare(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.Trim(host, "[]")
}
