// Package api is scalerd's HTTP API and the Go client that scalerctl uses.
//
// The API is described by the OpenAPI document that it serves itself, under
// /openapi.json. Errors are RFC 9457 problem documents; those about a description
// carry its mistakes with file, line and column.
package api

import (
	"context"
	"errors"
	"net/http"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/scalerd/scalerd/optimizer"
	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// Description is a description as it is submitted.
type Description struct {
	// File is the name to use in messages about the text.
	File string `json:"file" doc:"Name of the file, for messages."`
	Text string `json:"text,omitempty" doc:"The description: YAML, in scalerd's own form or a TOSCA template."`
	// Archive is a TOSCA archive (CSAR), in place of Text.
	Archive []byte `json:"archive,omitempty" doc:"A TOSCA archive (CSAR), in place of text."`
	// Params are the values of a TOSCA template's inputs.
	Params map[string]any `json:"params,omitempty" doc:"Values of a TOSCA template's inputs."`
	// Name is the application's name in place of a TOSCA template's own.
	Name string `json:"name,omitempty" doc:"Name of the application, in place of the TOSCA template's own."`
}

// Describe makes a Description of a source.
func Describe(source scaler.Source) Description {
	d := Description{File: source.File, Params: source.Params, Name: source.Name}
	if utf8.Valid(source.Text) {
		d.Text = string(source.Text)
	} else {
		d.Archive = source.Text
	}
	return d
}

func (d Description) source() scaler.Source {
	s := scaler.Source{File: d.File, Text: []byte(d.Text), Params: d.Params, Name: d.Name}
	if len(d.Archive) > 0 {
		s.Text = d.Archive
	}
	return s
}

// Submitted is the answer to a submission.
type Submitted struct {
	Application string `json:"application"`
}

// Explanation is a decision and what was done about it.
type Explanation struct {
	Decision scaler.Decision `json:"decision"`
	// Steps are those that carried it out, oldest first.
	Steps []scaler.StepRecord `json:"steps"`
	// Plan are the changes of node sets, by shard.
	Plan []string `json:"plan,omitempty"`
	// Result says how far it is carried out: nothing to do, under way, done, or the
	// failures that were not mended.
	Result string `json:"result,omitempty"`
}

// Handler serves the API of the service. Version is the daemon's own.
func Handler(service *scaler.Service, version string) http.Handler {
	mux := http.NewServeMux()
	api := newAPI(mux, version)
	h := handlers{service}
	register(api, http.MethodGet, "/v1/applications", "list-applications", "All applications and what they do now.", h.list)
	register(api, http.MethodPost, "/v1/applications", "submit-application", "Start an application, or update the one of the same name.", h.submit)
	register(api, http.MethodPost, "/v1/plan", "plan-application", "What submitting a description would do now.", h.plan)
	register(api, http.MethodGet, "/v1/applications/{application}", "get-application", "What an application does now.", h.get)
	register(api, http.MethodDelete, "/v1/applications/{application}", "destroy-application", "Begin to destroy an application.", h.destroy)
	register(api, http.MethodGet, "/v1/applications/{application}/nodes", "list-nodes", "The nodes of an application.", h.nodes)
	register(api, http.MethodGet, "/v1/applications/{application}/orphans", "list-orphans", "What the clouds have of an application and no state tells of.", h.orphans)
	register(api, http.MethodPost, "/v1/applications/{application}/drop", "drop-node", "Destroy one chosen node.", h.drop)
	register(api, http.MethodGet, "/v1/applications/{application}/decisions", "list-decisions", "The newest decisions.", h.decisions)
	register(api, http.MethodGet, "/v1/applications/{application}/journal", "list-steps", "The newest steps, how far each is, and what terraform did.", h.journal)
	register(api, http.MethodPost, "/v1/applications/{application}/groups/{group}/scale", "scale-group", "Set the size of a group once.", h.scale)
	register(api, http.MethodPost, "/v1/applications/{application}/pause", "pause", "Stop or resume decisions.", h.pause)
	register(api, http.MethodPost, "/v1/applications/{application}/groups/{group}/what-if", "what-if", "What the last tick would have decided on other values; nothing is done.", h.whatIf)
	register(api, http.MethodGet, "/v1/applications/{application}/comparisons", "compare-shadows", "What the shadow policies came to beside those in charge, by group.", h.compare)
	register(api, http.MethodPost, "/v1/alerts", "receive-alerts", "Take an Alertmanager's notification (its webhook_configs).", h.alerts)
	register(api, http.MethodGet, "/v1/decisions/{id}", "get-decision", "A decision, its reasons and what was done about it.", h.explain)
	registerOptimizers(api, optimizers{service: service})
	return mux
}

type handlers struct{ service *scaler.Service }

// body is a response with a JSON body.
type body[T any] struct{ Body T }

// ApplicationPath is the part of a path that names an application. It is exported
// because huma looks into exported embedded structs only.
type ApplicationPath struct {
	Application string `path:"application"`
}

// register adds an operation whose errors become problem documents.
func register[I, O any](api huma.API, method, path, id, summary string, handle func(context.Context, *I) (O, error), more ...func(*huma.Operation)) {
	o := huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, MaxBodyBytes: 8 << 20}
	for _, change := range more {
		change(&o)
	}
	huma.Register(api, o, func(ctx context.Context, in *I) (*body[O], error) {
		out, err := handle(ctx, in)
		if err != nil {
			return nil, problem(err)
		}
		return &body[O]{out}, nil
	})
}

