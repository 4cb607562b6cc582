package plugin

import (
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
			return inWords(noImage)
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
		l.o.answer(attribute, value)
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
		return inWords(noImage)
	case len(found) > 1:
		return inWords("Your query returned more than one result. Please try a more specific search criteria.")
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
	l.o.answer("instance_tags", map[string]string{})
	return nil
}
