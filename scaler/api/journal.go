package api

import (
	"context"
	"net/url"

	"github.com/scalerd/scalerd/scaler"
)

// Journal are at most limit of the newest steps, the newest first; an empty group
// stands for all.
func (c *Client) Journal(ctx context.Context, name, group string, limit int) ([]scaler.StepRecord, error) {
	return pages[scaler.StepRecord](ctx, c, url.Values{"group": {group}}, limit, "v1", "applications", name, "journal")
}
