package spec

// Module configures nodes that a Terraform module of the user's makes. The module
// has a variable "nodes", a map by node name whose values have at least the
// attribute user_data, and an output "nodes", a map by node name of id, private_ip
// and public_ip. Each of its resources that belong to a node has the node's name
// as for_each key somewhere in its address.
type Module struct {
	// Source is a local path, from the folder of the description, or anything that
	// Terraform accepts as a module's source.
	Source string `yaml:"source" jsonschema:"required" jsonschema_description:"The module: a path that starts with ./ or ../ (from the description's folder) or /, or a registry or Git address."`
	// Version is for modules of a registry.
	Version string `yaml:"version" jsonschema_description:"Version constraint, for modules of a registry."`
	// Node is handed to the module for each node, in the variable nodes; a change of
	// it replaces nodes.
	Node map[string]any `yaml:"node" jsonschema_description:"Values for each node in the module's variable nodes; a change replaces nodes."`
	// Inputs are the module's other variables; a change of them may only change
	// nodes in place.
	Inputs map[string]any `yaml:"inputs" jsonschema_description:"The module's other variables."`
	// Providers are the providers that the module needs configured, by local name.
	Providers map[string]ModuleProvider `yaml:"providers" jsonschema_description:"Providers that the module needs, by local name."`
}

// ModuleProvider is a provider of a module.
type ModuleProvider struct {
	// Source is the provider's address, such as hashicorp/google.
	Source string `yaml:"source" jsonschema:"required" jsonschema_description:"Address of the provider, such as hashicorp/google."`
	// Version is a constraint, such as ~> 7.0.
	Version string `yaml:"version" jsonschema_description:"Version constraint, such as ~> 7.0."`
	// Arguments configure the provider. None of them may be a secret.
	Arguments map[string]any `yaml:"arguments" jsonschema_description:"Arguments of the provider's block; no secrets."`
}
