package ruletest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/scalerd/scalerd/scaler/policy"
	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// Suffix ends the name of a test file.
const Suffix = ".ruletest.yaml"

// File is a file with cases for one rule.
type File struct {
	// Rule is the file of the rule, or of the description that has it, from the
	// folder of the test file.
	Rule string `yaml:"rule" jsonschema:"required"`
	// Group and Policy name the rule within a description; without them it is the
	// only one.
	Group  string `yaml:"group"`
	Policy string `yaml:"policy"`
	// Given holds for every case that does not say otherwise.
	Given map[string]any `yaml:"given"`
	Tests []Case         `yaml:"tests" jsonschema:"required,minItems=1"`
}

// Case is what a rule must make of what it is given.
type Case struct {
	Name   string         `yaml:"name" jsonschema:"required"`
	Given  map[string]any `yaml:"given"`
	Expect Expect         `yaml:"expect" jsonschema:"required"`
}

// Expect is what a proposal must be; what is not set is not looked at.
type Expect struct {
	Nodes *int `yaml:"m_node_count"`
	// Drop are the nodes that the rule drops.
	Drop []string `yaml:"m_nodes_todrop"`
	// UserData is m_userdata after the evaluation.
	UserData any `yaml:"m_userdata"`
	// Hold is whether the rule holds the group.
	Hold *bool `yaml:"hold"`
	// Error is a part of the message of a rule that fails.
	Error string `yaml:"error"`
	// Prints are lines that must be among what is printed.
	Prints []string `yaml:"prints"`
}

// Parse reads a test file.
func Parse(file string, text []byte) (File, error) {
	var f File
	_, err := strictyaml.Decode(file, text, &f)
	return f, err
}

// Result is what came of one case. Failures are sentences, none where it passed.
type Result struct {
	Name     string          `json:"name"`
	Failures []string        `json:"failures,omitempty"`
	Proposal policy.Proposal `json:"proposal"`
}

// Run evaluates the rule for every case.
func (f File) Run(r Rule) []Result {
	results := make([]Result, len(f.Tests))
	for i, c := range f.Tests {
		given := Given{}
		for name, value := range f.Given {
			given[name] = value
		}
		for name, value := range c.Given {
			given[name] = value
		}
		p, err := Evaluate(r, given)
		results[i] = Result{Name: c.Name, Proposal: p}
		if err != nil {
			results[i].Failures = []string{err.Error()}
			continue
		}
		results[i].Failures = c.Expect.check(p)
	}
	return results
}

func (e Expect) check(p policy.Proposal) []string {
	var failures []string
	fail := func(format string, args ...any) { failures = append(failures, fmt.Sprintf(format, args...)) }
	hold := e.Error != ""
	if e.Hold != nil {
		hold = *e.Hold
	}
	switch {
	case p.Hold && !hold:
		fail("the rule holds the group: %s", p.Reason)
	case !p.Hold && hold:
		fail("the rule does not hold the group: %s", p.Reason)
	case e.Nodes != nil && (p.Hold || p.Nodes != *e.Nodes):
		fail("m_node_count is %d, want %d: %s", p.Nodes, *e.Nodes, p.Reason)
	}
	if e.Drop != nil && !slices.Equal(e.Drop, p.Drop) {
		fail("m_nodes_todrop is %v, want %v: %s", p.Drop, e.Drop, p.Reason)
	}
	if !strings.Contains(p.Error, e.Error) {
		fail("the error is %q, want it to say %q", p.Error, e.Error)
	}
	if e.UserData != nil && !sameJSON(e.UserData, p.UserData) {
		fail("m_userdata is %s, want %v", orNone(p.UserData), e.UserData)
	}
	for _, line := range e.Prints {
		if !slices.Contains(p.Prints, line) {
			fail("nothing prints %q; printed: %q", line, p.Prints)
		}
	}
	return failures
}

func sameJSON(want any, got []byte) bool {
	text, err := json.Marshal(want)
	if err != nil {
		return false
	}
	var a, b any
	return json.Unmarshal(text, &a) == nil && json.Unmarshal(got, &b) == nil && reflect.DeepEqual(a, b)
}

func orNone(data []byte) string {
	if data == nil {
		return "unchanged"
	}
	return string(data)
}
