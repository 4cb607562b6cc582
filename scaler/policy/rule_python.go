package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/scalerd/scalerd/tfgen/spec"
)

// python is a rule as Starlark understands it.
type python struct {
	source string
	// edits are what was changed in the rule's own text, in its order.
	edits []edit
	// notes are what was understood although it is not how rules are written.
	notes    []*RuleError
	mistakes []*RuleError
}

// fromPython accepts what MiCADO's rules are full of and Starlark has no word for:
// `x is None`, `print x` and `a < b < c`; and finds the habits of Python that
// can't be accepted.
func fromPython(rule spec.Rule) python {
	tokens := scan(rule.Source)
	text := []byte(rule.Source)
	var p python
	for i, t := range tokens {
		next, previous := at(tokens, i+1), at(tokens, i-1)
		switch {
		case t.kind == '^' && operand(previous):
			p.wrong(rule, t, "** is not an operator in rules: write pow(x, y)")
		case t.kind != 'w':
		case t.text == "print" && t.first && printsBare(t, next):
			p.edits = append(p.edits, callPrint(rule.Source, tokens[i:])...)
			p.note(rule, t, "print is a function: write print(...) with parentheses, which is how this is understood")
		case next.kind == 's' && next.start == t.end && strings.ContainsAny(t.text, "fF"):
			p.wrong(rule, t, `f-strings are not offered: write "%%s and %%d" %% (x, y), or "{} and {}".format(x, y)`)
		case t.text == "is":
			if !replaceIs(text, tokens[i:]) {
				p.wrong(rule, t, "is can only be used with None, True and False: write == to compare values")
			}
		case t.text == "load" && previous.kind != '.' && next.kind != '(':
			p.wrong(rule, t, "load is a reserved word in rules: choose another name")
		case t.text == nameContainers && !p.noted(nameContainers):
			p.note(rule, t, nameContainers+" is kept for the rules of MiCADO: nodes are scaled here and containers are not, so it is 1 and what the rule sets is not used")
		case t.first && notOffered(t.text) != "":
			p.wrong(rule, t, "%s is not offered in rules: %s", t.text, notOffered(t.text))
		}
	}
	p.edits = append(p.edits, chains(string(text), tokens)...)
	slices.SortStableFunc(p.edits, func(a, b edit) int { return a.offset - b.offset })
	p.source = apply(string(text), p.edits)
	return p
}

func (p *python) wrong(rule spec.Rule, t token, format string, args ...any) {
	p.mistakes = append(p.mistakes, mistake(rule, t.line, t.column, format, args...))
}

func (p *python) note(rule spec.Rule, t token, text string) {
	p.notes = append(p.notes, mistake(rule, t.line, t.column, "%s", text))
}

func (p *python) noted(about string) bool {
	return slices.ContainsFunc(p.notes, func(n *RuleError) bool { return strings.HasPrefix(n.Message, about) })
}

// RuleNotes are warnings about a rule that can be used: what it has of older
// Pythons, and what has no effect here.
func RuleNotes(rule spec.Rule) []*RuleError { return fromPython(rule).notes }

func at(tokens []token, i int) token {
	if i < 0 || i >= len(tokens) {
		return token{}
	}
	return tokens[i]
}

// operand is whether t can end the left side of an operator; otherwise ** unpacks
// a dict or declares a parameter.
func operand(t token) bool {
	return t.kind == 's' || t.kind == ')' || t.kind == ']' || t.kind == 'w' && t.text != "lambda"
}

func replaceIs(source []byte, tokens []token) bool {
	is, last, operator := tokens[0], tokens[0], "=="
	if next := at(tokens, 1); next.text == "not" {
		last, operator = next, "!="
		tokens = tokens[1:]
	}
	if is.line != last.line || !slices.Contains([]string{"None", "True", "False"}, at(tokens, 1).text) {
		return false
	}
	blank := strings.Repeat(" ", last.end-is.start-len(operator))
	copy(source[is.start:last.end], operator+blank)
	return true
}

// printsBare is whether print is followed by something to print, and not by a
// parenthesis or an operator.
func printsBare(print, next token) bool {
	if next.line != print.line {
		return false
	}
	switch next.kind {
	case 'w':
		return !slices.Contains([]string{"if", "or", "and", "in", "is"}, next.text)
	case '[', '{':
		return next.start > print.end
	}
	return next.kind == 's'
}

