package tfgen

import (
	"github.com/scalerd/scalerd/tfgen/spec"
	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// Check finds the mistakes of a description that only generation can: arguments
// that a provider's schema does not have, and user data that is no cloud-config or
// too large. It is a spec.Check.
func Check(app *spec.Application, doc *strictyaml.Document) strictyaml.Mistakes {
	return nil
}
