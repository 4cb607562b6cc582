package api

import (
	"bytes"
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/scalerd/scalerd/scaler"
)

// encodings keeps the JSON of each application's newest state, so that many who look
// at the same time cost one encoding of each state. It is safe for concurrent use.
type encodings struct {
	// shorten is what is made of a state first; nil: nothing.
	shorten func(scaler.ApplicationStatus) scaler.ApplicationStatus

	mu     sync.Mutex
	byName map[string]encoding
}

type encoding struct {
	// state is closed when there is a newer one, and tells states apart.
	state <-chan struct{}
	text  []byte
}

// of is the JSON of an application's state; nil where the application is gone.
func (e *encodings) of(ctx context.Context, service *scaler.Service, name string) ([]byte, error) {
	status, state, err := service.Follow(ctx, name)
	if err != nil {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.byName, name)
		return nil, nil // it was destroyed between the list and this
	}
	e.mu.Lock()
	kept, ok := e.byName[name]
	e.mu.Unlock()
	if ok && kept.state == state {
		return kept.text, nil
	}
	if e.shorten != nil {
		status = e.shorten(status)
	}
	text, err := json.Marshal(status)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.byName == nil {
		e.byName = map[string]encoding{}
	}
	e.byName[name] = encoding{state, text}
	return text, nil
}

// brief is a status without what is long. A status is shared, so it is copied.
func brief(a scaler.ApplicationStatus) scaler.ApplicationStatus {
	a.Groups = slices.Clone(a.Groups)
	for i := range a.Groups {
		g := &a.Groups[i]
		g.Optimizer, g.Drift, g.Shadows, g.Warmup = nil, nil, nil, nil
		if d := g.Decision; d != nil {
			g.Decision = &scaler.Decision{ID: d.ID, Application: d.Application, Group: d.Group, At: d.At, From: d.From, To: d.To, Held: d.Held, Reasons: d.Reasons[:min(1, len(d.Reasons))]}
		}
	}
	return a
}

// statusPage is a Page of scaler.ApplicationStatus that is encoded already.
type statusPage struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

// page joins the states of the page's applications.
func (e *encodings) page(ctx context.Context, service *scaler.Service, names Page[string]) (*statusPage, error) {
	var b bytes.Buffer
	b.WriteString(`{"items":[`)
	first := true
	for _, name := range names.Items {
		text, err := e.of(ctx, service, name)
		if err != nil {
			return nil, err
		}
		if text == nil {
			continue
		}
		if !first {
			b.WriteByte(',')
		}
		first = false
		b.Write(text)
	}
	b.WriteByte(']')
	if names.NextPageToken != "" {
		b.WriteString(`,"next_page_token":"` + names.NextPageToken + `"`) // of base64
	}
	b.WriteString("}\n")
	return &statusPage{"application/json", b.Bytes()}, nil
}

// describesStatuses tells the document what the page holds.
func describesStatuses(api huma.API) func(*huma.Operation) {
	return func(o *huma.Operation) {
		schema := api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Page[scaler.ApplicationStatus]](), true, "")
		o.Responses = map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}}}
	}
}
