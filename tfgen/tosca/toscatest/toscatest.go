// Package toscatest fills in MiCADO's templates for tests: they come with
// placeholders that their users replace.
package toscatest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// fillings are plausible values by the key that they are for; those of list items
// are by the key of the list.
var fillings = map[string]string{
	"region_name": "eu-west-1", "image_id": "ami-061a2d878e5754b62", "instance_type": "t3.small",
	"security_group_ids": "sg-93d46bf7", "endpoint": "https://ec2.eu-west-1.amazonaws.com", "endpoint_cloud": "https://ec2.eu-west-1.amazonaws.com",
	"flavor_name": "m1.small", "project_id": "a678d20e71cb4b9f812a31e5f3eb63b0", "network_id": "3fd4c62d-5fbe-4bd9-9a9f-c161dabeefde",
	"key_name": "keyname", "security_groups": "d509348f-21f1-4723-9475-0cf749e05c33", "auth_url": "https://cloud.example:5000/v3",
	"network_name": "net1", "floating_ip_pool": "public", "public_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9hPOhk0e7Wf9ZhWnSvsuT5l8kSXpYI1jYVbZ0tXQbM me@example",
	"resource_group": "test-rg", "virtual_network": "test-rg-vnet", "subnet": "default", "network_security_group": "micado-worker-nsg",
	"image_sku": "18.04-LTS", "size": "Standard_B1ms",
}

var (
	keyLine     = regexp.MustCompile(`^(\s*(?:- )?)([A-Za-z_]+):\s*(.*)$`)
	placeholder = regexp.MustCompile(`\bADD_[A-Z]|<[A-Z][A-Z0-9_ -]*>|\(e\.?g\.?[ .:,]`)
	optional    = regexp.MustCompile(`(?i)^\s*[-(]optional[-)]`)
	itemLine    = regexp.MustCompile(`^(\s*- )(.*)$`)
)

// Fill puts values in place of the placeholders of a template, except for optional
// ones.
func Fill(text string) string {
	nova := strings.Contains(text, "Nova.Compute")
	lines := strings.Split(text, "\n")
	list := ""
	for i, line := range lines {
		if m := keyLine.FindStringSubmatch(line); m != nil {
			list = m[2]
			if value, ok := fillings[m[2]]; ok && placeholder.MatchString(m[3]) && !optional.MatchString(m[3]) {
				if nova && strings.HasPrefix(m[2], "endpoint") {
					value = "https://sztaki.cloud.mta.hu:5000/v3"
				}
				if nova && m[2] == "image_id" {
					value = "6bba6dc3-b6d5-4b15-942e-61e0ef2f93cb"
				}
				lines[i] = m[1] + m[2] + ": " + value
			}
		} else if m := itemLine.FindStringSubmatch(line); m != nil && placeholder.MatchString(m[2]) {
			lines[i] = m[1] + fillings[list]
		}
	}
	return strings.Join(lines, "\n")
}

// Folder is where MiCADO's templates are, beside the repository; the test is skipped
// where they are not.
func Folder(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
	shared := filepath.Join(dir, "..", "shared", "adts")
	if _, err := os.Stat(shared); err != nil {
		t.Skipf("the templates are not there: %v", err)
	}
	return shared
}
