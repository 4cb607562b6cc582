package api

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/scalerd/scalerd/optimizer"
	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/access"
	"github.com/scalerd/scalerd/scaler/report"
)

// OptimizerPath is the part of a path that names an optimizer.
type OptimizerPath struct {
	Name string `path:"name" doc:"Name of the optimizer; application.group for a group's."`
}

// OptimizerDetail is an optimizer with its configuration.
type OptimizerDetail struct {
	scaler.AdvisorStatus
	Config OptimizerConfig `json:"config"`
}

// Learned is the answer to a batch of samples.
type Learned struct {
	Learned int `json:"learned" doc:"Samples of the batch that were learned from: all."`
	Samples int `json:"samples" doc:"Samples that are kept now."`
	// Training says whether a training runs.
	Training bool              `json:"training" doc:"A training runs beside."`
	Advice   *optimizer.Advice `json:"advice,omitempty" doc:"The advice at the newest sample, where advice=true asked for it."`
}

const (
	// maxBatch bounds a batch of samples, maxKnowledge a file of them, in bytes.
	maxBatch     = 32 << 20
	maxKnowledge = 64 << 20
)

// OptimizersHandler serves the operations on optimizers that belong to no group: for
// external loops and simulators, which need no other part of scalerd.
func OptimizersHandler(service *scaler.Service, version string) http.Handler {
	mux := http.NewServeMux()
	api := newAPI(mux, version)
	api.UseMiddleware(wholeBody(api))
	registerOptimizers(api, optimizers{service: service, own: true})
	return unmatched(mux)
}

const optimizerHelp = `An optimizer learns from samples how the number of nodes acts on metrics, and advises the
fewest nodes that keep its targets in range. Any loop can use one: PUT it, then send samples and ask for
advice. Time is the samples' own: nothing depends on the clock, so weeks can be simulated in minutes, in
calls of one sample or of many. With train=wait a training that is due is done before the next sample,
which makes the same samples always give the same advice; without it trainings run beside. With
advice=true one call learns and advises.`

// registerOptimizers adds the operations.
func registerOptimizers(api huma.API, h optimizers) {
	const root = "/v1/optimizers"
	api.OpenAPI().Tags = append(api.OpenAPI().Tags, &huma.Tag{Name: "optimizers", Description: optimizerHelp})
	tag := tagged("optimizers")
	bytes := func(most int64) func(*huma.Operation) { return func(o *huma.Operation) { o.MaxBodyBytes = most } }
	register(api, endpoint(access.Viewer, http.MethodGet, root, "list-optimizers", "All optimizers and what they know, by name.", tag), h.list)
	register(api, endpoint(access.Operator, http.MethodPut, root+"/{name}", "configure-optimizer", "Make an optimizer, or configure the one of that name anew: what its samples tell is learned again.", tag), h.configure)
	register(api, endpoint(access.Viewer, http.MethodGet, root+"/{name}", "get-optimizer", "What an optimizer knows and does.", tag), h.get)
	register(api, endpoint(access.Operator, http.MethodDelete, root+"/{name}", "delete-optimizer", "Forget an optimizer and its samples.", tag), h.remove)
	register(api, endpoint(access.Operator, http.MethodPost, root+"/{name}/samples", "learn", "Learn from samples, all or none.", tag, bytes(maxBatch), reads), h.learn)
	register(api, endpoint(access.Viewer, http.MethodGet, root+"/{name}/advice", "advise", "The advice: also where it is not valid the answer is 200, and says why.", tag), h.advise)
	register(api, endpoint(access.Operator, http.MethodPost, root+"/{name}/knowledge", "import-knowledge", "Add samples of a file: an export, or one of MiCADO's Optimizer.", tag, bytes(maxKnowledge)), h.imports)
	register(api, endpoint(access.Operator, http.MethodDelete, root+"/{name}/knowledge", "forget-knowledge", "Forget all samples and what was learned.", tag), h.forget)
	serve(api, endpoint(access.Viewer, http.MethodGet, root+"/{name}/knowledge", "export-knowledge", "The samples that are kept, as a file.", tag, samplesFile), h.exports)
	serve(api, endpoint(access.Viewer, http.MethodGet, root+"/{name}/report", "report", "What the optimizer knows, as a page, a picture or data.", tag, reportFile), h.report)
}

// File is a response that is a file.
type File struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

