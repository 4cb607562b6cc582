package tosca

import (
	"fmt"
	"strings"

	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

var ec2Properties = []string{"region_name", "image_id", "instance_type", "key_name", "security_group_ids", "subnet_id", "tags", "endpoint", "context"}

func (t *translator) ec2(s *settings, into *strictyaml.Node) {
	region := s.require("region_name")
	into.Set("region", words(region))
	if endpoint := s.first("endpoint", "endpoint_cloud"); endpoint != nil {
		text := strings.TrimSpace(endpoint.Scalar())
		if strings.TrimSuffix(text, "/") != fmt.Sprintf("https://ec2.%s.amazonaws.com", region.Scalar()) {
			if endpoint.Is(strictyaml.KindText) && text != endpoint.Scalar() {
				endpoint = strictyaml.NewText(endpoint, text)
			}
			into.Set("endpoint", endpoint)
		}
	}
	into.Set("ami", words(s.require("image_id")))
	into.Set("instance_type", s.require("instance_type"))
	put(into, "key_name", words(s.take("key_name")))
	put(into, "security_groups", listed(s.first("security_group_ids", "vpc_security_group_ids")))
	put(into, "subnets", one(words(s.take("subnet_id"))))
	put(into, "zones", one(s.take("availability_zone")))
	put(into, "public_ip", boolean(s.take("associate_public_ip_address")))
	put(into, "instance_profile", words(s.take("iam_instance_profile")))
	put(into, "tags", labels(s.take("tags")))
	if volume := ec2Volume(s); volume != nil {
		into.Set("root_volume", volume)
	}
	s.arguments(into, ec2Properties...)
}

// ec2Volume is the root volume of a root_block_device that says no more than a
// description can.
func ec2Volume(s *settings) *strictyaml.Node {
	names := map[string]string{"volume_size": "size", "volume_type": "type", "encrypted": "encrypted", "iops": "iops", "throughput": "throughput"}
	for _, e := range s.values {
		device := e.value
		if e.name != "root_block_device" {
			continue
		}
		if items := device.Items(); len(items) == 1 {
			device = items[0]
		}
		volume := strictyaml.NewMapping(device)
		for _, setting := range device.Entries() {
			key, known := names[setting.Key()]
			if !known {
				return nil
			}
			if key == "encrypted" {
				setting = boolean(setting)
			}
			volume.Set(key, number(setting))
		}
		if device.Is(strictyaml.KindMapping) {
			s.taken[e.name] = true
			return volume
		}
	}
	return nil
}
