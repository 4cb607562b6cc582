package plugin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
)

func awsKinds() map[string]*kind {
	tagged := []string{"tags", "tags_all"}
	instance := awsInstance()
	spot := awsInstance()
	spot.title, spot.call = "EC2 Spot Instance Request", "RequestSpotInstances"
	spot.inPlace, spot.create = append(tagged, "volume_tags"), createSpotRequest
	spot.forceNew, spot.alsoForces, spot.update = nil, nil, nil
	return map[string]*kind{
		"aws_instance":              instance,
		"aws_spot_instance_request": spot,
		"aws_key_pair": {
			title: "EC2 Key Pair", call: "ImportKeyPair", inPlace: tagged, plan: planAWS,
			unread: []string{"public_key"}, // DescribeKeyPairs gives it, the provider does not ask
			rules:  []rule{conflicts("key_name", "key_name_prefix")},
			create: func(m *making) error {
				name := first(m.next.str("key_name"), m.named("key_name_prefix", "terraform-"))
				m.next.set("key_name", name)
				m.next.fill("key_name_prefix", "")
				m.next.set("id", name)
				m.next.set("key_pair_id", m.hex("key-"))
				m.next.set("key_type", keyType(m.next.str("public_key")))
				m.next.set("fingerprint", fingerprint(m.next.str("public_key")))
				m.arn("key-pair/" + name)
				return nil
			},
		},
		"aws_placement_group": {
			title: "EC2 Placement Group", call: "CreatePlacementGroup", inPlace: tagged, plan: planAWS,
			rules: []rule{oneOf("strategy", "cluster", "partition", "spread"), oneOf("spread_level", "host", "rack")},
			create: func(m *making) error {
				name := m.next.str("name")
				m.next.set("id", name)
				m.next.set("placement_group_id", m.hex("pg-"))
				if m.next.str("strategy") == "spread" {
					m.next.fill("spread_level", "rack")
				}
				m.arn("placement-group/" + name)
				return nil
			},
			remove: inUse("placement_group", "aws_instance", "InvalidPlacementGroup.InUse: The placement group '%s' is in use and may not be deleted."),
		},
		"aws_security_group": {
			title: "Security Group", call: "CreateSecurityGroup", plan: planAWS,
			forceNew: []string{"name", "name_prefix", "description", "vpc_id"},
			rules:    []rule{conflicts("name", "name_prefix")},
			create:   createSecurityGroup,
			remove:   inUse("vpc_security_group_ids", "aws_instance", "DependencyViolation: resource %s has a dependent object"),
		},
		"aws_security_group_rule": {
			title: "Security Group Rule", call: "AuthorizeSecurityGroupIngress", inPlace: []string{"description"},
			rules: []rule{oneOf("type", "ingress", "egress")},
			create: func(m *making) error {
				m.next.set("id", hexOf("sgrule-", m.typ, fmt.Sprint(m.serial)))
				m.next.set("security_group_rule_id", m.hex("sgr-"))
				return nil
			},
		},
		"aws_vpc_security_group_egress_rule":  securityGroupRule("AuthorizeSecurityGroupEgress"),
		"aws_vpc_security_group_ingress_rule": securityGroupRule("AuthorizeSecurityGroupIngress"),
		"aws_eip":                             awsEIP(),
		"aws_eip_association":                 awsEIPAssociation(),
		"aws_ebs_volume": {
			title: "EC2 EBS Volume", call: "CreateVolume", plan: planAWS,
			forceNew: []string{"availability_zone", "encrypted", "kms_key_id", "outpost_arn", "snapshot_id", "multi_attach_enabled"},
			rules:    []rule{atLeastOne("size", "snapshot_id")},
			create: func(m *making) error {
				id := m.hex("vol-")
				m.next.set("id", id)
				m.volume(m.next, "type", "size")
				m.next.set("create_time", m.Now().Format("2006-01-02T15:04:05Z"))
				m.arn("volume/" + id)
				return nil
			},
			remove: inUse("volume_id", "aws_volume_attachment", "VolumeInUse: Volume %s is currently attached"),
		},
		"aws_volume_attachment": {
			title: "EBS Volume Attachment", call: "AttachVolume", inPlace: []string{"force_detach", "skip_destroy", "stop_instance_before_detaching"},
			unread: []string{"force_detach", "skip_destroy", "stop_instance_before_detaching"},
			create: func(m *making) error {
				m.next.set("id", hexOf("vai-", m.next.str("volume_id"), m.next.str("instance_id")))
				return nil
			},
		},
	}
}

