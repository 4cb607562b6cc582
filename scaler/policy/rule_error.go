package policy

import (
	"errors"
	"fmt"
	"slices"

	"github.com/scalerd/scalerd/tfgen/spec"
	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// RuleError is a mistake in a rule and where it stands in the description.
type RuleError struct {
	File string
	// Line and Column are 1-based and count from the start of File.
	Line, Column int
	Message      string
}

// Error is file:line:column and the message.
func (e *RuleError) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
}

// mistake places a message at a position of the rule's source. Every line of a
// rule is taken to be indented alike, as the lines of a YAML block are.
func mistake(rule spec.Rule, line, column int, format string, args ...any) *RuleError {
	return &RuleError{
		File:    nameOr(rule.File, "rule"),
		Line:    max(line, 1) + max(rule.Line, 1) - 1,
		Column:  max(column, 1) + max(rule.Column, 1) - 1,
		Message: fmt.Sprintf(format, args...),
	}
}

// placed is a mistake at a position in the edited source of a rule.
func placed(rule spec.Rule, edits []edit, pos syntax.Position, format string, args ...any) *RuleError {
	line, column := unedited(rule.Source, edits, int(pos.Line), int(pos.Col))
	return mistake(rule, line, column, format, args...)
}

// mistakes turns an error of the parser or the resolver into RuleErrors.
func mistakes(rule spec.Rule, edits []edit, err error) []*RuleError {
	var one syntax.Error
	if errors.As(err, &one) {
		return []*RuleError{placed(rule, edits, one.Pos, "%s", one.Msg)}
	}
	var list resolve.ErrorList
	if !errors.As(err, &list) {
		return []*RuleError{mistake(rule, 1, 1, "%s", err)}
	}
	found := make([]*RuleError, len(list))
	for i, e := range list {
		found[i] = placed(rule, edits, e.Pos, "%s", e.Msg)
	}
	return found
}

// failure places an error of a running rule at the innermost place in its source.
func failure(rule spec.Rule, edits []edit, err error) *RuleError {
	var at syntax.Position
	var eval *starlark.EvalError
	if errors.As(err, &eval) {
		for _, frame := range slices.Backward(eval.CallStack) {
			if frame.Pos.Line > 0 {
				at = frame.Pos
				break
			}
		}
	}
	return placed(rule, edits, at, "%s", plainCancel(err.Error()))
}

// join makes one error of all mistakes, in the order of the source.
func join(found []*RuleError) error {
	slices.SortStableFunc(found, func(a, b *RuleError) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	errs := make([]error, len(found))
	for i, e := range found {
		errs[i] = e
	}
	return errors.Join(errs...)
}
