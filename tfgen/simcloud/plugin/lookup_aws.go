package plugin

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/scalerd/scalerd/tfgen/simcloud"
)

func awsLookups() map[string]lookup {
	return map[string]lookup{
		"aws_ami":            lookupAMI,
		"aws_instance":       lookupInstance,
		"aws_instances":      lookupInstances,
		"aws_security_group": lookupSecurityGroup,
		"aws_subnet":         lookupSubnet,
		"aws_subnets":        lookupSubnets,
		"aws_vpc":            lookupVPC,
	}
}

// filters are a data source's filter blocks, name to values.
func (l *looking) filters() map[string][]string {
	all := map[string][]string{}
	for _, b := range l.o.blocks("filter") {
		all[b.str("name")] = append(all[b.str("name")], b.strs("values")...)
	}
	return all
}

// matches compares with EC2's patterns, * and ?.
func matches(patterns []string, value string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := path.Match(strings.ReplaceAll(p, "/", "\x01"), strings.ReplaceAll(value, "/", "\x01"))
		return ok && err == nil
	})
}

const noImage = "Your query returned no results. Please change your search criteria and try again."

func lookupAMI(l *looking) error {
	filters := l.filters()
	wanted := append(filters["name"], filters["image-id"]...)
	name := first(append(wanted, l.o.str("name_regex"), "image")...)
	names, listed, err := l.Names("image")
	if err != nil {
		return err
	}
	id := hexOf("ami-", l.account, fmt.Sprint(filters), l.o.str("name_regex"))
	if listed {
		at := slices.IndexFunc(names, func(n string) bool { return len(wanted) == 0 || matches(wanted, n) })
		if at < 0 {
			return errors.New(noImage)
		}
		if name = names[at]; strings.HasPrefix(name, "ami-") {
			id = name
		} else {
			id = hexOf("ami-", l.account, name)
		}
	}
	for attribute, value := range map[string]any{
		"id": id, "image_id": id, "name": strings.ReplaceAll(name, "*", "20260101"), "architecture": "x86_64", "state": "available",
		"root_device_type": "ebs", "root_device_name": "/dev/sda1", "virtualization_type": "hvm", "hypervisor": "xen",
		"owner_id": first(append(l.o.strs("owners"), "amazon")...), "creation_date": "2026-01-01T00:00:00.000Z", "public": true,
		"ena_support": true, "image_type": "machine", "platform_details": "Linux/UNIX", "usage_operation": "RunInstances",
		"arn": "arn:aws:ec2:" + l.o.str("region") + "::image/" + id, "tags": map[string]string{},
	} {
		l.o.fill(attribute, value)
	}
	return nil
}

// instances lists the account's instances that a query finds.
func (l *looking) instances(tags map[string]string) ([]simcloud.Resource, error) {
	all, err := l.List("aws_instance")
	if err != nil {
		return nil, err
	}
	filters := l.filters()
	var found []simcloud.Resource
	for _, r := range all {
		if tagged(r.Tags, tags) && l.passes(r, filters) {
			found = append(found, r)
		}
	}
	return found, nil
}

func (l *looking) passes(r simcloud.Resource, filters map[string][]string) bool {
	state := "running"
	if l.Now().Before(r.Ready) {
		state = "pending"
	}
	for name, values := range filters {
		value, _ := r.Attribute(strings.ReplaceAll(name, "-", "_")).(string)
		if tag, ok := strings.CutPrefix(name, "tag:"); ok {
			var exists bool
			if value, exists = r.Tags[tag]; !exists {
				return false
			}
		}
		switch name {
		case "instance-state-name":
			value = state
		case "instance-id":
			value = r.ID
		case "private-ip-address":
			value = r.PrivateIP
		case "ip-address":
			value = r.PublicIP
		case "image-id":
			value, _ = r.Attribute("ami").(string)
		case "tag-key":
			if !slices.ContainsFunc(values, func(v string) bool { _, ok := r.Tags[v]; return ok }) {
				return false
			}
			continue
		}
		if !matches(values, value) {
			return false
		}
	}
	return true
}

func lookupInstance(l *looking) error {
	found, err := l.instances(l.o.pairs("instance_tags"))
	if err != nil {
		return err
	}
	if id := l.o.str("instance_id"); id != "" {
		found = slices.DeleteFunc(found, func(r simcloud.Resource) bool { return r.ID != id })
	}
	switch {
	case len(found) == 0:
		return errors.New(noImage)
	case len(found) > 1:
		return errors.New("Your query returned more than one result. Please try a more specific search criteria.")
	}
	o, err := l.resource("aws_instance", found[0].ID)
	if err != nil {
		return err
	}
	l.o.set("tags", found[0].Tags)
	l.o.set("launch_time", found[0].Created.Format("2006-01-02T15:04:05Z"))
	l.copyFrom(o)
	return nil
}

func lookupInstances(l *looking) error {
	states := l.o.strs("instance_state_names")
	if len(states) == 0 {
		states = []string{"running"}
	}
	found, err := l.instances(l.o.pairs("instance_tags"))
	if err != nil {
		return err
	}
	found = slices.DeleteFunc(found, func(r simcloud.Resource) bool {
		return !l.passes(r, map[string][]string{"instance-state-name": states})
	})
	ids, private, public := []string{}, []string{}, []string{}
	for _, r := range found {
		ids = append(ids, r.ID)
		if r.PrivateIP != "" {
			private = append(private, r.PrivateIP)
		}
		if r.PublicIP != "" {
			public = append(public, r.PublicIP)
		}
	}
	l.o.set("id", l.o.str("region"))
	l.o.set("ids", ids)
	l.o.set("private_ips", private)
	l.o.set("public_ips", public)
	l.o.set("ipv6_addresses", []string{})
	l.o.fill("instance_tags", map[string]string{})
	return nil
}

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
		l.o.fill(attribute, value)
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
		l.o.fill(attribute, value)
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
	l.o.fill("id", region)
	l.o.fill("ids", ids)
	l.o.fill("tags", map[string]string{})
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
		l.o.fill(attribute, value)
	}
	return nil
}
