package plugin

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// vpc is the network that belongs to a name, or the account's default one.
func (l *looking) vpc(name string) string {
	if strings.HasPrefix(name, "vpc-") {
		return name
	}
	return hexOf("vpc-", first(name, "default"), l.account)
}

func lookupVPC(l *looking) error {
	filters := l.filters()
	name := first(append(append(filters["vpc-id"], filters["tag:Name"]...), l.o.pairs("tags")["Name"])...)
	id := first(l.o.str("id"), l.vpc(name))
	if has, err := l.Has("vpc", id, first(name, "default")); err != nil || !has {
		return or(err, "no matching EC2 VPC found")
	}
	for attribute, value := range map[string]any{
		"id": id, "cidr_block": "10.0.0.0/8", "default": id == l.vpc("") || l.o.flag("default", false), "state": "available",
		"enable_dns_support": true, "enable_dns_hostnames": true, "instance_tenancy": "default", "owner_id": l.server.account.number,
		"main_route_table_id": hexOf("rtb-", id), "dhcp_options_id": hexOf("dopt-", l.account), "tags": map[string]string{},
		"arn": fmt.Sprintf("arn:aws:ec2:%s:%s:vpc/%s", l.o.str("region"), l.server.account.number, id),
	} {
		l.o.answer(attribute, value)
	}
	return nil
}

// or is the error, else one with the text.
func or(err error, text string) error {
	if err != nil {
		return err
	}
	return errors.New(text)
}

// zoneOf is the availability zone that a subnet lies in.
func zoneOf(region, subnet string) string {
	sum := 0
	for _, c := range []byte(subnet) {
		sum += int(c)
	}
	return region + string("abc"[sum%3])
}

// subnetIn is the default network's subnet in a zone.
func subnetIn(region, zone string) string { return subnetOf("default", region, zone) }

// subnetOf is a network's subnet in a zone: the first of its hashes that lies there.
func subnetOf(vpc, region, zone string) string {
	if !strings.HasPrefix(zone, region) || len(zone) != len(region)+1 || !strings.ContainsAny(zone[len(region):], "abc") {
		return hexOf("subnet-", vpc, region, zone) // a zone that the three of the catalogue do not have
	}
	for i := 0; ; i++ {
		if id := hexOf("subnet-", vpc, region, fmt.Sprint(i)); zoneOf(region, id) == zone {
			return id
		}
	}
}

func lookupSubnet(l *looking) error {
	filters, region := l.filters(), l.o.str("region")
	id := l.o.str("id")
	if id == "" {
		id = first(filters["subnet-id"]...)
	}
	name := first(append(filters["tag:Name"], l.o.pairs("tags")["Name"])...)
	vpc := first(append(filters["vpc-id"], l.o.str("vpc_id"), l.vpc(""))...)
	zone := first(append(filters["availability-zone"], l.o.str("availability_zone"))...)
	if id == "" && name != "" {
		id = hexOf("subnet-", name, l.account)
	}
	if id == "" {
		id = subnetOf(vpc, region, first(zone, region+"a"))
	}
	if has, err := l.Has("subnet", id, name); err != nil || !has {
		return or(err, "no matching EC2 Subnet found")
	}
	for attribute, value := range map[string]any{
		"id": id, "vpc_id": vpc, "availability_zone": zoneOf(region, id), "availability_zone_id": "az-" + zoneOf(region, id),
		"cidr_block": "10.0.0.0/16", "state": "available", "default_for_az": false, "map_public_ip_on_launch": false,
		"owner_id": l.server.account.number, "available_ip_address_count": 65531, "tags": map[string]string{},
		"arn": fmt.Sprintf("arn:aws:ec2:%s:%s:subnet/%s", region, l.server.account.number, id),
	} {
		l.o.answer(attribute, value)
	}
	return nil
}

func lookupSubnets(l *looking) error {
	filters, region := l.filters(), l.o.str("region")
	vpc := first(append(filters["vpc-id"], l.vpc(""))...)
	ids := []string{}
	for _, letter := range "abc" {
		zone := region + string(letter)
		if zones := filters["availability-zone"]; len(zones) == 0 || slices.Contains(zones, zone) {
			ids = append(ids, subnetOf(vpc, region, zone))
		}
	}
	if names, listed, err := l.Names("subnet"); err != nil {
		return err
	} else if listed {
		ids = names
	}
	l.o.answer("id", region)
	l.o.answer("ids", ids)
	l.o.answer("tags", map[string]string{})
	return nil
}

func lookupSecurityGroup(l *looking) error {
	filters := l.filters()
	id := first(append(filters["group-id"], l.o.str("id"))...)
	name := first(append(append(filters["group-name"], filters["tag:Name"]...), l.o.str("name"))...)
	all, err := l.List("aws_security_group")
	if err != nil {
		return err
	}
	for _, r := range all { // one of Terraform's
		if r.ID == id || id == "" && r.Attribute("name") == name {
			o, err := l.resource(r.Type, r.ID)
			if err != nil {
				return err
			}
			l.copyFrom(o)
			return nil
		}
	}
	if has, err := l.Has("security_group", id, name); err != nil || !has {
		return or(err, "no matching EC2 Security Group found")
	}
	id = first(id, hexOf("sg-", name, l.account))
	for attribute, value := range map[string]any{
		"id": id, "name": first(name, "group-"+id), "vpc_id": l.vpc(""), "description": "simulated", "tags": map[string]string{},
		"arn": fmt.Sprintf("arn:aws:ec2:%s:%s:security-group/%s", l.o.str("region"), l.server.account.number, id),
	} {
		l.o.answer(attribute, value)
	}
	return nil
}