// samplesFile and reportFile tell the document what the files are.
func samplesFile(o *huma.Operation) { o.Responses = answersFiles("text/csv", "application/json") }
func reportFile(o *huma.Operation) {
	o.Responses = answersFiles("text/html", "image/png", "image/svg+xml", "application/json")
}

func answersFiles(types ...string) map[string]*huma.Response {
	ok := &huma.Response{Description: "OK", Content: map[string]*huma.MediaType{}}
	for _, one := range types {
		ok.Content[one] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
		if one == "application/json" {
			ok.Content[one].Schema = &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
		}
	}
	return map[string]*huma.Response{"200": ok}
}

// optimizers are the handlers; own is set where groups' optimizers are hidden.
type optimizers struct {
	service *scaler.Service
	own     bool
}

// find is the optimizer, where the caller may use it: of a group whoever may use
// the application, of none who is not confined to some.
func (h optimizers) find(ctx context.Context, name string) (*scaler.Advisor, error) {
	app, _, _ := strings.Cut(name, ".")
	if who := access.Principal(ctx); who.Bounded() && (app == name || !who.Sees(app)) {
		return nil, huma.Error403Forbidden(who.Name + " may not use optimizer " + name)
	}
	all, err := h.service.Optimizers(ctx)
	if err != nil {
		return nil, err
	}
	a, err := all.Get(ctx, name)
	if err == nil && h.own && a.Owned() {
		return nil, fmt.Errorf("optimizer %s: %w", name, scaler.ErrNotFound)
	}
	return a, err
}

func (h optimizers) list(ctx context.Context, in *PageInput) (Page[scaler.AdvisorStatus], error) {
	all, err := h.service.Optimizers(ctx)
	if err != nil {
		return Page[scaler.AdvisorStatus]{}, err
	}
	var statuses []scaler.AdvisorStatus
	for _, a := range all.Advisors() {
		if !h.own || !a.Owned() {
			statuses = append(statuses, a.Status())
		}
	}
	name := func(s scaler.AdvisorStatus) string { return s.Name }
	slices.SortFunc(statuses, func(a, b scaler.AdvisorStatus) int { return cmp.Compare(a.Name, b.Name) })
	statuses = visible(ctx, statuses, func(s scaler.AdvisorStatus) string {
		app, _, _ := strings.Cut(s.Name, ".")
		return app
	})
	return paged(statuses, *in, name)
}

type configureInput struct {
	OptimizerPath
	Body OptimizerConfig
}

func (h optimizers) configure(ctx context.Context, in *configureInput) (OptimizerDetail, error) {
	if who := access.Principal(ctx); who.Bounded() {
		return OptimizerDetail{}, huma.Error403Forbidden(who.Name + " may not configure optimizers")
	}
	all, err := h.service.Optimizers(ctx)
	if err != nil {
		return OptimizerDetail{}, err
	}
	a, err := all.Configure(ctx, in.Name, in.Body.config())
	if err != nil {
		return OptimizerDetail{}, err
	}
	return detail(a), nil
}

func detail(a *scaler.Advisor) OptimizerDetail {
	return OptimizerDetail{a.Status(), configOf(a.Config())}
}

func (h optimizers) get(ctx context.Context, in *OptimizerPath) (OptimizerDetail, error) {
	a, err := h.find(ctx, in.Name)
	if err != nil {
		return OptimizerDetail{}, err
	}
	return detail(a), nil
}

func (h optimizers) remove(ctx context.Context, in *OptimizerPath) (scaler.AdvisorStatus, error) {
	a, err := h.find(ctx, in.Name)
	if err != nil {
		return scaler.AdvisorStatus{}, err
	}
	all, err := h.service.Optimizers(ctx)
	if err != nil {
		return scaler.AdvisorStatus{}, err
	}
	last := a.Status()
	return last, all.Delete(ctx, in.Name)
}

type learnInput struct {
	OptimizerPath
	Train  string `query:"train" enum:"background,wait" default:"background" doc:"wait: a training that a sample makes due is done, and in use, before the next sample."`
	Advice bool   `query:"advice" doc:"Answer the advice at the newest sample too."`
	Body   Samples
}

