package credentials

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// names are, by cloud, the variables of the environment that the keys of an entry
// become: MiCADO's keys and those that its format lacks.
var names = map[spec.Cloud]map[string]string{
	spec.CloudEC2: {
		"accesskey": "AWS_ACCESS_KEY_ID", "secretkey": "AWS_SECRET_ACCESS_KEY", "session_token": "AWS_SESSION_TOKEN",
		"profile": "AWS_PROFILE", "shared_credentials_file": "AWS_SHARED_CREDENTIALS_FILE", "config_file": "AWS_CONFIG_FILE",
	},
	spec.CloudOpenStack: {
		"username": "OS_USERNAME", "password": "OS_PASSWORD", "domain_name": "OS_DOMAIN_NAME",
		"user_domain_name": "OS_USER_DOMAIN_NAME", "project_domain_name": "OS_PROJECT_DOMAIN_NAME",
		"application_credential_id": "OS_APPLICATION_CREDENTIAL_ID", "application_credential_secret": "OS_APPLICATION_CREDENTIAL_SECRET",
		"token": "OS_TOKEN", "cloud": "OS_CLOUD", "clouds_file": "OS_CLIENT_CONFIG_FILE", "auth_url": "OS_AUTH_URL",
	},
	spec.CloudAzure: {
		"subscription_id": "ARM_SUBSCRIPTION_ID", "tenant_id": "ARM_TENANT_ID", "client_id": "ARM_CLIENT_ID", "client_secret": "ARM_CLIENT_SECRET",
		"client_certificate_path": "ARM_CLIENT_CERTIFICATE_PATH", "client_certificate_password": "ARM_CLIENT_CERTIFICATE_PASSWORD",
		"oidc_token_file_path": "ARM_OIDC_TOKEN_FILE_PATH",
	},
}

// prefixes are those of the variables that an entry replaces.
var prefixes = map[spec.Cloud][]string{spec.CloudEC2: {"AWS_"}, spec.CloudOpenStack: {"OS_"}, spec.CloudAzure: {"ARM_"}}

// adminPassword is the key of the password of Windows nodes' first account, and
// the Terraform variable that takes it.
const adminPassword = "admin_password"

var variablePattern = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)

// translate turns an entry's keys into variables. It never repeats a value in an
// error.
func translate(cloud spec.Cloud, data map[string]string) (scaler.Credentials, error) {
	set := scaler.Credentials{Env: map[string]string{}, Replaces: prefixes[cloud], Variables: map[string]string{}}
	for _, key := range slices.Sorted(maps.Keys(data)) {
		value := data[key]
		switch variable, known := names[cloud][key]; {
		case value == "":
			continue // MiCADO's template leaves unused keys empty
		case known:
			set.Env[variable] = value
		case key == adminPassword && cloud == spec.CloudAzure:
			set.Variables[adminPassword] = value
		case (cloud == spec.CloudModule || cloud == scaler.BackendLogin) && variablePattern.MatchString(key):
			set.Env[key] = value
		case cloud == spec.CloudOpenStack && (key == "identity_provider" || key == "access_token"):
			return scaler.Credentials{}, fmt.Errorf("auth_data.%s: federated login is not done here; log in with the openstack client and give the token as token:, or use an application credential", key)
		case cloud == spec.CloudModule || cloud == scaler.BackendLogin:
			return scaler.Credentials{}, fmt.Errorf("auth_data.%s: is no variable of the environment; use capital letters, digits and underscores, such as GOOGLE_CREDENTIALS", key)
		default:
			return scaler.Credentials{}, fmt.Errorf("auth_data.%s: is not a known key; known are %s", key, strings.Join(slices.Sorted(maps.Keys(names[cloud])), ", "))
		}
	}
	if len(set.Env) == 0 {
		return scaler.Credentials{}, fmt.Errorf("auth_data: has no value; fill it in, or remove the entry")
	}
	return set, nil
}
