package scaler

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/scalerd/scalerd/optimizer"
	"github.com/scalerd/scalerd/tfgen/spec"
	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// MiCADO's names for the settings of its Optimizer.
const (
	optInit        = "m_opt_init_"
	optInput       = "m_opt_input_"
	optTargetQuery = "m_opt_target_query_"
	optTargetMin   = "m_opt_target_minth_"
	optTargetMax   = "m_opt_target_maxth_"
	optAdvice      = "m_opt_advice"
)

// optimization is how a group's optimizer is configured, and which query each of its
// metrics is.
type optimization struct {
	config  optimizer.Config
	queries map[string]string // by metric
}

// optimizationOf is the optimization that a group's description asks for, in the
// block optimizer: or by MiCADO's names; nil where it asks for none. The error joins
// *settingErrors.
func optimizationOf(app *spec.Application, g *spec.Group) (*optimization, error) {
	var o *optimization
	var err error
	switch {
	case g.Optimizer != nil:
		o = blockOptimization(g.Optimizer)
	case namesOptimizer(app, g):
		o, err = namedOptimization(app.GroupConstants(g), app.GroupQueries(g))
	default:
		return nil, nil
	}
	c := &o.config
	c.Interval = app.Interval.AsDuration()
	if g.Optimizer != nil || app.GroupConstants(g)[optInit+"min_vm_number"] == nil {
		c.MinNodes = g.Min
	}
	if g.Optimizer != nil || app.GroupConstants(g)[optInit+"max_vm_number"] == nil {
		c.MaxNodes = g.Max
	}
	if err == nil {
		err = c.Validate()
	}
	return o, err
}

func blockOptimization(b *spec.Optimizer) *optimization {
	o := &optimization{config: optimizer.Default(), queries: map[string]string{}}
	c := &o.config
	c.Method, c.KnowledgeBase = optimizer.Method(b.Method), optimizer.Knowledge(b.KnowledgeBase)
	c.Inputs = slices.Clone(b.Inputs)
	for _, t := range b.Targets {
		c.Targets = append(c.Targets, optimizer.Target{Name: t.Query, Min: t.Min, Max: t.Max})
	}
	c.TrainingSamplesRequired = b.TrainingSamplesRequired
	c.MaxUpscaleDelta, c.MaxDownscaleDelta = b.MaxUpscaleDelta, b.MaxDownscaleDelta
	c.AdviceFreezeInterval, c.BootHint = b.AdviceFreezeInterval.AsDuration(), b.BootHint.AsDuration()
	c.ActionLag, c.HiddenUnits, c.Budget = b.ActionLag, b.HiddenUnits, b.Budget
	c.Retain = optimizer.Retention{Recent: b.Retain.Recent, Older: b.Retain.Older}
	if e := b.Exploration; e != nil {
		c.Explore = optimizer.Exploration{Every: e.Every.AsDuration(), FromHour: e.FromHour, ToHour: e.ToHour, NodeHours: e.NodeHours}
	}
	c.Seed = uint64(b.Seed)
	for _, name := range b.Queries() {
		o.queries[name] = name
	}
	return o
}

// namesOptimizer reports whether a group has an optimizer by MiCADO's names: it
// defines an input itself, or uses the advice where the application defines one.
func namesOptimizer(app *spec.Application, g *spec.Group) bool {
	isInput := func(name string) bool { return strings.HasPrefix(name, optInput) }
	if slices.ContainsFunc(slices.Collect(maps.Keys(g.Queries)), isInput) {
		return true
	}
	return usesAdvice(g) && slices.ContainsFunc(slices.Collect(maps.Keys(app.Queries)), isInput)
}

// usesAdvice reports whether a policy of the group asks its optimizer.
func usesAdvice(g *spec.Group) bool {
	return slices.ContainsFunc(g.Policies, func(p spec.Policy) bool {
		return p.Advice != nil || p.Rule != nil && strings.Contains(p.Rule.Source, optAdvice)
	})
}

// settingError is a mistake about one of MiCADO's names.
type settingError struct {
	constant, query string // which of both
	message         string
}

func (e *settingError) Error() string { return e.constant + e.query + ": " + e.message }

// namedOptimization gathers MiCADO's names. Inputs and targets are in the order of
// their names, as a description's mappings have none.
func namedOptimization(constants map[string]any, queries map[string]spec.Query) (*optimization, error) {
	o := &optimization{config: optimizer.Default(), queries: map[string]string{}}
	var errs []error
	for _, name := range sortedKeys(constants) {
		setting, ok := strings.CutPrefix(name, optInit)
		if !ok {
			continue
		}
		if err := o.config.ApplyConstants(map[string]any{setting: constants[name]}); err != nil {
			message := err.Error()
			if m := (*optimizer.Mistake)(nil); errors.As(err, &m) {
				message = fmt.Sprintf("is %v: %s", m.Value, m.Remedy)
			}
			errs = append(errs, &settingError{constant: name, message: message})
		}
	}
	for _, name := range sortedKeys(queries) {
		if metric, ok := strings.CutPrefix(name, optInput); ok {
			o.config.Inputs = append(o.config.Inputs, metric)
			o.queries[metric] = name
		}
		if metric, ok := strings.CutPrefix(name, optTargetQuery); ok {
			t := optimizer.Target{Name: metric}
			for prefix, limit := range map[string]**float64{optTargetMin: &t.Min, optTargetMax: &t.Max} {
				v, err := threshold(prefix+metric, constants, queries)
				if err != nil {
					errs = append(errs, err)
				}
				*limit = v
			}
			o.config.Targets = append(o.config.Targets, t)
			o.queries[metric] = name
		}
	}
	return o, errors.Join(errs...)
}

