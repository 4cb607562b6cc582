package spec

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// ourTags are the tags and metadata that scalerd sets.
var ourTags = []string{"application", "group", "node", "decision"}

var (
	amiPattern           = regexp.MustCompile(`^ami-[0-9a-f]{8,17}$`)
	securityGroupPattern = regexp.MustCompile(`^sg-[0-9a-f]{8,17}$`)
	subnetPattern        = regexp.MustCompile(`^subnet-[0-9a-f]{8,17}$`)
)

func (c *checker) ec2(e *EC2, path string) {
	c.filled(path, "region", e.Region)
	c.filled(path, "ami", e.AMI)
	c.filled(path, "instance_type", e.InstanceType)
	if e.Endpoint != "" && c.fine(path+".endpoint") {
		c.endpoint(path+".endpoint", e.Endpoint)
	}
	if e.Endpoint == "" {
		c.ec2Identifiers(e, path)
	}
	if len(e.Subnets) > 0 && len(e.Zones) > 0 {
		c.mistake(path+".zones", "is set together with subnets, which are in zones of their own", "keep one of them")
	}
	c.texts(path+".security_groups", e.SecurityGroups)
	c.texts(path+".subnets", e.Subnets)
	c.texts(path+".zones", e.Zones)
	c.tags(path+".tags", e.Tags, 45, 128, 256)
	for _, name := range slices.Sorted(maps.Keys(e.Tags)) {
		if strings.HasPrefix(strings.ToLower(name), "aws:") {
			c.mistake(strictyaml.JoinKey(path+".tags", name), "starts with aws:, which Amazon keeps for itself", "rename it")
		}
	}
	if e.RootVolume != nil {
		c.ec2Volume(e.RootVolume, path+".root_volume")
	}
	if e.Spot != nil && e.Spot.MaxPrice != "" && c.fine(path+".spot.max_price") {
		if price, err := strconv.ParseFloat(e.Spot.MaxPrice, 64); err != nil || price <= 0 {
			c.mistake(path+".spot.max_price", fmt.Sprintf("is %q, which is no price", e.Spot.MaxPrice), `write US dollars per hour, as "0.02", or leave it out for the on-demand price`)
		}
	}
}

// ec2Identifiers checks identifiers as Amazon writes them; other clouds have others.
func (c *checker) ec2Identifiers(e *EC2, path string) {
	if c.fine(path+".ami") && e.AMI != "" && !amiPattern.MatchString(e.AMI) {
		c.mistake(path+".ami", fmt.Sprintf("is %q, which is no machine image", e.AMI), "write an identifier such as ami-0123456789abcdef0")
	}
	for i, id := range e.SecurityGroups {
		if at := strictyaml.JoinIndex(path+".security_groups", i); c.fine(at) && id != "" && !securityGroupPattern.MatchString(id) {
			c.mistake(at, fmt.Sprintf("is %q, which is no security group's identifier", id), "write an identifier such as sg-0123456789abcdef0, not the name")
		}
	}
	for i, id := range e.Subnets {
		if at := strictyaml.JoinIndex(path+".subnets", i); c.fine(at) && id != "" && !subnetPattern.MatchString(id) {
			c.mistake(at, fmt.Sprintf("is %q, which is no subnet's identifier", id), "write an identifier such as subnet-0123456789abcdef0")
		}
	}
}

func (c *checker) ec2Volume(v *EC2Volume, path string) {
	if v.Throughput > 0 && v.Type != "gp3" && c.fine(path+".throughput") {
		c.mistake(path+".throughput", "is for volumes of type gp3", "write type: gp3, or remove it")
	}
	if v.IOPS > 0 && !slices.Contains([]string{"gp3", "io1", "io2"}, v.Type) && c.fine(path+".iops") {
		c.mistake(path+".iops", "is for volumes of type gp3, io1 and io2", "choose one of these types, or remove it")
	}
}

// filled reports a required text that is there and empty.
func (c *checker) filled(path, key, value string) {
	if c.fine(path+"."+key) && strings.TrimSpace(value) == "" {
		c.mistake(path+"."+key, "is empty", "write a value")
	}
}

// texts reports items of a list that are empty, or there twice.
func (c *checker) texts(path string, values []string) {
	seen := map[string]string{}
	for i, value := range values {
		at := strictyaml.JoinIndex(path, i)
		if c.fine(at) && strings.TrimSpace(value) == "" {
			c.mistake(at, "is empty", "remove it")
			continue
		}
		c.unique(seen, at, value, "item")
	}
}

// endpoint checks the address of a cloud's API.
func (c *checker) endpoint(path, value string) {
	before := len(c.mistakes)
	c.url(path, value)
	for i := before; i < len(c.mistakes); i++ {
		c.mistakes[i].Fix = "write the address of the cloud's API, as https://host:port/path, without credentials"
	}
}

// tags checks tags or metadata against the cloud's limits: how many, and how many
// bytes of a name and a value.
func (c *checker) tags(path string, tags map[string]string, most, name, value int) {
	if len(tags) > most {
		c.mistake(path, fmt.Sprintf("has %d entries, more than the %d that the cloud allows beside scalerd's own", len(tags), most), "remove some")
	}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		at := strictyaml.JoinKey(path, key)
		switch {
		case slices.Contains(ourTags, key):
			c.mistake(at, "is set by scalerd, which finds its nodes by it", "remove or rename it")
		case strings.TrimSpace(key) == "":
			c.mistake(at, "has an empty name", "name it")
		case len(key) > name:
			c.mistake(at, fmt.Sprintf("has a name of more than %d bytes", name), "shorten it")
		case len(tags[key]) > value:
			c.mistake(at, fmt.Sprintf("is longer than %d bytes", value), "shorten it")
		}
	}
}
