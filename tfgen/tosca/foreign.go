package tosca

import (
	"bytes"
	"regexp"

	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// maxLook is how much of a text is looked at to tell what it is.
const maxLook = 1 << 20

var topLevelKey = regexp.MustCompile(`(?m)^["']?([A-Za-z_][A-Za-z0-9_]*)["']?[ \t]*:`)

// Is reports whether a text is for Parse to read and not a description of our own:
// a TOSCA template, a zip archive, or another file of MiCADO, which Parse refuses
// with a sentence that says what it is. It is cheap and looks at the first MiB.
func Is(text []byte) bool {
	what := look(text)
	return what != ours
}

// form is what a text looks like.
type form int

const (
	ours form = iota // or anything else
	template
	archive
	policyKeeperPolicy
	optimizerConstants
	optimizerSample
)

func look(text []byte) form {
	text = text[:min(len(text), maxLook)]
	if isZip(text) {
		return archive
	}
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) && bytes.Contains(text, []byte("tosca_definitions_version")) {
		return template
	}
	keys := map[string]bool{}
	for _, match := range topLevelKey.FindAllSubmatch(text, 1000) {
		keys[string(match[1])] = true
	}
	switch {
	case keys["tosca_definitions_version"] || keys["topology_template"] || keys["node_templates"]:
		return template
	case keys["groups"] || keys["name"]:
		return ours
	case keys["stack"] || keys["scaling"] && keys["data"]:
		return policyKeeperPolicy
	case keys["sample"]:
		return optimizerSample
	case keys["constants"] && bytes.Contains(text, []byte("input_metrics")):
		return optimizerConstants
	default:
		return ours
	}
}

// foreign is the one mistake of a text that is no template at all.
func foreign(source Source) *strictyaml.Mistake {
	m := &strictyaml.Mistake{File: source.File, Line: 1, Column: 1}
	switch look(source.Text) {
	case template, archive:
		return nil
	case policyKeeperPolicy:
		m.What = "is a policy file of MiCADO's Policy Keeper, not an application description"
		m.Fix = "give the ADT that it was made from, or move its data and scaling sections into a policy of type tosca.policies.Scaling.MiCADO"
	case optimizerConstants:
		m.What = "is a request to initialise MiCADO's optimizer, not an application description"
		m.Fix = "write its constants as m_opt_init_<name> among the constants of a scaling policy, its metrics as m_opt_input_<name> and m_opt_target_query_<name> among the queries"
	case optimizerSample:
		m.What = "is a sample for MiCADO's optimizer, not an application description"
		m.Fix = "give the ADT, or send the sample to the optimizer's API"
	default:
		m.What = "is no TOSCA template: it has no tosca_definitions_version"
		m.Fix = "give an ADT, a CSAR or a description with groups"
	}
	return m
}