func (h optimizers) learn(ctx context.Context, in *learnInput) (Learned, error) {
	a, err := h.find(ctx, in.Name)
	if err != nil {
		return Learned{}, err
	}
	samples := make([]scaler.Sample, len(in.Body.Samples))
	for i, s := range in.Body.Samples {
		samples[i] = s.sample()
	}
	if err := a.Learn(ctx, samples, in.Train == "wait"); err != nil {
		return Learned{}, err
	}
	out := Learned{Learned: len(samples)}
	if in.Advice {
		advice, err := a.Advise(time.Time{})
		if err != nil {
			return Learned{}, err
		}
		out.Advice = &advice
	}
	status := a.Status()
	out.Samples, out.Training = status.Samples, !status.TrainingSince.IsZero()
	return out, nil
}

type adviseInput struct {
	OptimizerPath
	At string `query:"at" doc:"When, at or after the newest sample: seconds since 1970, or RFC 3339. Default: the newest sample's instant. Of a group it is always its last tick's advice."`
}

func (h optimizers) advise(ctx context.Context, in *adviseInput) (optimizer.Advice, error) {
	a, err := h.find(ctx, in.Name)
	if err != nil {
		return optimizer.Advice{}, err
	}
	var at time.Time
	if in.At != "" {
		if at, err = parseInstant(in.At); err != nil {
			return optimizer.Advice{}, huma.Error422UnprocessableEntity("at: " + err.Error())
		}
	}
	return a.Advise(at)
}

func parseInstant(text string) (time.Time, error) {
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		return instant(seconds)
	}
	return time.Parse(time.RFC3339Nano, text)
}

type importInput struct {
	OptimizerPath
	Format  string `query:"format" enum:"csv,json" default:"csv" doc:"Of the body: csv as MiCADO's Optimizer writes it, or json as exported."`
	RawBody []byte `contentType:"application/octet-stream"`
}

func (h optimizers) imports(ctx context.Context, in *importInput) (optimizer.Imported, error) {
	a, err := h.find(ctx, in.Name)
	if err != nil {
		return optimizer.Imported{}, err
	}
	done, err := a.Import(ctx, bytes.NewReader(in.RawBody), in.Format)
	if done.Reasons == nil {
		done.Reasons = []string{}
	}
	return done, err
}

type exportInput struct {
	OptimizerPath
	Format string `query:"format" enum:"csv,json" default:"csv" doc:"csv has the columns of MiCADO's Optimizer; json keeps everything."`
}

func (h optimizers) exports(ctx context.Context, in *exportInput) (*File, error) {
	a, err := h.find(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	var file bytes.Buffer
	kind := map[string]string{"csv": "text/csv; charset=utf-8", "json": "application/json"}[in.Format]
	err = a.Export(&file, in.Format)
	return &File{kind, file.Bytes()}, err
}

func (h optimizers) forget(ctx context.Context, in *OptimizerPath) (scaler.AdvisorStatus, error) {
	a, err := h.find(ctx, in.Name)
	if err != nil {
		return scaler.AdvisorStatus{}, err
	}
	if err := a.Forget(ctx); err != nil {
		return scaler.AdvisorStatus{}, err
	}
	return a.Status(), nil
}

type reportInput struct {
	OptimizerPath
	Format string `query:"format" enum:"html,png,svg,json" default:"html" doc:"html: one page that works without a network. png, svg: the most important charts. json: the page's data."`
}

func (h optimizers) report(ctx context.Context, in *reportInput) (*File, error) {
	a, err := h.find(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	var file bytes.Buffer
	kind, err := report.Write(&file, a, in.Format)
	return &File{kind, file.Bytes()}, err
}

// settingProblems are the mistakes of a configuration, as huma shows them.
func settingProblems(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, one := range joined.Unwrap() {
			all = append(all, settingProblems(one)...)
		}
		return all
	}
	if m := (*optimizer.Mistake)(nil); errors.As(err, &m) {
		return []error{&huma.ErrorDetail{Message: fmt.Sprintf("is %v: %s", m.Value, m.Remedy), Location: "body." + m.Field}}
	}
	return nil
}

// nameProblems are the wrong names of a sample.
func nameProblems(e *optimizer.NamesError) []error {
	var all []error
	for _, name := range e.Missing {
		all = append(all, &huma.ErrorDetail{Message: "is missing: send null where there is no value", Location: "values." + name})
	}
	for _, name := range e.Unknown {
		all = append(all, &huma.ErrorDetail{Message: "is no metric of the optimizer", Location: "values." + name})
	}
	return all
}
