package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/sse"

	"github.com/scalerd/scalerd/scaler/access"
	"github.com/scalerd/scalerd/scaler/operation"
)

// operations are the handlers for what takes its time.
type operations struct{ registry *operation.Registry }

func registerOperations(api huma.API, h operations) {
	tag := tagged("operations")
	register(api, endpoint(access.Viewer, http.MethodGet, "/v1/operations", "list-operations", "What was asked for since the start, the newest first.", tag), h.list)
	register(api, endpoint(access.Viewer, http.MethodGet, "/v1/operations/{id}", "get-operation", "How far an operation is.", tag), h.get)
	events := endpoint(access.Viewer, http.MethodGet, "/v1/operations/{id}/events", "watch-operation",
		"The progress of an operation as server-sent events: progress for each of Terraform's lines, and operation at the begin and at the end, which ends the stream.", tag)
	events.Middlewares = huma.Middlewares{func(ctx huma.Context, next func(huma.Context)) {
		// An error has to be told before the stream begins.
		if _, err := h.get(ctx.Context(), &operationInput{ctx.Param("id")}); err != nil {
			_ = huma.WriteErr(api, ctx, problem(err).(huma.StatusError).GetStatus(), err.Error())
			return
		}
		next(ctx)
	}}
	sse.Register(api, events, map[string]any{"progress": operation.Event{}, "operation": operation.Operation{}, "error": StreamError{}}, h.watch)
}

type operationsInput struct {
	PageInput
	Application string           `query:"application" doc:"Only about this application."`
	Status      operation.Status `query:"status" enum:"running,succeeded,failed,superseded" doc:"Only those that are."`
}

func (h operations) list(ctx context.Context, in *operationsInput) (Page[operation.Operation], error) {
	before, err := in.before(0)
	if err != nil {
		return Page[operation.Operation]{}, err
	}
	who := access.Principal(ctx)
	found, next := h.registry.Before(before, in.Limit, func(op operation.Operation) bool {
		return who.Sees(op.Application) && (in.Application == "" || in.Application == op.Application) && (in.Status == "" || in.Status == op.Status)
	})
	page := Page[operation.Operation]{Items: found}
	if next > 0 {
		page.NextPageToken = token(strconv.FormatInt(next, 10))
	}
	return page, nil
}

type operationInput struct {
	ID string `path:"id"`
}

func (h operations) get(ctx context.Context, in *operationInput) (operation.Operation, error) {
	op, err := h.registry.Get(in.ID)
	if err != nil {
		return op, err
	}
	return op, mayUse(ctx, op.Application)
}

type watchInput struct {
	ID          string `path:"id"`
	LastEventID int    `header:"Last-Event-ID" minimum:"0" doc:"Number of the last progress that was received: go on after it."`
}

// StreamError ends a stream of events before its time.
type StreamError struct {
	Detail string `json:"detail"`
}

func (h operations) watch(ctx context.Context, in *watchInput, send sse.Sender) {
	op, err := h.get(ctx, &operationInput{in.ID})
	if err == nil {
		first := true
		err = h.registry.Watch(ctx, op.ID, in.LastEventID, func(events []operation.Event, op operation.Operation) error {
			var errs []error
			if first && op.Status == operation.Running {
				errs = append(errs, send.Data(op))
			}
			first = false
			for _, e := range events {
				errs = append(errs, send(sse.Message{ID: e.Number, Data: e}))
			}
			if op.Status != operation.Running {
				errs = append(errs, send.Data(op))
			}
			return errors.Join(errs...)
		})
	}
	if err != nil && ctx.Err() == nil {
		_ = send.Data(StreamError{err.Error()}) // to who is gone, nothing can be sent
	}
}
