// Package submitter speaks the REST interface v2.0 of MiCADO's Submitter, so that
// micado-client and the scripts written for it drive scalerd. Under /v2.0 and
// /toscasubmitter/v2.0, with or without the slash at the end:
//
//	GET    /applications/       {message, applications: [id]}
//	POST   /applications/[ID/]  deploys: {message, id}
//	GET    /applications/ID/    {message, adaptors: {name: status}}
//	PUT    /applications/ID/    updates
//	DELETE /applications/ID/    deletes
//
// A body is JSON {adt, params, dryrun} or a form, also of several parts, with the
// fields adt, params (JSON text) and dryrun. As there, a request lasts as long as
// Terraform needs. What the original does by mistake is left out: mistakes of a
// template are a 422 with their places, and not a 500; an ID that is taken is a 409;
// there may be any number of applications; and dryrun stays a dry run, which checks
// and keeps nothing. Nothing is fetched for a client: a url without an adt is
// refused. An ID is the application's name in small letters.
package submitter

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/access"
	"github.com/scalerd/scalerd/scaler/operation"
	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// Handler serves the interface. Who makes a request is in its context, see
// access.With.
func Handler(service *scaler.Service, operations *operation.Registry) http.Handler {
	h := handler{service, operations}
	mux := http.NewServeMux()
	routes := []struct {
		method string
		path   string
		role   access.Role
		handle func(*http.Request, string) (answer, error)
	}{
		{"GET", "", access.Viewer, h.list},
		{"POST", "", access.Operator, h.create},
		{"GET", "/{id}", access.Viewer, h.get},
		{"POST", "/{id}", access.Operator, h.create},
		{"PUT", "/{id}", access.Operator, h.update},
		{"DELETE", "/{id}", access.Operator, h.remove},
	}
	for _, base := range []string{"/v2.0/applications", "/toscasubmitter/v2.0/applications"} {
		for _, r := range routes {
			serve := access.Require(r.role, respond(r.handle))
			mux.Handle(r.method+" "+base+r.path, serve)
			mux.Handle(r.method+" "+base+r.path+"/{$}", serve)
		}
	}
	return mux
}

type handler struct {
	service    *scaler.Service
	operations *operation.Registry
}

// answer is the body of every answer, with what each kind of request has.
type answer struct {
	Message      string            `json:"message"`
	ID           string            `json:"id,omitempty"`
	Applications *[]string         `json:"applications,omitempty"`
	Adaptors     map[string]string `json:"adaptors,omitempty"`
	// Mistakes are those of a template.
	Mistakes []string `json:"mistakes,omitempty"`
}

// refusal is an error with its status.
type refusal struct {
	status  int
	message string
}

func (r *refusal) Error() string { return r.message }

func respond(handle func(*http.Request, string) (answer, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		status, id := http.StatusOK, r.PathValue("id")
		a, err := answer{}, error(nil)
		if who := access.Principal(r.Context()); id != "" && !who.Sees(strings.ToLower(id)) {
			err = &refusal{http.StatusForbidden, who.Name + " may not use application " + id}
		} else {
			a, err = handle(r, id)
		}
		if err != nil {
			status, a = refuse(err)
		}
		if r.MultipartForm != nil {
			_ = r.MultipartForm.RemoveAll() // what is left of it is in the folder for temporary files
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(a) // a client that is gone is no failure
	})
}

func refuse(err error) (int, answer) {
	var known *refusal
	var mistakes strictyaml.Mistakes
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &mistakes):
		a := answer{Message: "Error while validating: " + err.Error()}
		for _, m := range mistakes {
			a.Mistakes = append(a.Mistakes, m.String())
		}
		return http.StatusUnprocessableEntity, a
	case errors.As(err, &known):
		return known.status, answer{Message: known.message}
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge, answer{Message: fmt.Sprintf("the body is larger than %d bytes", tooLarge.Limit)}
	case errors.Is(err, scaler.ErrNotFound):
		return http.StatusNotFound, answer{Message: err.Error()}
	case errors.Is(err, scaler.ErrRefused), errors.Is(err, scaler.ErrChanged):
		return http.StatusConflict, answer{Message: err.Error()}
	}
	return http.StatusInternalServerError, answer{Message: err.Error()}
}

func (h handler) list(r *http.Request, _ string) (answer, error) {
	ids, who := []string{}, access.Principal(r.Context())
	for _, a := range h.service.Applications() {
		if who.Sees(a.Name) {
			ids = append(ids, a.Name)
		}
	}
	return answer{Message: "MiCADO Applications", Applications: &ids}, nil
}

