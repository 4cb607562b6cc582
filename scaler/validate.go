package scaler

import (
	"errors"
	"fmt"
	"slices"

	"github.com/scalerd/scalerd/scaler/policy"
	"github.com/scalerd/scalerd/tfgen"
	"github.com/scalerd/scalerd/tfgen/spec"
	"github.com/scalerd/scalerd/tfgen/strictyaml"
	"github.com/scalerd/scalerd/tfgen/tosca"
)

// Source is a description as its user wrote it.
type Source struct {
	// File is the name of the file: for messages, and relative paths in the
	// description are from its folder.
	File string
	Text []byte
	// Params are the values of a TOSCA template's inputs, and Name, when set, is the
	// name of its application in place of the template's own.
	Params map[string]any
	Name   string
}

// Validate reads a description, of our own form or a TOSCA template, with
// everything that can be checked without running it: its keys and values, the
// PromQL of its queries and the programs of its rules. The mistakes of all are
// answered at once, as strictyaml.Mistakes. The notes tell what of a template is
// not deployed or was changed.
func Validate(source Source, checkQuery func(promql string) error, more ...spec.Check) (*spec.Application, []tosca.Note, error) {
	queries := func(app *spec.Application, doc *strictyaml.Document) strictyaml.Mistakes {
		return checkQueries(app, doc, checkQuery)
	}
	checks := append([]spec.Check{tfgen.Check, queries, checkRules, checkOptimizers}, more...)
	if tosca.Is(source.Text) {
		return tosca.Parse(tosca.Source{File: source.File, Text: source.Text, Params: source.Params, Name: source.Name}, checks...)
	}
	app, err := spec.Parse(source.File, source.Text, checks...)
	return app, nil, err
}

// Validate is the function Validate with the service's monitoring, prices and hosts.
func (s *Service) Validate(source Source) (*spec.Application, error) {
	app, _, err := Validate(source, s.config.CheckQuery, CheckPrices(s.config.Prices), CheckHosts(s.config.CheckHost))
	return app, err
}

func checkQueries(app *spec.Application, doc *strictyaml.Document, checkQuery func(string) error) strictyaml.Mistakes {
	var mistakes strictyaml.Mistakes
	check := func(path string, queries map[string]spec.Query) {
		for _, name := range sortedKeys(queries) {
			path := strictyaml.JoinKey(path, name)
			if doc.Wrong(path) || queries[name].Expr == "" {
				continue
			}
			if err := checkQuery(queries[name].Expr); err != nil {
				mistakes = append(mistakes, doc.Mistake(path, fmt.Sprintf("is not valid PromQL: %v", err), ""))
			}
		}
	}
	alerts := func(path string, alerts []spec.Alert) {
		for i, alert := range alerts {
			path := strictyaml.JoinIndex(path, i) + ".expr"
			if doc.Wrong(path) || alert.Expr == "" {
				continue
			}
			if err := checkQuery(alert.Expr); err != nil {
				mistakes = append(mistakes, doc.Mistake(path, fmt.Sprintf("is not valid PromQL: %v", err), ""))
			}
		}
	}
	check("queries", app.Queries)
	alerts("alerts", app.Alerts)
	for i := range app.Groups {
		check(fmt.Sprintf("groups[%d].queries", i), app.Groups[i].Queries)
		alerts(fmt.Sprintf("groups[%d].alerts", i), app.Groups[i].Alerts)
	}
	return mistakes
}

func checkRules(app *spec.Application, doc *strictyaml.Document) strictyaml.Mistakes {
	var mistakes strictyaml.Mistakes
	for i := range app.Groups {
		g := &app.Groups[i]
		names := slices.Concat(sortedKeys(app.GroupConstants(g)), sortedKeys(app.GroupQueries(g)))
		for _, alert := range app.GroupAlerts(g) {
			names = append(names, alert.Name)
		}
		for j, p := range g.Policies {
			path := fmt.Sprintf("groups[%d].policies[%d].rule", i, j)
			if p.Rule == nil || doc.Wrong(path) {
				continue
			}
			for _, err := range eachError(policy.CheckRule(*p.Rule, names)) {
				m := doc.Mistake(path, err.Error(), "")
				if at := (*policy.RuleError)(nil); errors.As(err, &at) {
					m.Line, m.Column, m.What = at.Line, at.Column, at.Message
				}
				mistakes = append(mistakes, m)
			}
		}
	}
	return mistakes
}

// Notes are warnings about a description that can be used.
func Notes(app *spec.Application) []string {
	var notes []string
	for i := range app.Groups {
		for _, p := range app.Groups[i].Policies {
			if p.Rule == nil {
				continue
			}
			for _, note := range policy.RuleNotes(*p.Rule) {
				notes = append(notes, note.Error())
			}
		}
	}
	return notes
}

// eachError takes joined errors apart.
func eachError(err error) []error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}
