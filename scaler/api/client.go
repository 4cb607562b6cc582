package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"syscall"
	"time"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/operation"
	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// ErrNoDaemon is returned where no scalerd answers on the socket, ErrBroken where the
// connection to it failed in another way.
var (
	ErrNoDaemon = errors.New("no scalerd answers")
	ErrBroken   = errors.New("talk to scalerd")
)

// Client talks to a scalerd. Its methods return the errors that the Service's
// methods return: scaler.ErrNotFound, scaler.ErrRefused, strictyaml.Mistakes. It
// is safe for concurrent use.
type Client struct {
	// where is the socket or the address, for messages.
	where string
	base  *url.URL
	http  *http.Client
	// authorize says who makes a request; nil on the socket, where the kernel does.
	authorize func(*http.Request)
}

// NewClient returns a Client of the scalerd that listens on the unix socket.
func NewClient(socket string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", socket)
	}
	return &Client{where: socket, base: &url.URL{Scheme: "http", Host: "scalerd"}, http: &http.Client{Transport: &http.Transport{DialContext: dial}}}
}

// Applications are the states of all applications, by name.
func (c *Client) Applications(ctx context.Context) ([]scaler.ApplicationStatus, error) {
	return pages[scaler.ApplicationStatus](ctx, c, nil, 0, "v1", "applications")
}

// Application is the state of one application.
func (c *Client) Application(ctx context.Context, name string) (scaler.ApplicationStatus, error) {
	return call[scaler.ApplicationStatus](ctx, c, http.MethodGet, nil, nil, "v1", "applications", name)
}

// Submit starts or updates an application. The Operation ends when its nodes are as
// described.
func (c *Client) Submit(ctx context.Context, d Description) (operation.Operation, error) {
	return call[operation.Operation](ctx, c, http.MethodPost, nil, d, "v1", "applications")
}

// Validate checks a description.
func (c *Client) Validate(ctx context.Context, d Description) (Validated, error) {
	return call[Validated](ctx, c, http.MethodPost, nil, d, "v1", "validate")
}

// Plan says what Submit would do now.
func (c *Client) Plan(ctx context.Context, d Description) (scaler.ApplicationPlan, error) {
	return call[scaler.ApplicationPlan](ctx, c, http.MethodPost, nil, d, "v1", "plan")
}

// Destroy begins to destroy an application.
func (c *Client) Destroy(ctx context.Context, name string) (operation.Operation, error) {
	return call[operation.Operation](ctx, c, http.MethodDelete, nil, nil, "v1", "applications", name)
}

// Nodes are the application's nodes by group and name.
func (c *Client) Nodes(ctx context.Context, name string) ([]scaler.NodeStatus, error) {
	return pages[scaler.NodeStatus](ctx, c, nil, 0, "v1", "applications", name, "nodes")
}

// Orphans are what the clouds have and no state tells of; an empty group stands for
// all.
func (c *Client) Orphans(ctx context.Context, name, group string) ([]scaler.GroupOrphans, error) {
	return pages[scaler.GroupOrphans](ctx, c, url.Values{"group": {group}}, 0, "v1", "applications", name, "orphans")
}

// Drift is what changed behind Terraform's back; an empty group stands for all.
func (c *Client) Drift(ctx context.Context, name, group string) ([]scaler.GroupDrift, error) {
	return pages[scaler.GroupDrift](ctx, c, url.Values{"group": {group}}, 0, "v1", "applications", name, "drift")
}

// CheckDrift checks for drift now; an empty group stands for all. The Operation ends
// when all shards were checked.
func (c *Client) CheckDrift(ctx context.Context, name, group string) (operation.Operation, error) {
	return call[operation.Operation](ctx, c, http.MethodPost, url.Values{"group": {group}}, nil, "v1", "applications", name, "drift", "check")
}

// Drop destroys one node, given by name, identifier or address; the Operation has
// the decision.
func (c *Client) Drop(ctx context.Context, name, node string, replace bool) (operation.Operation, error) {
	query := url.Values{"node": {node}, "replace": {strconv.FormatBool(replace)}}
	return call[operation.Operation](ctx, c, http.MethodPost, query, nil, "v1", "applications", name, "drop")
}

// Decisions are at most limit of the newest decisions, the newest first; an empty
// group stands for all.
func (c *Client) Decisions(ctx context.Context, name, group string, limit int) ([]scaler.Decision, error) {
	return pages[scaler.Decision](ctx, c, url.Values{"group": {group}}, limit, "v1", "applications", name, "decisions")
}

// Scale sets the size of a group once; the Operation has the decision.
func (c *Client) Scale(ctx context.Context, name, group string, nodes int) (operation.Operation, error) {
	query := url.Values{"nodes": {strconv.Itoa(nodes)}}
	return call[operation.Operation](ctx, c, http.MethodPost, query, nil, "v1", "applications", name, "groups", group, "scale")
}

// Pause stops decisions of a group, or of all with an empty name, or resumes them.
func (c *Client) Pause(ctx context.Context, name, group string, paused bool) (scaler.ApplicationStatus, error) {
	path := []string{"v1", "applications", name}
	if group != "" {
		path = append(path, "groups", group)
	}
	verb := "resume"
	if paused {
		verb = "pause"
	}
	return call[scaler.ApplicationStatus](ctx, c, http.MethodPost, nil, nil, append(path, verb)...)
}

// Explain is a decision and what was done about it.
func (c *Client) Explain(ctx context.Context, id int64) (Explanation, error) {
	return call[Explanation](ctx, c, http.MethodGet, nil, nil, "v1", "decisions", strconv.FormatInt(id, 10))
}