func (h handler) get(r *http.Request, id string) (answer, error) {
	status, err := h.service.Application(r.Context(), strings.ToLower(id))
	if err != nil {
		return answer{}, err
	}
	terraform, decisions := "executed", "executed"
	switch {
	case status.Destroying:
		terraform = "undeploying"
	case status.Degraded():
		terraform = "failed, is tried again: " + problem(status)
	case !status.Settled:
		terraform = "executing"
	}
	if status.Paused {
		decisions = "paused"
	}
	return answer{Message: "Application " + id, ID: id,
		Adaptors: map[string]string{"TerraformAdaptor": terraform, "PkAdaptor": decisions, "KubernetesAdaptor": "Skipped"}}, nil
}

func problem(status scaler.ApplicationStatus) string {
	for _, g := range status.Groups {
		if g.Problem != "" {
			return g.Problem
		}
	}
	return status.Problem
}

// create deploys an application that is not there yet.
func (h handler) create(r *http.Request, id string) (answer, error) {
	in, err := read(r)
	if err != nil {
		return answer{}, err
	}
	if id == "" {
		id = "A" + rand.Text()[:7] // a name begins with a letter
	}
	absent := func(stored scaler.StoredApplication, exists bool) error {
		if exists {
			return &refusal{http.StatusConflict, "Application " + id + " exists already: PUT updates it"}
		}
		return nil
	}
	return h.submit(r.Context(), id, in, absent, "deployed")
}

func (h handler) update(r *http.Request, id string) (answer, error) {
	if _, err := h.service.Application(r.Context(), strings.ToLower(id)); err != nil {
		return answer{}, err
	}
	in, err := read(r)
	if err != nil {
		return answer{}, err
	}
	present := func(stored scaler.StoredApplication, exists bool) error {
		if !exists {
			return fmt.Errorf("application %s: %w", id, scaler.ErrNotFound)
		}
		return nil
	}
	return h.submit(r.Context(), id, in, present, "updated")
}

func (h handler) submit(ctx context.Context, id string, in request, condition scaler.Condition, done string) (answer, error) {
	name, who := strings.ToLower(id), access.Principal(ctx)
	if !who.Sees(name) {
		return answer{}, &refusal{http.StatusForbidden, who.Name + " may not use application " + id}
	}
	source := scaler.Source{File: "adt.yaml", Text: in.adt, Params: in.params, Name: name}
	if !who.Local() {
		if err := scaler.Confine(source); err != nil {
			return answer{}, err
		}
	}
	described, err := h.service.Validate(source)
	if err != nil {
		return answer{}, err
	}
	if described.Name != name {
		return answer{}, &refusal{http.StatusUnprocessableEntity, fmt.Sprintf("the description's name is %s, and the request is for %s: use the same", described.Name, name)}
	}
	if in.dryrun {
		return answer{Message: "Application " + id + " is valid; this was a dry run, so nothing was " + done, ID: id}, nil
	}
	op, err := h.operations.Submit(ctx, who.Name, source, condition)
	if err != nil {
		return answer{}, err
	}
	return h.wait(ctx, op, id, done)
}

func (h handler) remove(r *http.Request, id string) (answer, error) {
	// The original's force goes on after errors of one of several orchestrators; there
	// is one here, which always goes on.
	anyVersion := func(scaler.StoredApplication, bool) error { return nil }
	op, err := h.operations.Destroy(r.Context(), access.Principal(r.Context()).Name, strings.ToLower(id), anyVersion)
	if err != nil {
		return answer{}, err
	}
	return h.wait(r.Context(), op, id, "deleted")
}

// wait lasts as long as the operation.
func (h handler) wait(ctx context.Context, op operation.Operation, id, done string) (answer, error) {
	op, err := h.operations.Wait(ctx, op.ID)
	switch {
	case err != nil:
		return answer{}, &refusal{http.StatusServiceUnavailable, fmt.Sprintf("Application %s is not %s yet: %v", id, done, err)}
	case op.Status == operation.Superseded:
		return answer{}, &refusal{http.StatusConflict, fmt.Sprintf("Application %s was not %s: %s", id, done, op.Error)}
	case op.Status == operation.Failed:
		return answer{}, &refusal{http.StatusInternalServerError, fmt.Sprintf("Application %s is not %s, which is tried again: %s", id, done, op.Error)}
	}
	return answer{Message: fmt.Sprintf("Application %s successfully %s", id, done), ID: id}, nil
}