// problem maps an error to its HTTP status; the client maps it back.
func problem(err error) error {
	var mistakes strictyaml.Mistakes
	if errors.As(err, &mistakes) {
		details := make([]error, len(mistakes))
		for i, m := range mistakes {
			details[i] = &huma.ErrorDetail{Message: m.String(), Location: m.Path, Value: m}
		}
		return huma.NewError(http.StatusUnprocessableEntity, "the description is not valid", details...)
	}
	if details := settingProblems(err); len(details) > 0 {
		return huma.NewError(http.StatusUnprocessableEntity, "the optimizer can't be configured like this", details...)
	}
	if names := (*optimizer.NamesError)(nil); errors.As(err, &names) {
		return huma.NewError(http.StatusBadRequest, err.Error(), nameProblems(names)...)
	}
	switch {
	case errors.Is(err, optimizer.ErrDuplicate), errors.Is(err, optimizer.ErrClockBack):
		return huma.NewError(http.StatusConflict, err.Error())
	case errors.Is(err, optimizer.ErrNodes):
		return huma.NewError(http.StatusBadRequest, err.Error())
	}
	if status := huma.StatusError(nil); errors.As(err, &status) {
		return status
	}
	for _, known := range statuses {
		if errors.Is(err, known.err) {
			return huma.NewError(known.status, err.Error())
		}
	}
	return huma.NewError(http.StatusInternalServerError, err.Error())
}

// statuses is the table of errors that a client can tell apart, in both
// directions.
var statuses = []struct {
	err    error
	status int
}{
	{scaler.ErrNotFound, http.StatusNotFound},
	{scaler.ErrRefused, http.StatusConflict},
	{scaler.ErrKnowledge, http.StatusBadRequest},
}

func (h handlers) list(context.Context, *struct{}) ([]scaler.ApplicationStatus, error) {
	return h.service.Applications(), nil
}

func (h handlers) submit(ctx context.Context, in *body[Description]) (Submitted, error) {
	name, err := h.service.Submit(ctx, in.Body.source())
	return Submitted{name}, err
}

func (h handlers) plan(ctx context.Context, in *body[Description]) (scaler.ApplicationPlan, error) {
	return h.service.Plan(ctx, in.Body.source())
}

func (h handlers) get(ctx context.Context, in *ApplicationPath) (scaler.ApplicationStatus, error) {
	return h.service.Application(ctx, in.Application)
}

func (h handlers) destroy(ctx context.Context, in *ApplicationPath) (Submitted, error) {
	return Submitted(*in), h.service.Destroy(ctx, in.Application)
}

func (h handlers) nodes(ctx context.Context, in *ApplicationPath) ([]scaler.NodeStatus, error) {
	return h.service.Nodes(ctx, in.Application)
}

type orphansInput struct {
	ApplicationPath
	Group string `query:"group" doc:"One group; without it all."`
}

func (h handlers) orphans(ctx context.Context, in *orphansInput) ([]scaler.GroupOrphans, error) {
	return h.service.Orphans(ctx, in.Application, in.Group)
}

type dropInput struct {
	ApplicationPath
	Node    string `query:"node" required:"true" minLength:"1" doc:"Name, identifier or address; an Azure identifier has slashes, so it is no part of the path."`
	Replace bool   `query:"replace" doc:"Create another node in its place."`
}

func (h handlers) drop(ctx context.Context, in *dropInput) (scaler.Decision, error) {
	return h.service.Drop(ctx, in.Application, in.Node, in.Replace)
}

type decisionsInput struct {
	ApplicationPath
	Group string `query:"group"`
	Limit int    `query:"limit" default:"50" minimum:"1" maximum:"1000"`
}

func (h handlers) decisions(ctx context.Context, in *decisionsInput) ([]scaler.Decision, error) {
	return h.service.Decisions(ctx, in.Application, in.Group, in.Limit)
}

type scaleInput struct {
	ApplicationPath
	Group string `path:"group"`
	Nodes int    `query:"nodes" required:"true" minimum:"0"`
}

func (h handlers) scale(ctx context.Context, in *scaleInput) (scaler.Decision, error) {
	return h.service.Scale(ctx, in.Application, in.Group, in.Nodes)
}

type pauseInput struct {
	ApplicationPath
	Group  string `query:"group" doc:"One group; without it the whole application."`
	Paused bool   `query:"paused" default:"true"`
}

func (h handlers) pause(ctx context.Context, in *pauseInput) (scaler.ApplicationStatus, error) {
	if err := h.service.Pause(ctx, in.Application, in.Group, in.Paused); err != nil {
		return scaler.ApplicationStatus{}, err
	}
	return h.service.Application(ctx, in.Application)
}