// threshold is a number among the constants or, as MiCADO's templates write it,
// among the queries; nil where there is none.
func threshold(name string, constants map[string]any, queries map[string]spec.Query) (*float64, error) {
	var text string
	e := &settingError{message: "is not a number: write the threshold itself"}
	switch v, isConstant := constants[name]; {
	case isConstant:
		text, e.constant = fmt.Sprint(v), name
	case queries[name].Expr != "":
		text, e.query = queries[name].Expr, name
	default:
		return nil, nil
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil {
		return nil, e
	}
	return &f, nil
}

// checkOptimizers finds the mistakes in the settings of the groups' optimizers that
// package spec does not know of.
func checkOptimizers(app *spec.Application, doc *strictyaml.Document) strictyaml.Mistakes {
	var mistakes strictyaml.Mistakes
	for i := range app.Groups {
		g, path := &app.Groups[i], fmt.Sprintf("groups[%d]", i)
		mistakes = append(mistakes, adviceMistakes(app, g, doc, path)...)
		if doc.Wrong(path + ".optimizer") {
			continue
		}
		o, err := optimizationOf(app, g)
		for _, err := range eachError(err) {
			mistakes = append(mistakes, optimizerMistake(app, g, doc, path, o, err))
		}
	}
	return mistakes
}

// adviceMistakes finds policies that follow an optimizer where there is none, and a
// group that has two.
func adviceMistakes(app *spec.Application, g *spec.Group, doc *strictyaml.Document, path string) strictyaml.Mistakes {
	var mistakes strictyaml.Mistakes
	if g.Optimizer != nil && namesOptimizer(app, g) {
		mistakes = append(mistakes, doc.Mistake(path+".optimizer", "is set, and queries "+optInput+"* configure an optimizer too", "keep one of them"))
	}
	if g.Optimizer != nil || namesOptimizer(app, g) {
		return mistakes
	}
	for j, p := range g.Policies {
		if p.Advice != nil {
			mistakes = append(mistakes, doc.Mistake(fmt.Sprintf("%s.policies[%d].advice", path, j), "follows an optimizer, and the group has none",
				"add optimizer: with inputs and targets to the group"))
		}
	}
	return mistakes
}

// optimizerMistake gives a mistake of the settings its place in the description.
func optimizerMistake(app *spec.Application, g *spec.Group, doc *strictyaml.Document, path string, o *optimization, err error) strictyaml.Mistake {
	own := func(kind, name string, groups bool) string {
		if groups {
			return strictyaml.JoinKey(path+"."+kind, name)
		}
		return strictyaml.JoinKey(kind, name)
	}
	if s := (*settingError)(nil); errors.As(err, &s) {
		if s.query != "" {
			_, groups := g.Queries[s.query]
			return doc.Mistake(own("queries", s.query, groups), s.message, "")
		}
		_, groups := g.Constants[s.constant]
		return doc.Mistake(own("constants", s.constant, groups), s.message, "")
	}
	m := (*optimizer.Mistake)(nil)
	if !errors.As(err, &m) {
		return doc.Mistake(path, err.Error(), "")
	}
	what := fmt.Sprintf("%s is %v", m.Field, m.Value)
	if g.Optimizer != nil {
		return doc.Mistake(path+".optimizer", what, m.Remedy)
	}
	name := optInit + m.Field
	if i := slices.IndexFunc(o.config.Targets, func(t optimizer.Target) bool { return m.Value == t.Name }); i >= 0 {
		name = optTargetQuery + o.config.Targets[i].Name
		m.Remedy = fmt.Sprintf("add %s%s, %s%s or both", optTargetMin, o.config.Targets[i].Name, optTargetMax, o.config.Targets[i].Name)
		_, groups := g.Queries[name]
		return doc.Mistake(own("queries", name, groups), "has no limit", m.Remedy)
	}
	if _, ok := app.GroupConstants(g)[name]; ok {
		_, groups := g.Constants[name]
		return doc.Mistake(own("constants", name, groups), fmt.Sprintf("is %v", m.Value), m.Remedy)
	}
	return doc.Mistake(path, "has an optimizer by MiCADO's names whose "+what, m.Remedy)
}