// planAWS settles the region and the tags, which join the provider's default ones.
func planAWS(s *Server, p *planned) {
	if p.prior == nil {
		p.next.fill("region", s.account.region)
	}
	if !p.next.has("tags_all") || !p.config.attrs["tags_all"].IsNull() {
		return
	}
	if tags := p.next.attrs["tags"]; !tags.IsNull() && !tags.IsWhollyKnown() {
		p.later("tags_all")
		return
	}
	all := maps.Clone(s.account.defaultTags)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, p.next.pairs("tags"))
	p.next.set("tags_all", all)
}

// arn sets a resource's Amazon name.
func (m *making) arn(resource string) {
	m.next.set("arn", fmt.Sprintf("arn:aws:ec2:%s:%s:%s", m.next.str("region"), m.server.account.number, resource))
}

// named makes a unique name from a prefix attribute.
func (m *making) named(attribute, otherwise string) string {
	return fmt.Sprintf("%s%026d", first(m.next.str(attribute), otherwise), m.serial)
}

func keyType(publicKey string) string {
	if strings.HasPrefix(publicKey, "ssh-ed25519") {
		return "ed25519"
	}
	return "rsa"
}

// volume fills in what EC2 decides about a volume.
func (m *making) volume(o *object, kind, size string) {
	o.fill(size, 8)
	o.fill(kind, "gp3")
	if o.str(kind) == "gp3" {
		o.fill("iops", 3000)
		o.fill("throughput", 125)
	}
	o.fill("iops", 100)
	o.fill("throughput", 0)
	o.fill("encrypted", false)
	o.fill("kms_key_id", "")
	o.fill("snapshot_id", "")
}

// inUse refuses a deletion while a resource of another type names this one.
func inUse(attribute, typ, message string) func(*making) error {
	return func(m *making) error {
		others, err := m.List(typ)
		if err != nil {
			return err
		}
		id := m.prior.str("id")
		for _, r := range others {
			var attributes map[string]json.RawMessage
			if err := json.Unmarshal(r.Attributes, &attributes); err != nil {
				return err
			}
			if bytes.Contains(attributes[attribute], []byte(`"`+id+`"`)) { // alone or in a list
				return fmt.Errorf("deleting %s (%s): operation error EC2: Delete, https response error StatusCode: 400, RequestID: %s, api error %s",
					m.typ, id, uuidOf(id, "in use"), fmt.Sprintf(message, id))
			}
		}
		return nil
	}
}

func createSecurityGroup(m *making) error {
	name := first(m.next.str("name"), m.named("name_prefix", "terraform-"))
	m.next.set("name", name)
	m.next.fill("name_prefix", "")
	m.next.fill("vpc_id", hexOf("vpc-", "default", m.server.account.in(m.next.str("region"))))
	groups, err := m.List(m.typ)
	if err != nil {
		return err
	}
	for _, g := range groups {
		o, err := m.other(m.typ, g.ID)
		if err != nil {
			return err
		}
		if o.str("name") == name && o.str("vpc_id") == m.next.str("vpc_id") {
			return fmt.Errorf("creating Security Group (%s): operation error EC2: CreateSecurityGroup, https response error StatusCode: 400, RequestID: %s, api error InvalidGroup.Duplicate: The security group '%s' already exists for VPC '%s'", name, m.uuid(), name, m.next.str("vpc_id"))
		}
	}
	id := m.hex("sg-")
	m.next.set("id", id)
	m.next.set("owner_id", m.server.account.number)
	m.next.fill("ingress", emptyBlocks(m.next.attrs["ingress"].Type()))
	m.next.fill("egress", emptyBlocks(m.next.attrs["egress"].Type()))
	m.arn("security-group/" + id)
	return nil
}

func securityGroupRule(api string) *kind {
	return &kind{
		title: "VPC Security Group Rule", call: api, plan: planAWS, forceNew: []string{"security_group_id"},
		rules: []rule{exactlyOne("cidr_ipv4", "cidr_ipv6", "prefix_list_id", "referenced_security_group_id")},
		create: func(m *making) error {
			id := m.hex("sgr-")
			m.next.set("id", id)
			m.next.set("security_group_rule_id", id)
			m.arn("security-group-rule/" + id)
			return nil
		},
	}
}
