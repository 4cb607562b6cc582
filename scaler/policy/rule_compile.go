package policy

import (
	"maps"
	"slices"
	"strings"

	"github.com/scalerd/scalerd/tfgen/spec"
	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// maxRuleSource bounds a rule's text, in bytes, and with it how deep it can nest.
const maxRuleSource = 64 << 10

// CheckRule finds the mistakes in a rule: its syntax, and each use of a name that
// is neither bound by the rule, built in, nor in names, which holds the
// constants and queries that the rule may use. The error joins a *RuleError for
// each, in the order of the source.
func CheckRule(rule spec.Rule, names []string) error {
	_, err := compile(rule, scope{names: set(names)})
	return err
}

// scope says which names a rule may use besides its own and the built-in ones.
type scope struct {
	names map[string]bool
	// open takes every other name for that of a query.
	open bool
}

func (s scope) has(name string) bool { return builtIn(name) || s.names[name] }

func set(names []string) map[string]bool {
	in := make(map[string]bool, len(names))
	for _, name := range names {
		in[name] = true
	}
	return in
}

// compiled is a rule's program and the names that it takes from outside.
type compiled struct {
	program *starlark.Program
	// outside are the names read that are not the rule's own, sorted.
	outside []string
	// edits are what was changed in the source before it was compiled.
	edits []edit
	// needs are the names that the program must be given: those from outside, the
	// guards, and the names with inputPrefix.
	needs []string
}

func options() *syntax.FileOptions {
	return &syntax.FileOptions{Set: true, While: true, TopLevelControl: true, GlobalReassign: true}
}

// compile makes a program of a rule.
func compile(rule spec.Rule, outer scope) (compiled, error) {
	if len(rule.Source) > maxRuleSource {
		return compiled{}, mistake(rule, 1, 1, "the rule is %d bytes long, at most %d are allowed", len(rule.Source), maxRuleSource)
	}
	p := fromPython(rule)
	if len(p.mistakes) > 0 {
		return compiled{}, join(p.mistakes)
	}
	outside, rebound, found := names(rule, p, outer)
	if len(found) > 0 {
		return compiled{}, join(found)
	}
	// A second tree, because resolving writes into the first.
	file, err := options().Parse(rule.File, p.source, 0)
	if err != nil {
		return compiled{}, join(mistakes(rule, p.edits, err))
	}
	guardFile(file)
	file.Stmts = append(takeInputs(rebound), file.Stmts...)
	needs := map[string]bool{}
	program, err := starlark.FileProgram(file, func(name string) bool {
		needs[name] = needs[name] || notUniversal(name)
		return needs[name]
	})
	if err != nil {
		return compiled{}, join(mistakes(rule, p.edits, err))
	}
	maps.DeleteFunc(needs, func(_ string, is bool) bool { return !is })
	return compiled{program: program, outside: outside, edits: p.edits, needs: slices.Sorted(maps.Keys(needs))}, nil
}

func notUniversal(name string) bool { return !starlark.Universe.Has(name) }

// names finds the names that a rule reads from outside, and which of the names
// from outside it also assigns to.
func names(rule spec.Rule, p python, outer scope) (outside, rebound []string, found []*RuleError) {
	file, err := options().Parse(rule.File, p.source, 0)
	if err != nil {
		return nil, nil, mistakes(rule, p.edits, err)
	}
	read := map[string]bool{}
	isKnown := func(name string) bool {
		if !notUniversal(name) || !outer.open && !outer.has(name) {
			return false
		}
		read[name] = true
		return true
	}
	if err := resolve.File(file, isKnown, starlark.Universe.Has); err != nil {
		found = mistakes(rule, p.edits, err)
	}
	for _, name := range addedTo(file) {
		if notUniversal(name.Name) && !isKnown(name.Name) {
			found = append(found, placed(rule, p.edits, name.NamePos, "undefined: %s", name.Name))
		}
	}
	for _, binding := range file.Module.(*resolve.Module).Globals {
		name := binding.First.Name
		if outer.has(name) {
			read[name] = true
		}
		if read[name] || !notUniversal(name) {
			rebound = append(rebound, name)
		}
	}
	return slices.Sorted(maps.Keys(read)), rebound, unknownNames(found)
}

func unknownNames(found []*RuleError) []*RuleError {
	for _, e := range found {
		if strings.HasPrefix(e.Message, "undefined: ") {
			e.Message += ": neither a constant, a query nor built in"
		}
	}
	return found
}

// addedTo are the names whose first binding is an assignment such as x += 1,
// which reads what x was outside.
func addedTo(file *syntax.File) []*syntax.Ident {
	var found []*syntax.Ident
	syntax.Walk(file, func(n syntax.Node) bool {
		assign, ok := n.(*syntax.AssignStmt)
		if !ok || assign.Op == syntax.EQ {
			return true
		}
		if name, ok := unparen(assign.LHS).(*syntax.Ident); ok {
			if b, ok := name.Binding.(*resolve.Binding); ok && b.Scope == resolve.Global && b.First == name {
				found = append(found, name)
			}
		}
		return true
	})
	return found
}

// inputPrefix makes a name that a rule can't write, under which it is given the
// value of a name that it also assigns to.
const inputPrefix = "given "

// takeInputs assigns the given values at the start of a program. Without them a
// rule that says m_node_count += 1 would make m_node_count a variable of its own,
// without a value, as Starlark has no variables that come from outside.
func takeInputs(names []string) []syntax.Stmt {
	stmts := make([]syntax.Stmt, len(names))
	for i, name := range names {
		stmts[i] = &syntax.AssignStmt{Op: syntax.EQ, LHS: &syntax.Ident{Name: name}, RHS: &syntax.Ident{Name: inputPrefix + name}}
	}
	return stmts
}
