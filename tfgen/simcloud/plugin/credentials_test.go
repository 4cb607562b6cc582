package plugin_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"github.com/scalerd/scalerd/tfgen/simcloud"
)

const (
	awsFile = "[default]\naws_access_key_id = AKIADEFAULT\naws_secret_access_key = s\n\n[shop]\naws_access_key_id=AKIASHOP\naws_secret_access_key=s\nregion = us-east-1\n"
	clouds  = "clouds:\n  shop:\n    region_name: R2\n    auth:\n      auth_url: https://two.example/v3\n      username: u\n      password: p\n      project_name: shop\n"
	partial = "clouds:\n  shop:\n    auth:\n      auth_url: https://two.example/v3\n      username: u\n      project_name: shop\n"
	secure  = "clouds:\n  shop:\n    auth:\n      password: p\n"
)

// TestCredentialsAreFoundAsTheProvidersDo gives each provider an environment of
// its own and looks at the account that a machine ends up in, or at the refusal.
func TestCredentialsAreFoundAsTheProvidersDo(t *testing.T) {
	rows := map[string]struct {
		provider string
		env      string // entries with spaces between, FILES is the folder of the files
		config   attrs
		files    map[string]string
		account  string
		wrong    string
	}{
		"aws environment":           {"aws", "AWS_ACCESS_KEY_ID=AKIA1 AWS_SECRET_ACCESS_KEY=s AWS_DEFAULT_REGION=eu-central-1", nil, nil, simcloud.AWSAccount("AKIA1", "eu-central-1", ""), ""},
		"aws provider block":        {"aws", "AWS_REGION=eu-west-1", attrs{"access_key": str("AKIA2"), "secret_key": str("s"), "region": str("eu-north-1")}, nil, simcloud.AWSAccount("AKIA2", "eu-north-1", ""), ""},
		"aws profile":               {"aws", "AWS_PROFILE=shop AWS_ACCESS_KEY_ID=other AWS_SECRET_ACCESS_KEY=s HOME=FILES", nil, map[string]string{".aws/credentials": awsFile}, simcloud.AWSAccount("AKIASHOP", "us-east-1", ""), ""},
		"aws default profile":       {"aws", "AWS_REGION=eu-west-1 AWS_SHARED_CREDENTIALS_FILE=FILES/c", nil, map[string]string{"c": awsFile}, simcloud.AWSAccount("AKIADEFAULT", "eu-west-1", ""), ""},
		"aws endpoint":              {"aws", "AWS_ACCESS_KEY_ID=AKIA1 AWS_SECRET_ACCESS_KEY=s AWS_REGION=r", attrs{"endpoints": block(attrs{"ec2": str("https://one.example:4567/ec2")})}, nil, simcloud.AWSAccount("AKIA1", "r", "one.example:4567"), ""},
		"aws without a region":      {"aws", "AWS_ACCESS_KEY_ID=AKIA1 AWS_SECRET_ACCESS_KEY=s HOME=FILES", nil, nil, "", "Missing region"},
		"aws without a key":         {"aws", "AWS_REGION=eu-west-1 HOME=FILES", nil, nil, "", "No valid credential sources found"},
		"aws without a secret":      {"aws", "AWS_ACCESS_KEY_ID=AKIA1 AWS_REGION=eu-west-1 HOME=FILES", nil, nil, "", "No valid credential sources found"},
		"aws with a wrong profile":  {"aws", "AWS_PROFILE=nobody AWS_REGION=eu-west-1 HOME=FILES", nil, map[string]string{".aws/credentials": awsFile}, "", "failed to get shared config profile, nobody"},
		"openstack password":        {"openstack", "OS_AUTH_URL=https://one.example/v3 OS_USERNAME=u OS_PASSWORD=p OS_PROJECT_ID=p1 OS_REGION_NAME=R1", nil, nil, simcloud.OpenStackAccount("https://one.example/v3", "p1", "R1"), ""},
		"openstack provider block":  {"openstack", "OS_PASSWORD=p", attrs{"auth_url": str("https://one.example"), "user_name": str("u"), "tenant_name": str("shop")}, nil, simcloud.OpenStackAccount("https://one.example", "shop", ""), ""},
		"openstack application":     {"openstack", "OS_AUTH_URL=https://one.example OS_APPLICATION_CREDENTIAL_ID=a OS_APPLICATION_CREDENTIAL_SECRET=s", nil, nil, simcloud.OpenStackAccount("https://one.example", "credential-a", ""), ""},
		"openstack token":           {"openstack", "OS_AUTH_URL=https://one.example OS_TOKEN=t OS_PROJECT_ID=p1", nil, nil, simcloud.OpenStackAccount("https://one.example", "p1", ""), ""},
		"openstack clouds.yaml":     {"openstack", "OS_CLOUD=shop HOME=FILES", nil, map[string]string{".config/openstack/clouds.yaml": clouds}, simcloud.OpenStackAccount("https://two.example/v3", "shop", "R2"), ""},
		"openstack secure.yaml":     {"openstack", "OS_CLOUD=shop OS_CLIENT_CONFIG_FILE=FILES/clouds.yaml", nil, map[string]string{"clouds.yaml": partial, "secure.yaml": secure}, simcloud.OpenStackAccount("https://two.example/v3", "shop", ""), ""},
		"openstack without address": {"openstack", "OS_USERNAME=u OS_PASSWORD=p OS_PROJECT_ID=p1", nil, nil, "", "OS_AUTH_URL"},
		"openstack without user":    {"openstack", "OS_AUTH_URL=https://one.example OS_PASSWORD=p OS_PROJECT_ID=p1", nil, nil, "", "OS_USERNAME"},
		"openstack without word":    {"openstack", "OS_AUTH_URL=https://one.example OS_USERNAME=u OS_PROJECT_ID=p1", nil, nil, "", "OS_PASSWORD"},
		"openstack without project": {"openstack", "OS_AUTH_URL=https://one.example OS_USERNAME=u OS_PASSWORD=p", nil, nil, "", "You must provide a project"},
		"openstack half credential": {"openstack", "OS_AUTH_URL=https://one.example OS_APPLICATION_CREDENTIAL_ID=a", nil, nil, "", "application credential secret"},
		"openstack unknown cloud":   {"openstack", "OS_CLOUD=nobody OS_CLIENT_CONFIG_FILE=FILES/clouds.yaml", nil, map[string]string{"clouds.yaml": clouds}, "", "cloud nobody does not exist"},
		"azure secret":              {"azurerm", "ARM_SUBSCRIPTION_ID=S1 ARM_TENANT_ID=t ARM_CLIENT_ID=c ARM_CLIENT_SECRET=s", nil, nil, simcloud.AzureAccount("s1"), ""},
		"azure identity":            {"azurerm", "ARM_SUBSCRIPTION_ID=s1 ARM_USE_MSI=true", nil, nil, simcloud.AzureAccount("s1"), ""},
		"azure identity in block":   {"azurerm", "", attrs{"subscription_id": str("s2"), "use_msi": cty.True}, nil, simcloud.AzureAccount("s2"), ""},
		"azure token":               {"azurerm", "ARM_SUBSCRIPTION_ID=s1 ARM_TENANT_ID=t ARM_CLIENT_ID=c ARM_USE_OIDC=true ARM_OIDC_TOKEN=o", nil, nil, simcloud.AzureAccount("s1"), ""},
		"azure without one":         {"azurerm", "ARM_TENANT_ID=t ARM_CLIENT_ID=c ARM_CLIENT_SECRET=s", nil, nil, "", "`subscription_id` is a required provider property"},
		"azure without any":         {"azurerm", "ARM_SUBSCRIPTION_ID=s1 ARM_USE_CLI=false", nil, nil, "", "unable to build authorizer"},
	}
	for name, r := range rows {
		t.Run(name, func(t *testing.T) {
			dir, cloud := t.TempDir(), newCloud(t)
			for file, content := range r.files {
				path := filepath.Join(dir, file)
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			env := map[string]string{simcloud.Variable: cloud.Dir()}
			for _, e := range strings.Fields(strings.ReplaceAll(r.env, "FILES", dir)) {
				key, value, _ := strings.Cut(e, "=")
				env[key] = value
			}
			c := start(t, r.provider, func(key string) string { return env[key] })
			c.cloud = cloud
			wrong := c.configure(r.config)
			if (wrong == "") != (r.wrong == "") || !strings.Contains(wrong, r.wrong) {
				t.Fatalf("configure = %q, want %q", wrong, r.wrong)
			}
			if r.wrong != "" {
				return
			}
			typ, values := c.machine("web")
			if _, wrong := c.create(typ, values); wrong != "" {
				t.Fatal(wrong)
			}
			if got := c.machines()[0].Account; got != r.account {
				t.Errorf("the machine is in %s, want %s", got, r.account)
			}
		})
	}
}

func TestProviderWithoutACloudSaysSo(t *testing.T) {
	env := map[string]string{"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "r"}
	c := start(t, "aws", func(key string) string { return env[key] })
	if wrong := c.configure(nil); !strings.Contains(wrong, "set SIMCLOUD_DIR to the folder that simcloud.New made") {
		t.Errorf("configure = %q, want how to set SIMCLOUD_DIR", wrong)
	}
}
