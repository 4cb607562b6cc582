package plugin

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/goccy/go-yaml"

	"github.com/scalerd/scalerd/tfgen/simcloud"
)

// openOpenStack finds the identity service, the project and the credentials as the
// provider does: the provider block before the environment before clouds.yaml.
func openOpenStack(config *object, env func(string) string) (account, error) {
	auth := map[string]string{}
	name := first(config.str("cloud"), env("OS_CLOUD"))
	region := ""
	if name != "" {
		cloud, err := readClouds(name, env)
		if err != nil {
			return account{}, err
		}
		auth, region = cloud.Auth, cloud.Region
	}
	get := func(attribute, key string, variables ...string) string {
		value := config.str(attribute)
		for _, v := range variables {
			value = first(value, env(v))
		}
		return first(value, auth[key])
	}
	url := get("auth_url", "auth_url", "OS_AUTH_URL")
	if url == "" {
		return account{}, inWords("One of 'auth_url' or 'cloud' must be specified: Missing environment variable [OS_AUTH_URL]")
	}
	project := first(get("tenant_id", "project_id", "OS_PROJECT_ID", "OS_TENANT_ID"),
		get("tenant_name", "project_name", "OS_PROJECT_NAME", "OS_TENANT_NAME"))
	user := first(get("user_name", "username", "OS_USERNAME"), get("user_id", "user_id", "OS_USER_ID", "OS_USERID"))
	credential := first(get("application_credential_id", "application_credential_id", "OS_APPLICATION_CREDENTIAL_ID"),
		get("application_credential_name", "application_credential_name", "OS_APPLICATION_CREDENTIAL_NAME"))
	switch {
	case credential != "":
		if get("application_credential_secret", "application_credential_secret", "OS_APPLICATION_CREDENTIAL_SECRET") == "" {
			return account{}, inWords("You must provide an application credential secret to authenticate with an application credential")
		}
		project = "credential-" + credential
	case get("token", "token", "OS_TOKEN", "OS_AUTH_TOKEN") != "":
	case user == "":
		return account{}, inWords("You must provide exactly one of Username or UserID to authenticate: Missing one of the following environment variables [OS_USERID, OS_USERNAME]")
	case get("password", "password", "OS_PASSWORD") == "":
		return account{}, inWords("You must provide a password to authenticate: Missing environment variable [OS_PASSWORD]")
	}
	if project == "" {
		return account{}, inWords("You must provide a project: set the provider's tenant_id or tenant_name, OS_PROJECT_ID or OS_PROJECT_NAME")
	}
	a := account{region: get("region", "", "OS_REGION_NAME"), tenant: project}
	a.region = first(a.region, region)
	a.in = func(other string) string { return simcloud.OpenStackAccount(url, project, first(other, a.region)) }
	a.name = a.in(a.region)
	return a, nil
}

// cloudEntry is a cloud of a clouds.yaml.
type cloudEntry struct {
	Auth   map[string]string `yaml:"auth"`
	Region string            `yaml:"region_name"`
}

// readClouds finds a cloud in the first clouds.yaml there is, and adds what a
// secure.yaml beside it has.
func readClouds(name string, env func(string) string) (cloudEntry, error) {
	places := []string{"clouds.yaml", filepath.Join(env("HOME"), ".config", "openstack", "clouds.yaml"), "/etc/openstack/clouds.yaml"}
	if file := env("OS_CLIENT_CONFIG_FILE"); file != "" {
		places = []string{file}
	}
	for _, place := range places {
		cloud, found, err := readCloud(place, name)
		if err != nil {
			return cloudEntry{}, err
		}
		if !found {
			continue
		}
		secure, _, err := readCloud(filepath.Join(filepath.Dir(place), "secure.yaml"), name)
		if err != nil {
			return cloudEntry{}, err
		}
		if cloud.Auth == nil {
			cloud.Auth = map[string]string{}
		}
		for key, value := range secure.Auth {
			cloud.Auth[key] = value
		}
		return cloud, nil
	}
	return cloudEntry{}, fmt.Errorf("cloud %s does not exist in clouds.yaml (looked in %v)", name, places)
}

func readCloud(file, name string) (cloudEntry, bool, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return cloudEntry{}, false, nil // an absent file is none, as for the client
	}
	var all struct {
		Clouds map[string]cloudEntry `yaml:"clouds"`
	}
	if err := yaml.Unmarshal(content, &all); err != nil {
		return cloudEntry{}, false, fmt.Errorf("read %s: it is not a clouds.yaml", file) // the error would quote secrets
	}
	cloud, found := all.Clouds[name]
	return cloud, found, nil
}
