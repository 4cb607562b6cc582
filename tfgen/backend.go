package tfgen

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/scalerd/scalerd/tfgen/spec"
)

// BackendFile is the name of the file with the backend block. It is the only
// generated file that differs between the root modules of a group, because each has
// a state of its own, and it is there only where the description names a backend.
const BackendFile = "backend.tf"

// InstallationOutput is the output of a root module with a backend that says which
// installation of scalerd its state belongs to.
const InstallationOutput = "installation"

// kept is where the states of a group's root modules are.
type kept struct {
	app   *spec.Application
	group *spec.Group
	// by is the installation that claims the states; empty for none.
	by string
}

// ClaimedBy is the module whose states in a backend say which installation of scalerd
// they belong to, by the output InstallationOutput. "" is none.
func (m Module) ClaimedBy(installation string) Module {
	if m.kept != nil {
		kept := *m.kept
		kept.by = installation
		m.kept = &kept
	}
	return m
}

// RootFiles are the files of the group's root module of that name, such as
// shard-000: Files and, where the description names a backend, BackendFile.
func (m Module) RootFiles(root string) []File {
	if m.kept == nil || m.kept.app.Backend == nil || len(m.Files) == 0 {
		return m.Files
	}
	return append(slices.Clip(slices.Clone(m.Files)), m.kept.file(root))
}

func (k *kept) file(root string) File {
	b := k.app.Backend
	config := maps.Clone(b.Config)
	if config == nil {
		config = map[string]any{}
	}
	attribute := b.StateKey()
	before, _ := config[attribute].(string)
	config[attribute] = stateKey(b.Type, before, k.app.Name, k.group.Name, root)
	for _, lock := range []string{"lock_address", "unlock_address"} {
		if address, ok := config[lock].(string); ok && b.Type == "http" {
			config[lock] = stateKey(b.Type, address, k.app.Name, k.group.Name, root)
		}
	}
	f := newFile(k.app, k.group)
	comment(f.Body(), "Credentials come from the environment.")
	block := f.Body().AppendNewBlock("terraform", nil).Body().AppendNewBlock("backend", []string{b.Type}).Body()
	for _, name := range slices.Sorted(maps.Keys(config)) {
		appendConfig(block, b.Type, name, config[name])
	}
	if k.by != "" {
		f.Body().AppendNewline()
		output := f.Body().AppendNewBlock("output", []string{InstallationOutput}).Body()
		output.SetAttributeValue("description", cty.StringVal("The scalerd whose state this is. Another one leaves it alone."))
		output.SetAttributeValue("value", cty.StringVal(k.by))
	}
	return finish(BackendFile, f)
}

// appendConfig writes an argument of a backend. All are attributes, but for the
// block that tells kubernetes which command logs in.
func appendConfig(body *hclwrite.Body, backend, name string, value any) {
	values, isMap := value.(map[string]any)
	if backend != "kubernetes" || name != "exec" || !isMap {
		body.SetAttributeValue(name, ctyValue(value))
		return
	}
	block := body.AppendNewBlock(name, nil).Body()
	for _, key := range slices.Sorted(maps.Keys(values)) {
		block.SetAttributeValue(key, ctyValue(values[key]))
	}
}

// mostName is the longest name that PostgreSQL gives a schema and Kubernetes a
// label's value, in bytes.
const mostName = 63

// stateKey is what a backend of that type knows the state of a root module by.
// before is what comes before it by the description, or empty.
func stateKey(backend, before, app, group, root string) string {
	switch backend {
	case "pg":
		return short(join(before, "_", app, group, root))
	case "kubernetes":
		// It may not end with a dash and a number, as a shard's name does.
		return short(join(before, ".", app, group, root) + ".state")
	case "http", "gcs", "consul":
		return join(strings.TrimSuffix(before, "/"), "/", app, group, root)
	default:
		return join(strings.TrimSuffix(before, "/"), "/", app, group, root, "terraform.tfstate")
	}
}

func join(before, separator string, parts ...string) string {
	if before != "" {
		parts = append([]string{before}, parts...)
	}
	return strings.Join(parts, separator)
}

// short is a name that is cut where it is too long, and stays the only one of its
// kind by a digest of all of it.
func short(name string) string {
	if len(name) <= mostName {
		return name
	}
	digest := fmt.Sprintf("%x", sha256.Sum256([]byte(name)))[:16]
	return name[:mostName-len(digest)-1] + "x" + digest
}