// callPrint puts what follows print, up to the end of the statement, in
// parentheses.
func callPrint(source string, tokens []token) []edit {
	print, last, depth := tokens[0], tokens[0], 0
	for _, t := range tokens[1:] {
		if depth == 0 && (t.kind == ';' || endsLine(source[last.end:t.start])) {
			break
		}
		depth += nesting(t)
		last = t
	}
	open := edit{offset: print.end, text: "("}
	if source[print.end] == ' ' {
		open.removed = 1
	}
	return []edit{open, {offset: last.end, text: ")"}}
}

// endsLine is whether the blanks between two tokens end a statement.
func endsLine(between string) bool {
	code, _, broken := strings.Cut(between, "\n")
	return broken && !strings.HasSuffix(strings.TrimRight(code, "\r"), `\`)
}

func nesting(t token) int {
	switch t.kind {
	case '(', '[', '{':
		return 1
	case ')', ']', '}':
		return -1
	}
	return 0
}

// chains writes a < b < c as (a < b and b < c).
func chains(source string, tokens []token) []edit {
	type segment struct {
		start       int
		comparisons []int
	}
	var edits []edit
	open := []segment{{}}
	end := func(i int) {
		s := open[len(open)-1]
		if len(s.comparisons) > 1 {
			edits = append(edits, chain(source, tokens[:i], s.start, s.comparisons)...)
		}
	}
	for i, t := range tokens {
		top := &open[len(open)-1]
		if len(open) == 1 && i > 0 && endsLine(source[tokens[i-1].end:t.start]) {
			end(i)
			*top = segment{start: i}
		}
		switch {
		case nesting(t) > 0:
			open = append(open, segment{start: i + 1})
		case nesting(t) < 0 && len(open) > 1:
			end(i)
			open = open[:len(open)-1]
		case t.kind == 'c':
			top.comparisons = append(top.comparisons, i)
		case separates(t):
			end(i)
			*top = segment{start: i + 1}
		}
	}
	end(len(tokens))
	return edits
}

// chain is the edit of one chain, which begins at token start and ends with the
// last one.
func chain(source string, tokens []token, start int, comparisons []int) []edit {
	edits := []edit{{offset: tokens[start].start, text: "("}}
	for i, c := range comparisons[1:] {
		from, to := comparisons[i]+1, c
		if from >= to {
			return nil // the parser has something to say about it
		}
		middle := source[tokens[from].start:tokens[to-1].end]
		if strings.Contains(middle, "\n") {
			return nil
		}
		edits = append(edits, edit{offset: tokens[c].start, text: "and " + middle + " "})
	}
	return append(edits, edit{offset: tokens[len(tokens)-1].end, text: ")"})
}

// separates is whether t ends the operand of a comparison.
func separates(t token) bool {
	switch t.kind {
	case ',', ':', ';', '=':
		return true
	case 'w':
		switch t.text {
		case "and", "or", "not", "if", "elif", "else", "while", "for", "in", "return", "lambda", "print":
			return true
		}
	}
	return false
}

// notOffered says what to write in place of a statement of Python.
func notOffered(word string) string {
	switch word {
	case "import", "from":
		return "time.time() and ceil, floor, sqrt, log, exp, mean, round, sum and pow are there without it"
	case "load":
		return "a rule is complete in itself"
	case "try", "except", "finally":
		return "a rule that fails holds the group; test for None before using a query"
	case "raise", "assert":
		return "write fail(\"...\")"
	case "global", "nonlocal":
		return "assign at the top level of the rule"
	case "class", "with", "yield", "async", "await":
		return "use functions, dicts and lists"
	case "del":
		return "write x.pop(key)"
	case "exec", "eval":
		return "write the program itself"
	}
	return ""
}

// edit is one change of a text: removed bytes at an offset give way to text.
type edit struct {
	offset, removed int
	text            string
}

func apply(source string, edits []edit) string {
	var b strings.Builder
	from := 0
	for _, e := range edits {
		if e.offset < from {
			continue
		}
		fmt.Fprint(&b, source[from:e.offset], e.text)
		from = e.offset + e.removed
	}
	b.WriteString(source[from:])
	return b.String()
}
