package plugin

import (
	"fmt"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

func awsInstance() *kind {
	return &kind{
		title: "EC2 Instance", call: "RunInstances", size: "instance_type", zone: "availability_zone",
		forceNew: []string{
			"ami", "availability_zone", "key_name", "subnet_id", "placement_group", "placement_group_id", "placement_partition_number",
			"associate_public_ip_address", "private_ip", "tenancy", "security_groups", "instance_market_options", "hibernation",
			"launch_template", "network_interface", "cpu_options", "enclave_options", "ephemeral_block_device", "host_resource_group_arn",
			"root_block_device.encrypted", "root_block_device.kms_key_id", "region",
		},
		unread: []string{"user_data_replace_on_change", "force_destroy", "get_password_data", "volume_tags"},
		rules: []rule{
			atLeastOne("ami", "launch_template"), atLeastOne("instance_type", "launch_template"),
			conflicts("user_data", "user_data_base64"), conflicts("placement_group", "placement_group_id"),
			conflicts("subnet_id", "network_interface"), conflicts("vpc_security_group_ids", "network_interface"),
			conflicts("security_groups", "network_interface"), conflicts("associate_public_ip_address", "network_interface"),
			conflicts("private_ip", "network_interface"), conflicts("ipv6_addresses", "ipv6_address_count"),
			longest("user_data", 16384), isBase64("user_data_base64"),
			oneOf("instance_initiated_shutdown_behavior", "stop", "terminate"),
			oneOf("tenancy", "default", "dedicated", "host"),
			oneOf("metadata_options.http_tokens", "optional", "required"),
			oneOf("metadata_options.http_endpoint", "enabled", "disabled"),
			oneOf("root_block_device.volume_type", "standard", "io1", "io2", "gp2", "gp3", "sc1", "st1"),
			oneOf("instance_market_options.market_type", "spot", "capacity-block"),
		},
		alsoForces: userDataReplaces,
		plan:       planInstance,
		create:     createInstance,
		update:     updateInstance,
	}
}

// planInstance adds to the tags what a change of the type or of the user data
// does: the machine is stopped and started, or replaced where it was asked for.
func planInstance(s *Server, p *planned) {
	planAWS(s, p)
	if p.changed("instance_type", "user_data", "user_data_base64") {
		p.later("public_ip", "public_dns")
	}
}

// userDataReplaces makes changed user data a replacement where that is asked for.
func userDataReplaces(p *planned) []string {
	if !p.next.flag("user_data_replace_on_change", false) {
		return nil
	}
	return []string{"user_data", "user_data_base64"}
}

func createInstance(m *making) error {
	o := m.next
	if err := m.checkCatalogue("image", "InvalidAMIID.NotFound: The image id '[%s]' does not exist", o.str("ami")); err != nil {
		return err
	}
	if err := m.checkKey(o.str("key_name")); err != nil {
		return err
	}
	id, region := m.hex("i-"), o.str("region")
	o.set("id", id)
	o.set("arn", fmt.Sprintf("arn:aws:ec2:%s:%s:instance/%s", region, m.server.account.number, id))
	o.fill("availability_zone", m.zone())
	public := o.str("subnet_id") == "" // the default network gives public addresses
	o.fill("subnet_id", subnetIn(region, o.str("availability_zone")))
	public = o.flag("associate_public_ip_address", public)
	o.fill("associate_public_ip_address", public)
	m.addresses(public)
	o.fill("vpc_security_group_ids", []string{hexOf("sg-", "default", region)})
	o.set("instance_state", "running")
	o.set("primary_network_interface_id", m.hex("eni-"))
	if o.spot() {
		o.set("instance_lifecycle", "spot")
		o.set("spot_instance_request_id", hexOf("sir-", id))
	}
	for name, value := range map[string]any{
		"instance_lifecycle": "", "spot_instance_request_id": "", "instance_initiated_shutdown_behavior": "stop",
		"disable_api_stop": false, "disable_api_termination": false, "ebs_optimized": false, "monitoring": false,
		"tenancy": "default", "iam_instance_profile": "", "key_name": "", "placement_group": "", "placement_group_id": "",
		"placement_partition_number": 0, "outpost_arn": "", "password_data": "", "host_id": "", "ipv6_address_count": 0,
		"ipv6_addresses": []string{}, "secondary_private_ips": []string{}, "security_groups": []string{},
	} {
		o.fill(name, value)
	}
	m.instanceBlocks()
	return nil
}

// addresses gives a machine its addresses.
func (m *making) addresses(public bool) {
	o, region := m.next, m.next.str("region")
	o.fill("private_ip", m.privateIP())
	o.fill("private_dns", "ip-"+strings.ReplaceAll(o.str("private_ip"), ".", "-")+"."+region+".compute.internal")
	ip, dns := "", ""
	if public {
		ip = m.publicIP()
		dns = "ec2-" + strings.ReplaceAll(ip, ".", "-") + "." + region + ".compute.amazonaws.com"
	}
	o.fill("public_ip", ip)
	o.fill("public_dns", dns)
}

// instanceBlocks fills in the blocks that the configuration has.
func (m *making) instanceBlocks() {
	o := m.next
	disk := func(i int, b *object) {
		b.fill("device_name", "/dev/sda1")
		b.set("volume_id", hexOf("vol-", o.str("id"), b.str("device_name"), fmt.Sprint(i)))
		m.volume(b, "volume_type", "volume_size")
		b.fill("tags_all", b.pairs("tags"))
	}
	o.edit("root_block_device", disk)
	o.edit("ebs_block_device", disk)
	o.edit("metadata_options", func(_ int, b *object) {
		b.fill("http_tokens", "required")
		b.fill("http_put_response_hop_limit", 2)
		b.fill("instance_metadata_tags", "disabled")
	})
	o.edit("instance_market_options", func(_ int, b *object) {
		b.fill("market_type", "spot")
		b.edit("spot_options", func(_ int, b *object) {
			b.fill("instance_interruption_behavior", "terminate")
			b.fill("max_price", "")
			b.fill("spot_instance_type", "one-time")
			b.fill("valid_until", "")
		})
	})
}

// zone is the one of the wanted subnet, else the region's three in turn.
func (m *making) zone() string {
	region := m.next.str("region")
	if subnet := m.next.str("subnet_id"); subnet != "" {
		return zoneOf(region, subnet)
	}
	return region + string("abc"[m.serial%3])
}

// checkKey refuses a key pair that neither Terraform nor the catalogue knows.
func (m *making) checkKey(name string) error {
	if name == "" || m.Exists("aws_key_pair", name) {
		return nil
	}
	return m.checkCatalogue("key_pair", "InvalidKeyPair.NotFound: The key pair '%s' does not exist", name)
}

// checkCatalogue refuses a name that the catalogue does not have, in EC2's words.
func (m *making) checkCatalogue(kind, message, name string) error {
	if name == "" {
		return nil
	}
	has, err := m.Has(kind, name)
	if err != nil || has {
		return err
	}
	return fmt.Errorf("creating EC2 Instance: operation error EC2: RunInstances, https response error StatusCode: 400, RequestID: %s, api error %s", m.uuid(), fmt.Sprintf(message, name))
}

func updateInstance(m *making) error {
	if !m.next.attrs["public_ip"].IsKnown() { // stopped and started
		m.addresses(m.prior.str("public_ip") != "")
	}
	m.instanceBlocks()
	return nil
}

// createSpotRequest makes a request that is fulfilled at once by an instance.
func createSpotRequest(m *making) error {
	if err := createInstance(m); err != nil {
		return err
	}
	instance := m.next.str("id")
	m.next.set("id", m.hex("sir-"))
	m.next.set("spot_instance_id", instance)
	m.next.set("spot_bid_status", "fulfilled")
	m.next.set("spot_request_state", "active")
	m.next.fill("spot_price", "")
	return nil
}

func awsEIP() *kind {
	return &kind{
		title: "EC2 EIP", call: "AllocateAddress", plan: planAWS,
		forceNew: []string{"address", "customer_owned_ipv4_pool", "domain", "ipam_pool_id", "network_border_group", "public_ipv4_pool", "region"},
		unread:   []string{"associate_with_private_ip", "address"},
		rules:    []rule{conflicts("instance", "network_interface")},
		create: func(m *making) error {
			id := m.hex("eipalloc-")
			m.next.set("id", id)
			m.next.set("allocation_id", id)
			m.next.set("public_ip", first(m.next.str("address"), m.publicIP()))
			m.next.set("public_dns", "ec2-"+strings.ReplaceAll(m.next.str("public_ip"), ".", "-")+"."+m.next.str("region")+".compute.amazonaws.com")
			m.next.fill("domain", "vpc")
			m.next.fill("network_border_group", m.next.str("region"))
			m.next.fill("public_ipv4_pool", "amazon")
			m.arn("elastic-ip/" + id)
			return m.eip()
		},
		update: func(m *making) error { return m.eip() },
		remove: func(m *making) error { return m.instancePublicIP(m.prior.str("instance"), "") },
	}
}

// eip shows an address at the instance that it is for.
func (m *making) eip() error {
	m.next.fill("instance", "")
	m.next.fill("network_interface", "")
	for _, name := range []string{"association_id", "private_ip", "private_dns", "carrier_ip", "customer_owned_ip", "ptr_record"} {
		m.next.fill(name, "")
	}
	if m.prior != nil && m.prior.str("instance") != m.next.str("instance") {
		if err := m.instancePublicIP(m.prior.str("instance"), ""); err != nil {
			return err
		}
	}
	return m.instancePublicIP(m.next.str("instance"), m.next.str("public_ip"))
}

func (m *making) instancePublicIP(instance, ip string) error {
	if instance == "" {
		return nil
	}
	return m.put("aws_instance", instance, func(o *object) { o.set("public_ip", ip) })
}

func awsEIPAssociation() *kind {
	return &kind{
		title: "EC2 EIP Association", call: "AssociateAddress", inPlace: []string{},
		unread: []string{"allow_reassociation"},
		rules:  []rule{atLeastOne("allocation_id", "public_ip"), atLeastOne("instance_id", "network_interface_id", "private_ip_address")},
		create: func(m *making) error {
			allocation := m.next.str("allocation_id")
			eip, err := m.other("aws_eip", allocation)
			if err != nil {
				return err
			}
			if eip == nil && m.next.str("public_ip") == "" {
				return fmt.Errorf("creating EC2 EIP Association: operation error EC2: AssociateAddress, https response error StatusCode: 400, RequestID: %s, api error InvalidAllocationID.NotFound: The allocation ID '%s' does not exist", m.uuid(), allocation)
			}
			if eip != nil {
				m.next.fill("public_ip", eip.str("public_ip"))
			}
			instance, err := m.other("aws_instance", m.next.str("instance_id"))
			if err != nil {
				return err
			}
			if instance != nil {
				m.next.fill("private_ip_address", instance.str("private_ip"))
				m.next.fill("network_interface_id", instance.str("primary_network_interface_id"))
			}
			m.next.set("id", m.hex("eipassoc-"))
			return m.associate(m.next.str("public_ip"), m.next)
		},
		remove: func(m *making) error { return m.associate("", m.prior) },
	}
}

// associate shows an association, or its end, at the address and the instance.
func (m *making) associate(ip string, association *object) error {
	err := m.put("aws_eip", association.str("allocation_id"), func(o *object) {
		instance, id := association.attrs["instance_id"], association.str("id")
		if ip == "" {
			instance, id = cty.StringVal(""), ""
		}
		o.set("instance", cty.UnknownAsNull(instance))
		o.set("association_id", id)
	})
	if err != nil {
		return err
	}
	return m.instancePublicIP(association.str("instance_id"), ip)
}
