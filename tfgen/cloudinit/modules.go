package cloudinit

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
	"go.yaml.in/yaml/v3"
)

// known are the top-level keys of cloud-init's modules (cloud-init 24, "Module
// reference"). Others are let through, unless they look like one of these.
var known = strings.Fields(`allow_public_ssh_keys ansible apk_repos apt apt_pipelining apt_reboot_if_required
	apt_update apt_upgrade authkey_hash autoinstall bootcmd byobu_by_default ca_certs chef chpasswd cloud_config_modules
	cloud_final_modules cloud_init_modules create_hostname_file device_aliases disable_ec2_metadata disable_root
	disable_root_opts disk_setup drivers fan final_message fqdn fs_setup groups growpart hostname keyboard landscape
	launch-index locale locale_configfile lxd manage_etc_hosts manage_resolv_conf mcollective merge_how merge_type
	migrate mount_default_fields mounts network no_ssh_fingerprints ntp output package_reboot_if_required package_update
	package_upgrade packages password phone_home power_state prefer_fqdn_over_hostname preserve_hostname puppet
	random_seed reporting resize_rootfs resolv_conf rh_subscription rpi rsyslog runcmd salt_minion snap spacewalk ssh
	ssh_authorized_keys ssh_deletekeys ssh_fp_console_blacklist ssh_genkeytypes ssh_import_id ssh_key_console_blacklist
	ssh_keys ssh_publish_hostkeys ssh_pwauth ssh_quiet_keygen swap system_info timezone ubuntu_advantage
	ubuntu_pro updates user users vendor_data version wireguard write_files yum_repo_dir yum_repos zypper`)

// lists are the keys whose value is a list.
var lists = strings.Fields(`bootcmd mounts packages runcmd ssh_authorized_keys ssh_import_id write_files`)

// checkModules reports what cloud-init would stumble over, or silently ignore.
func checkModules(doc *yaml.Node) error {
	var errs []error
	for i := 0; i+1 < len(doc.Content); i += 2 {
		key, value := doc.Content[i], doc.Content[i+1]
		if near := mistyped(key.Value); near != "" {
			errs = append(errs, fmt.Errorf("line %d: %s is not a key of cloud-init; did you mean %s?", key.Line, key.Value, near))
		}
		if slices.Contains(lists, key.Value) && value.Kind != yaml.SequenceNode && value.Tag != "!!null" {
			errs = append(errs, fmt.Errorf("line %d: %s is not a list; write its items below it, each after a dash", key.Line, key.Value))
			continue
		}
		errs = append(errs, checkItems(key.Value, value.Content)...)
	}
	return errors.Join(errs...)
}

func checkItems(key string, items []*yaml.Node) []error {
	var errs []error
	for _, item := range items {
		switch key {
		case "write_files":
			if item.Kind != yaml.MappingNode || lookup(item, "path") == nil {
				errs = append(errs, fmt.Errorf("line %d: an item of write_files has no path", item.Line))
			}
		case "runcmd", "bootcmd":
			if item.Kind != yaml.ScalarNode && item.Kind != yaml.SequenceNode {
				errs = append(errs, fmt.Errorf("line %d: an item of %s is neither a text nor a list; quote a command that holds \": \"", item.Line, key))
			}
		}
	}
	return errs
}

// mistyped returns the known key that an unknown one is one or two letters from.
func mistyped(key string) string {
	if slices.Contains(known, key) {
		return ""
	}
	for _, k := range known {
		if d := levenshtein.Distance(key, k, nil); d <= 2 && d < len(k)/2 {
			return k
		}
	}
	return ""
}