// WhatIf asks what the last tick would have decided on other values.
func (c *Client) WhatIf(ctx context.Context, app, group string, supposed scaler.Supposed) (scaler.Decision, error) {
	return call[scaler.Decision](ctx, c, http.MethodPost, nil, supposed, "v1", "applications", app, "groups", group, "what-if")
}

// Operation is how far an operation is.
func (c *Client) Operation(ctx context.Context, id string) (operation.Operation, error) {
	return call[operation.Operation](ctx, c, http.MethodGet, nil, nil, "v1", "operations", id)
}

// Health is how the daemon is.
func (c *Client) Health(ctx context.Context) (Health, error) {
	return call[Health](ctx, c, http.MethodGet, nil, nil, "v1", "health")
}

// pageSize is how many items the client asks for at once.
const pageSize = 1000

// pages reads a list to its end, or at most limit items where it is above 0.
func pages[T any](ctx context.Context, c *Client, query url.Values, limit int, path ...string) ([]T, error) {
	query = maps.Clone(query)
	if query == nil {
		query = url.Values{}
	}
	all := []T{}
	for {
		size := pageSize
		if limit > 0 {
			size = min(size, limit-len(all))
		}
		query.Set("limit", strconv.Itoa(size))
		page, err := call[Page[T]](ctx, c, http.MethodGet, query, nil, path...)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if page.NextPageToken == "" || limit > 0 && len(all) >= limit {
			return all, nil
		}
		query.Set("page_token", page.NextPageToken)
	}
}

// Compare sums up what shadow policies came to within a time before now, by group.
func (c *Client) Compare(ctx context.Context, app string, within time.Duration) (map[string][]scaler.Comparison, error) {
	query := url.Values{"seconds": {strconv.FormatInt(max(1, int64(within.Seconds())), 10)}}
	return call[map[string][]scaler.Comparison](ctx, c, http.MethodGet, query, nil, "v1", "applications", app, "comparisons")
}

func call[T any](ctx context.Context, c *Client, method string, query url.Values, in any, path ...string) (T, error) {
	if in == nil {
		return send[T](ctx, c, method, query, "", nil, path...)
	}
	text, err := json.Marshal(in)
	if err != nil {
		var none T
		return none, fmt.Errorf("encode request: %w", err)
	}
	return send[T](ctx, c, method, query, "application/json", bytes.NewReader(text), path...)
}

// send makes a request with a body of any type, and decodes the answer.
func send[T any](ctx context.Context, c *Client, method string, query url.Values, mediaType string, payload io.Reader, path ...string) (T, error) {
	var out T
	res, err := c.do(ctx, method, query, mediaType, payload, path...)
	if err != nil {
		return out, err
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		return out, fmt.Errorf("read answer of scalerd: %w", err)
	}
	return out, nil
}

// do makes a request; an answer that is a problem is its error.
func (c *Client) do(ctx context.Context, method string, query url.Values, mediaType string, payload io.Reader, path ...string) (*http.Response, error) {
	return c.doWith(ctx, method, nil, query, mediaType, payload, path...)
}

// doWith is do with further headers.
func (c *Client) doWith(ctx context.Context, method string, header http.Header, query url.Values, mediaType string, payload io.Reader, path ...string) (*http.Response, error) {
	target := c.base.JoinPath(path...)
	target.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, method, target.String(), payload)
	if err != nil {
		return nil, fmt.Errorf("request: %w", err)
	}
	maps.Copy(req.Header, header)
	if payload != nil {
		req.Header.Set("Content-Type", mediaType)
	}
	if c.authorize != nil {
		c.authorize(req)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreached(err)
	}
	if res.StatusCode >= 300 {
		defer res.Body.Close()
		return nil, readProblem(res)
	}
	return res, nil
}

func (c *Client) unreached(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w on %s: start it with `scalerd --data DIR`, or say where it is with --socket or --server", ErrNoDaemon, c.where)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("no permission for %s: run as the user of scalerd or as root: %w", c.where, err)
	}
	if request := (*url.Error)(nil); errors.As(err, &request) {
		err = request.Err // without an address that says more than where scalerd is
	}
	if why := untrusted(err); why != nil {
		return fmt.Errorf("talk to scalerd on %s: %w", c.where, why)
	}
	return fmt.Errorf("%w on %s: %w", ErrBroken, c.where, err)
}

// answered is an error that came back from scalerd: its words, and the error that
// its status stands for.
type answered struct {
	message string
	kind    error
}

func (e *answered) Error() string { return e.message }
func (e *answered) Unwrap() error { return e.kind }

func readProblem(res *http.Response) error {
	var p struct {
		Detail string `json:"detail"`
		Errors []struct {
			Message string          `json:"message"`
			Value   json.RawMessage `json:"value"`
		} `json:"errors"`
	}
	text, err := io.ReadAll(io.LimitReader(res.Body, 8<<20))
	if err != nil {
		return fmt.Errorf("read answer of scalerd: %w", err)
	}
	if err := json.Unmarshal(text, &p); err != nil {
		p.Detail = fmt.Sprintf("scalerd answered %s: %.300s", res.Status, text)
	}
	var mistakes strictyaml.Mistakes
	for _, e := range p.Errors {
		var m strictyaml.Mistake
		if json.Unmarshal(e.Value, &m) == nil && m.What != "" {
			mistakes = append(mistakes, m)
		} else {
			p.Detail += "; " + e.Message
		}
	}
	if len(mistakes) > 0 {
		return mistakes
	}
	answer := &answered{message: p.Detail}
	for _, known := range statuses {
		if known.status == res.StatusCode && answer.kind == nil {
			answer.kind = known.err
		}
	}
	return answer
}
