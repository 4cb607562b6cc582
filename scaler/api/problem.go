package api

import (
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/scalerd/scalerd/optimizer"
	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/access"
	"github.com/scalerd/scalerd/scaler/secrets"
	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

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
	case errors.As(err, new(*scaler.PlanRefusedError)), errors.As(err, new(*scaler.VetoError)):
		return huma.NewError(http.StatusConflict, err.Error())
	case errors.As(err, new(scaler.Diagnostics)):
		return huma.NewError(http.StatusBadGateway, err.Error())
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

// ErrDenied is returned by the client where its user or token may not do what it
// asked for, ErrUnknownUser where the daemon does not know who it is.
var (
	ErrDenied      = errors.New("denied")
	ErrUnknownUser = errors.New("unknown user")
)

// statuses is the table of errors that a client can tell apart, in both
// directions.
var statuses = []struct {
	err    error
	status int
}{
	{scaler.ErrNotFound, http.StatusNotFound},
	{access.ErrUnknown, http.StatusNotFound},
	{scaler.ErrRefused, http.StatusConflict},
	{scaler.ErrChanged, http.StatusPreconditionFailed},
	{scaler.ErrKnowledge, http.StatusBadRequest},
	{access.ErrLastAdmin, http.StatusConflict},
	{access.ErrInvalid, http.StatusUnprocessableEntity},
	{secrets.ErrUnknown, http.StatusNotFound},
	{secrets.ErrInvalid, http.StatusUnprocessableEntity},
	{secrets.ErrRefused, http.StatusConflict},
	{secrets.ErrUnavailable, http.StatusServiceUnavailable},
	{ErrDenied, http.StatusForbidden},
	{ErrUnknownUser, http.StatusUnauthorized},
}
