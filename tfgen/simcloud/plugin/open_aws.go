package plugin

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/scalerd/scalerd/tfgen/simcloud"
)

// openAWS finds the region and the credentials as the provider does: the provider
// block before the environment before the shared files of the profile.
func openAWS(config *object, env func(string) string) (account, error) {
	profile := first(config.str("profile"), env("AWS_PROFILE"))
	shared := readProfile(config, env, first(profile, "default"))
	region := first(config.str("region"), env("AWS_REGION"), env("AWS_DEFAULT_REGION"), shared["region"])
	if region == "" {
		return account{}, inWords("Missing region configuration: set the provider's region or AWS_REGION")
	}
	key, secret := config.str("access_key"), config.str("secret_key")
	if key == "" && profile == "" {
		key, secret = env("AWS_ACCESS_KEY_ID"), env("AWS_SECRET_ACCESS_KEY")
	}
	if key == "" {
		key, secret = shared["aws_access_key_id"], shared["aws_secret_access_key"]
	}
	if key == "" || secret == "" {
		if profile != "" {
			return account{}, fmt.Errorf("failed to get shared config profile, %s", profile)
		}
		return account{}, inWords("No valid credential sources found: Please see https://registry.terraform.io/providers/hashicorp/aws for more information about providing credentials. Error: failed to refresh cached credentials, no EC2 IMDS role found")
	}
	endpoint := first(env("AWS_ENDPOINT_URL_EC2"), env("AWS_ENDPOINT_URL"))
	for _, b := range config.blocks("endpoints") {
		endpoint = first(b.str("ec2"), endpoint)
	}
	a := account{region: region, number: simcloud.AWSAccountNumber(key), defaultTags: map[string]string{}}
	for _, b := range config.blocks("default_tags") {
		a.defaultTags = b.pairs("tags")
	}
	a.in = func(other string) string { return simcloud.AWSAccount(key, first(other, region), endpoint) }
	a.name = a.in(region)
	return a, nil
}

// readProfile collects what the shared configuration and credentials files say of
// a profile. The files are ini: `[name]`, in the former also `[profile name]`.
func readProfile(config *object, env func(string) string, profile string) map[string]string {
	home := env("HOME")
	files := config.strs("shared_config_files")
	if len(files) == 0 {
		files = []string{first(env("AWS_CONFIG_FILE"), filepath.Join(home, ".aws", "config"))}
	}
	credentials := config.strs("shared_credentials_files")
	if len(credentials) == 0 {
		credentials = []string{first(env("AWS_SHARED_CREDENTIALS_FILE"), filepath.Join(home, ".aws", "credentials"))}
	}
	found := map[string]string{}
	for _, name := range append(files, credentials...) {
		file, err := os.Open(name)
		if err != nil {
			continue // an absent file is none, as for the SDK
		}
		section := ""
		for lines := bufio.NewScanner(file); lines.Scan(); {
			line := strings.TrimSpace(lines.Text())
			if strings.HasPrefix(line, "[") {
				section = strings.TrimPrefix(strings.Trim(line, "[]"), "profile ")
			} else if key, value, ok := strings.Cut(line, "="); ok && section == profile {
				found[strings.TrimSpace(key)] = strings.TrimSpace(value)
			}
		}
		file.Close()
	}
	return found
}

// first is the first text that is not empty.
func first(all ...string) string {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}
