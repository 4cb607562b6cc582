package plugin

import (
	"errors"
	"os/exec"

	"github.com/scalerd/scalerd/tfgen/simcloud"
)

// openAzure finds the subscription and one way to authenticate as the provider
// does: a client secret or certificate, a token, a managed identity, the Azure CLI.
func openAzure(config *object, env func(string) string) (account, error) {
	get := func(attribute, variable string) string { return first(config.str(attribute), env(variable)) }
	yes := func(attribute, variable string) bool { return config.flag(attribute, env(variable) == "true") }
	subscription := get("subscription_id", "ARM_SUBSCRIPTION_ID")
	if subscription == "" {
		return account{}, errors.New("`subscription_id` is a required provider property when performing a plan/apply operation")
	}
	tenant, client := get("tenant_id", "ARM_TENANT_ID"), first(get("client_id", "ARM_CLIENT_ID"), get("client_id_file_path", "ARM_CLIENT_ID_FILE_PATH"))
	secret := first(get("client_secret", "ARM_CLIENT_SECRET"), get("client_secret_file_path", "ARM_CLIENT_SECRET_FILE_PATH"),
		get("client_certificate", "ARM_CLIENT_CERTIFICATE"), get("client_certificate_path", "ARM_CLIENT_CERTIFICATE_PATH"))
	token := first(get("oidc_token", "ARM_OIDC_TOKEN"), get("oidc_token_file_path", "ARM_OIDC_TOKEN_FILE_PATH"), get("oidc_request_token", "ARM_OIDC_REQUEST_TOKEN"))
	switch {
	case tenant != "" && client != "" && secret != "":
	case tenant != "" && client != "" && yes("use_oidc", "ARM_USE_OIDC") && token != "":
	case yes("use_msi", "ARM_USE_MSI"):
	case config.flag("use_cli", env("ARM_USE_CLI") != "false"):
		if _, err := exec.LookPath("az"); err != nil {
			return account{}, errors.New("unable to build authorizer for Resource Manager API: could not configure AzureCli Authorizer: could not parse Azure CLI version: launching Azure CLI: exec: \"az\": executable file not found in $PATH")
		}
	default:
		return account{}, errors.New("unable to build authorizer for Resource Manager API: no authentication method is configured: set ARM_TENANT_ID, ARM_CLIENT_ID and ARM_CLIENT_SECRET, or use_msi")
	}
	name := simcloud.AzureAccount(subscription)
	return account{name: name, number: subscription, tenant: first(tenant, uuidOf("tenant", subscription)),
		in: func(string) string { return name }}, nil
}
