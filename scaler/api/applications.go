package api

import (
	"context"
	"net/http"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/access"
	"github.com/scalerd/scalerd/scaler/audit"
	"github.com/scalerd/scalerd/scaler/operation"
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

// ApplicationPath is the part of a path that names an application. It is exported
// because huma looks into exported embedded structs only.
type ApplicationPath struct {
	Application string `path:"application"`
}

// applications are the handlers for applications.
type applications struct {
	service    *scaler.Service
	operations *operation.Registry
	// whole are pages of states, brief those without what is long.
	whole, brief *statusPages
}

func registerApplications(api huma.API, h applications) {
	const root, one = "/v1/applications", "/v1/applications/{application}"
	tag := tagged("applications")
	serve(api, endpoint(access.Viewer, http.MethodGet, root, "list-applications", "All applications and what they do now, by name.", tag, describesStatuses(api)), h.list)
	api.OpenAPI().Paths[root].Get.Responses["304"] = &huma.Response{Description: "The answer is the one that the client has."}
	serve(api, endpoint(access.Operator, http.MethodPost, root, "submit-application", "Start an application, or update the one of the same name.", tag, accepted), h.submit)
	register(api, endpoint(access.Viewer, http.MethodPost, "/v1/validate", "validate-application", "Check a description, without running anything.", tag, reads), h.validate)
	register(api, endpoint(access.Operator, http.MethodPost, "/v1/plan", "plan-application", "What submitting a description would do now, as Terraform plans it.", tag, reads), h.plan)
	serve(api, endpoint(access.Viewer, http.MethodGet, one, "get-application", "What an application does now. Its ETag names the version of its description, not of the answer.", tag), h.get)
	serve(api, endpoint(access.Operator, http.MethodPut, one, "put-application", "Start or update the application of this name.", tag, accepted), h.put)
	serve(api, endpoint(access.Operator, http.MethodDelete, one, "destroy-application", "Destroy an application with all its nodes.", tag, accepted), h.destroy)
	serve(api, endpoint(access.Operator, http.MethodGet, one+"/description", "get-description", "The description as it was submitted.", tag), h.description)
	register(api, endpoint(access.Operator, http.MethodPost, one+"/pause", "pause-application", "Stop decisions of all groups; the nodes stay.", tag), h.pause)
	register(api, endpoint(access.Operator, http.MethodPost, one+"/resume", "resume-application", "Decide again.", tag), h.resume)
	register(api, endpoint(access.Operator, http.MethodPost, "/v1/alerts", "receive-alerts", "Take an Alertmanager's notification (its webhook_configs).", tag), alertHandlers{h.service}.take)
}

type applicationsInput struct {
	PageInput
	ReadInput
	Brief bool `query:"brief" doc:"Leave out what is long: proposals, readings, advice, drift and shadow policies."`
}

func (h applications) list(ctx context.Context, in *applicationsInput) (*statusAnswer, error) {
	statuses := h.service.Applications()
	all := make([]string, len(statuses))
	for i, a := range statuses {
		all[i] = a.Name
	}
	name := func(name string) string { return name }
	page, err := paged(visible(ctx, all, name), in.PageInput, name)
	if err != nil {
		return nil, err
	}
	pages := h.whole
	if in.Brief {
		pages = h.brief
	}
	encoded, err := pages.page(ctx, h.service, page, all)
	if err != nil {
		return nil, err
	}
	return encoded.answer(in.ReadInput), nil
}

// started is the answer to what takes its time.
type started struct {
	Location string `header:"Location" doc:"Where the operation is."`
	Body     operation.Operation
}

func begun(op operation.Operation, err error) (*started, error) {
	return &started{"/v1/operations/" + op.ID, op}, err
}

type submitInput struct {
	ConditionInput
	Body Description
}

func (h applications) submit(ctx context.Context, in *submitInput) (*started, error) {
	source := in.Body.source()
	if err := h.mayDescribe(ctx, source); err != nil {
		return nil, err
	}
	op, err := h.operations.Submit(ctx, access.Principal(ctx).Name, source, in.condition)
	if err == nil {
		audit.On(ctx, op.Application)
	}
	return begun(op, err)
}

// mayDescribe refuses a caller who is confined to other applications, or who is
// elsewhere and names files of this machine.
func (h applications) mayDescribe(ctx context.Context, source scaler.Source) error {
	return mayDescribe(ctx, h.service, source)
}

func mayDescribe(ctx context.Context, service *scaler.Service, source scaler.Source) error {
	who := access.Principal(ctx)
	if !who.Local() {
		if err := scaler.Confine(source); err != nil {
			return err
		}
	}
	if !who.Bounded() {
		return nil
	}
	described, err := service.Validate(source)
	if err != nil {
		return err
	}
	return mayUse(ctx, described.Name)
}

type putInput struct {
	ApplicationPath
	ConditionInput
	Body Description
}

func (h applications) put(ctx context.Context, in *putInput) (*started, error) {
	source := in.Body.source()
	if source.Name == "" {
		source.Name = in.Application // the name of a TOSCA template
	}
	if err := h.mayDescribe(ctx, source); err != nil {
		return nil, err
	}
	described, err := h.service.Validate(source)
	if err != nil {
		return nil, err
	}
	if described.Name != in.Application {
		return nil, strictyaml.Mistakes{{File: source.File, Line: 1, Column: 1, Path: "name",
			What: "is " + described.Name + ", and the request is for " + in.Application, Fix: "use the same name"}}
	}
	return begun(h.operations.Submit(ctx, access.Principal(ctx).Name, source, in.condition))
}

// Validated is what a valid description says.
type Validated struct {
	Application string   `json:"application"`
	Groups      []string `json:"groups"`
	// Warnings are what is valid and probably not meant.
	Warnings []string `json:"warnings"`
}

func (h applications) validate(ctx context.Context, in *body[Description]) (Validated, error) {
	if !access.Principal(ctx).Local() {
		if err := scaler.Confine(in.Body.source()); err != nil {
			return Validated{}, err
		}
	}
	described, err := h.service.Validate(in.Body.source())
	if err != nil {
		return Validated{}, err
	}
	v := Validated{Application: described.Name, Groups: []string{}, Warnings: append(append([]string{}, scaler.Notes(described)...), scaler.LeakNotes(in.Body.source())...)}
	for _, g := range described.Groups {
		v.Groups = append(v.Groups, g.Name)
	}
	return v, nil
}

func (h applications) plan(ctx context.Context, in *body[Description]) (scaler.ApplicationPlan, error) {
	source := in.Body.source()
	if err := h.mayDescribe(ctx, source); err != nil {
		return scaler.ApplicationPlan{}, err
	}
	return h.service.Plan(ctx, source)
}

// versioned is a response with an application's version.
type versioned[T any] struct {
	ETag string `header:"ETag" doc:"Version of the application, for If-Match."`
	// CacheControl keeps caches from taking the version for the answer's.
	CacheControl string `header:"Cache-Control"`
	Body         T
}

func (h applications) get(ctx context.Context, in *ApplicationPath) (*versioned[scaler.ApplicationStatus], error) {
	stored, status, err := h.service.Stored(ctx, in.Application)
	return &versioned[scaler.ApplicationStatus]{etag(stored), "no-store", status}, err
}

func (h applications) description(ctx context.Context, in *ApplicationPath) (*versioned[Description], error) {
	stored, _, err := h.service.Stored(ctx, in.Application)
	d := Describe(scaler.Source{File: stored.File, Text: stored.Text, Params: stored.Params, Name: stored.Name})
	return &versioned[Description]{etag(stored), "no-store", d}, err
}

type destroyInput struct {
	ApplicationPath
	ConditionInput
}

func (h applications) destroy(ctx context.Context, in *destroyInput) (*started, error) {
	return begun(h.operations.Destroy(ctx, access.Principal(ctx).Name, in.Application, in.condition))
}

func (h applications) pause(ctx context.Context, in *ApplicationPath) (scaler.ApplicationStatus, error) {
	return pause(ctx, h.service, in.Application, "", true)
}

func (h applications) resume(ctx context.Context, in *ApplicationPath) (scaler.ApplicationStatus, error) {
	return pause(ctx, h.service, in.Application, "", false)
}

func pause(ctx context.Context, service *scaler.Service, app, group string, paused bool) (scaler.ApplicationStatus, error) {
	if err := service.Pause(ctx, app, group, paused); err != nil {
		return scaler.ApplicationStatus{}, err
	}
	return service.Application(ctx, app)
}
