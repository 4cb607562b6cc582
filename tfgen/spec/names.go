package spec

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// maxName is the most characters of a name, so that a node's name stays within
// what clouds accept for a machine.
const maxName = 40

var (
	namePattern       = regexp.MustCompile(`^[a-z]([a-z0-9-]*[a-z0-9])?$`)
	identifierPattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// reserved are the words of Starlark that cannot name a variable: its keywords,
// those that it keeps for later, and its constants (Starlark specification,
// "Lexical elements").
var reserved = strings.Fields(`and break continue def elif else for if in lambda load not or pass return while
	as assert async await class del except finally from global import is nonlocal raise try with yield
	True False None`)

// CredentialsPattern is a name of credentials. One with slashes or dots alone could lead to
// what others keep in the same store.
const CredentialsPattern = `^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$`

// CredentialsRule is CredentialsPattern in words.
const CredentialsRule = "use 1 to 64 letters, digits and . _ -, and begin with a letter or digit"

var credentialsPattern = regexp.MustCompile(CredentialsPattern)

// credentials checks a name of credentials; without one they are the default ones.
func (c *checker) credentials(path, name string) {
	if name != "" && c.fine(path) && !credentialsPattern.MatchString(name) {
		c.mistake(path, fmt.Sprintf("is %q, which is no name of credentials", name), CredentialsRule)
	}
}

// name checks the name of an application, a group or a policy.
func (c *checker) name(path, name string) {
	switch {
	case !c.fine(path):
	case !namePattern.MatchString(name):
		c.mistake(path, fmt.Sprintf("is %q, which is no name", name), "use lower-case letters, digits and dashes, first a letter, last no dash")
	case len(name) > maxName:
		c.mistake(path, fmt.Sprintf("is %d characters long, more than %d", len(name), maxName), "shorten it")
	}
}

// variable checks the name of a constant or a query, which rules use as a variable.
func (c *checker) variable(path, name string) {
	switch {
	case !identifierPattern.MatchString(name):
		c.mistake(path, "has a name that rules cannot use as a variable", "use letters, digits and underscores, first no digit")
	case slices.Contains(reserved, name):
		c.mistake(path, "has the name of a Starlark keyword", "rename it")
	case strings.HasPrefix(name, "m_") && !strings.HasPrefix(name, "m_opt_"):
		c.mistake(path, "has a name that starts with m_, as the variables that scalerd sets do", "rename it, or start it with m_opt_")
	}
}

// unique reports the path if another one has the same value already.
func (c *checker) unique(seen map[string]string, path, value, thing string) {
	if value == "" || c.doc.Wrong(path) {
		return
	}
	if first, taken := seen[value]; taken {
		c.mistake(path, fmt.Sprintf("is %q, as is %s", value, first), "give each "+thing+" its own")
		return
	}
	seen[value] = path
}

// suggestion says what a name might have meant.
func suggestion(name string, known []string) string {
	switch near := strictyaml.Nearest(name, known); {
	case near != "":
		return fmt.Sprintf("did you mean %s? Defined: %s", near, strings.Join(known, ", "))
	case len(known) > 0:
		return fmt.Sprintf("define it under queries. Defined: %s", strings.Join(known, ", "))
	default:
		return "define it under queries"
	}
}
