package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/scalerd/scalerd/scaler"
)

func (h handlers) journal(ctx context.Context, in *decisionsInput) ([]scaler.StepRecord, error) {
	return h.service.Steps(ctx, in.Application, in.Group, in.Limit)
}

// Journal lists the newest steps first; an empty group stands for all.
func (c *Client) Journal(ctx context.Context, name, group string, limit int) ([]scaler.StepRecord, error) {
	query := url.Values{"group": {group}, "limit": {strconv.Itoa(limit)}}
	return call[[]scaler.StepRecord](ctx, c, http.MethodGet, query, nil, "v1", "applications", name, "journal")
}
