package spec

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"

	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// Backend is where Terraform keeps the states of an application: any backend of
// Terraform's, such as s3, azurerm, gcs, pg, http, consul or kubernetes. Each root
// module has a state of its own in it, under a key of its own (see KeyAttribute).
// Without one the states are files in the root modules' folders.
type Backend struct {
	// Type is the label of Terraform's backend block.
	Type string `yaml:"type" jsonschema:"required" jsonschema_description:"Type of the backend, such as s3, azurerm, gcs, pg, http, consul or kubernetes."`
	// Config are the arguments of the block. None of them may be a secret.
	Config map[string]any `yaml:"config" jsonschema_description:"Arguments of the backend block; no secrets: these come from the environment (PG_CONN_STR, AWS_*, ...) or from credentials."`
	// KeyAttribute is the argument that says which state of the backend is meant. What
	// Config gives for it is put before each root module's own part.
	KeyAttribute string `yaml:"key_attribute" jsonschema_description:"Argument that tells the states of a backend apart, as key does in s3. Known for the usual types. What config has for it comes before each state's own part."`
	// Credentials names an entry of type backend in scalerd's credentials.
	Credentials string `yaml:"credentials" jsonschema_description:"Name of the entry of type backend in scalerd's credentials file. Default: the first one, else the environment of scalerd."`
}

// stateKeys are the arguments that tell the states of a backend apart.
var stateKeys = map[string]string{
	"azurerm": "key", "cos": "key", "oci": "key", "oss": "key", "s3": "key",
	"consul": "path", "gcs": "prefix", "http": "address", "kubernetes": "secret_suffix", "pg": "schema_name",
}

// StateKey is the argument that tells the states of the backend apart, and empty
// where it is not known.
func (b *Backend) StateKey() string {
	if b.KeyAttribute != "" {
		return b.KeyAttribute
	}
	return stateKeys[b.Type]
}

// Same reports whether both are the same place. Who logs in does not count.
func (b *Backend) Same(other *Backend) bool {
	if b == nil || other == nil {
		return b == other
	}
	return b.Type == other.Type && b.StateKey() == other.StateKey() && b.encodedConfig() == other.encodedConfig()
}

// encodedConfig is the same text for the same arguments, whether they were read from
// YAML or from JSON, whose numbers have other types.
func (b *Backend) encodedConfig() string {
	text, err := json.Marshal(b.Config)
	if err != nil {
		return fmt.Sprint(b.Config)
	}
	if len(b.Config) == 0 {
		return ""
	}
	return string(text)
}

// String names the backend in a sentence.
func (b *Backend) String() string {
	if b == nil {
		return "files of its own"
	}
	return "backend " + b.Type
}

// backendSecrets are arguments of backends that hold a secret and do not say so in
// their name.
var backendSecrets = map[string]bool{"encryption_key": true, "sas_token": true, "client_key": true, "key_pem": true, "client_private_key_pem": true}

// passwordPattern finds a password in PostgreSQL's keyword form of a connection
// string.
var passwordPattern = regexp.MustCompile(`(?i)\b(ssl)?password\s*=`)

func (c *checker) backend(b *Backend) {
	const path = "backend"
	if b == nil {
		return
	}
	c.credentials(path+".credentials", b.Credentials)
	if !c.fine(path + ".type") {
		return
	}
	switch {
	case b.Type == "local":
		c.mistake(path+".type", "is local, which is what groups have without a backend", "remove backend")
	case b.Type == "remote" || b.Type == "cloud":
		c.mistake(path+".type", "is "+b.Type+", where plans and applies run elsewhere and cannot be checked here", "use a backend that only keeps states, such as s3, pg or http")
	case !identifierPattern.MatchString(b.Type):
		c.mistake(path+".type", fmt.Sprintf("is %q, which is no type of a backend", b.Type), "write s3, azurerm, gcs, pg, http, consul, kubernetes or another of Terraform's")
	case b.StateKey() == "":
		c.mistake(path+".type", fmt.Sprintf("is %q, of which it is not known which argument tells states apart", b.Type), "name that argument in key_attribute")
	}
	if c.doc.Has(path+".key_attribute") && !identifierPattern.MatchString(b.KeyAttribute) {
		c.mistake(path+".key_attribute", fmt.Sprintf("is %q, which is no name of an argument", b.KeyAttribute), "use letters, digits and underscores, first no digit")
	}
	c.backendConfig(b, path+".config")
}

func (c *checker) backendConfig(b *Backend, path string) {
	const instead = "the backend's environment variables, or an entry of type backend in scalerd's credentials"
	c.notSecret(path, b.Config, instead)
	for _, name := range slices.Sorted(maps.Keys(b.Config)) {
		at := strictyaml.JoinKey(path, name)
		text, isText := b.Config[name].(string)
		switch {
		case !identifierPattern.MatchString(name):
			c.mistake(at, "is no name of an argument", "use letters, digits and underscores, first no digit")
		case name == "workspace" || name == "workspace_dir" || name == "workspace_key_prefix":
			c.mistake(at, "is for workspaces, and a state is the default one", "remove it")
		case backendSecrets[name] && !isSecret(name) || isText && holdsPassword(text):
			c.mistake(at, "holds a secret, and the description is written to files", "remove it, and use "+instead)
		case name == b.StateKey() && !isText:
			c.mistake(at, "is no text, and tells states apart", "write what comes before each state's own part")
		}
	}
	if b.Type == "http" && b.StateKey() == "address" {
		if text, _ := b.Config["address"].(string); text == "" && !c.doc.Wrong(path) {
			c.mistake("backend", "has no config.address", "write the address under which the states are")
		}
	}
}

// holdsPassword reports whether an address or connection string has a password.
func holdsPassword(text string) bool {
	if u, err := url.Parse(text); err == nil && u.User != nil {
		if _, has := u.User.Password(); has {
			return true
		}
	}
	return passwordPattern.MatchString(text)
}
