package api

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/scalerd/scalerd/optimizer"
)

// GroupOptimizer is the name of a group's optimizer.
func GroupOptimizer(app, group string) string { return app + "." + group }

// Optimizer is what an optimizer knows and does.
func (c *Client) Optimizer(ctx context.Context, name string) (OptimizerDetail, error) {
	return call[OptimizerDetail](ctx, c, http.MethodGet, nil, nil, "v1", "optimizers", name)
}

// Advice is an optimizer's advice: of a group what its last tick was advised.
func (c *Client) Advice(ctx context.Context, name string) (optimizer.Advice, error) {
	return call[optimizer.Advice](ctx, c, http.MethodGet, nil, nil, "v1", "optimizers", name, "advice")
}

// ImportKnowledge adds the samples of a file, csv or json, to an optimizer.
func (c *Client) ImportKnowledge(ctx context.Context, name, format string, file io.Reader) (optimizer.Imported, error) {
	query := url.Values{"format": {format}}
	return send[optimizer.Imported](ctx, c, http.MethodPost, query, "application/octet-stream", file, "v1", "optimizers", name, "knowledge")
}

// ExportKnowledge writes the samples that an optimizer keeps, as csv or json.
func (c *Client) ExportKnowledge(ctx context.Context, name, format string, w io.Writer) error {
	return c.download(ctx, w, url.Values{"format": {format}}, "v1", "optimizers", name, "knowledge")
}

// Report writes the report of an optimizer, as html, png, svg or json.
func (c *Client) Report(ctx context.Context, name, format string, w io.Writer) error {
	return c.download(ctx, w, url.Values{"format": {format}}, "v1", "optimizers", name, "report")
}

func (c *Client) download(ctx context.Context, w io.Writer, query url.Values, path ...string) error {
	res, err := c.do(ctx, http.MethodGet, query, "", nil, path...)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err := io.Copy(w, res.Body); err != nil {
		return fmt.Errorf("read answer of scalerd: %w", err)
	}
	return nil
}
