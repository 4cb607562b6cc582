package api

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/scalerd/scalerd/scaler/operation"
)

// A stream that breaks is taken up again after rewatchAfter, and after twice as long
// each further time; it is given up after rewatches times without an event between.
const (
	rewatchAfter = 100 * time.Millisecond
	rewatches    = 4
)

// Watch reports the events of an operation, each once, until it ended, and returns it
// as it is then. A broken stream is taken up after its last event, several times: an
// error says that the operation can't be watched, and not that it failed. That it is
// forgotten, as after a restart of scalerd, is scaler.ErrNotFound.
func (c *Client) Watch(ctx context.Context, id string, report func(operation.Event)) (operation.Operation, error) {
	last, wait := 0, rewatchAfter
	for {
		before := last
		op, err := c.stream(ctx, id, last, func(e operation.Event) {
			last = e.Number
			report(e)
		})
		if last > before {
			wait = rewatchAfter
		}
		refused := errors.As(err, new(*answered))
		if err == nil || refused || ctx.Err() != nil || wait >= rewatchAfter<<rewatches {
			return op, err
		}
		select {
		case <-time.After(wait):
			wait *= 2
		case <-ctx.Done():
			return op, ctx.Err()
		}
	}
}

// stream reads one stream of events to the operation's end.
func (c *Client) stream(ctx context.Context, id string, after int, report func(operation.Event)) (op operation.Operation, err error) {
	header := http.Header{"Accept": {"text/event-stream"}}
	if after > 0 {
		header.Set("Last-Event-ID", strconv.Itoa(after))
	}
	res, err := c.doWith(ctx, http.MethodGet, header, nil, "", nil, "v1", "operations", id, "events")
	if err != nil {
		return op, err
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 4<<20)
	kind := ""
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ": ")
		switch {
		case field == "event":
			kind = value
		case field == "data" && kind == "progress":
			var e operation.Event
			if err := json.Unmarshal([]byte(value), &e); err != nil {
				return op, fmt.Errorf("read event: %w", err)
			}
			if e.Number > after {
				report(e)
			}
		case field == "data" && kind == "operation":
			if err := json.Unmarshal([]byte(value), &op); err != nil {
				return op, fmt.Errorf("read event: %w", err)
			}
			if op.Status != operation.Running {
				return op, nil
			}
		case field == "data" && kind == "error":
			return op, fmt.Errorf("watch operation %s: %s", id, value)
		}
	}
	if err = lines.Err(); err == nil {
		err = io.ErrUnexpectedEOF
	}
	return op, fmt.Errorf("watch operation %s: %w", id, err)
}
