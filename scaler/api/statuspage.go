package api

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/scalerd/scalerd/scaler"
)

// keptPages bounds the pages that are kept, and so their memory.
const keptPages = 8

// statusPages keeps pages of states as they are sent: joined, named and compressed once
// for all who ask before one of the states is replaced. It is safe for concurrent use.
type statusPages struct {
	states encodings

	mu sync.Mutex
	// byNames has the newest page of each list of names.
	byNames map[string]*encodedPage
}

// encodedPage is a Page of scaler.ApplicationStatus as JSON. It never changes.
type encodedPage struct {
	states []<-chan struct{}
	text   []byte
	etag   string
	// packed is the text by gzip.
	packed func() []byte
}

// page is the newest page with the states of the named applications; all are those that
// there are.
func (p *statusPages) page(ctx context.Context, service follower, names Page[string], all []string) (*encodedPage, error) {
	p.states.forget(all)
	encoded := make([]encoding, 0, len(names.Items))
	states := make([]<-chan struct{}, 0, len(names.Items))
	for _, name := range names.Items {
		one, err := p.states.of(ctx, service, name)
		if err != nil {
			return nil, err
		}
		if one.text != nil {
			encoded, states = append(encoded, one), append(states, one.state)
		}
	}
	key := strings.Join(names.Items, "\x00") + "\x00" + names.NextPageToken
	p.mu.Lock()
	defer p.mu.Unlock()
	if kept, ok := p.byNames[key]; ok && slices.Equal(kept.states, states) {
		return kept, nil
	}
	if p.byNames == nil || len(p.byNames) >= keptPages {
		p.byNames = map[string]*encodedPage{}
	}
	p.byNames[key] = newEncodedPage(encoded, states, names.NextPageToken)
	return p.byNames[key], nil
}

func newEncodedPage(encoded []encoding, states []<-chan struct{}, next string) *encodedPage {
	size := len(next) + 64
	for _, one := range encoded {
		size += len(one.text) + 1
	}
	text := append(make([]byte, 0, size), `{"items":[`...)
	for i, one := range encoded {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(text, one.text...)
	}
	text = append(text, ']')
	if next != "" {
		text = append(text, `,"next_page_token":"`+next+`"`...) // of base64
	}
	text = append(text, "}\n"...)
	sum := sha256.Sum256(text)
	return &encodedPage{
		states: states, text: text,
		etag:   `W/"` + hex.EncodeToString(sum[:12]) + `"`, // weak: it names both forms
		packed: sync.OnceValue(func() []byte { return pack(text) }),
	}
}

func pack(text []byte) []byte {
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level is one
	}
	_, _ = w.Write(text) // a buffer takes all
	_ = w.Close()
	return packed.Bytes()
}

// ReadInput are the headers of a read whose answer the client may have already. It is
// exported because huma looks into exported embedded structs only.
type ReadInput struct {
	Known  string `header:"If-None-Match" doc:"ETags of answers that the client has: with one that is still right the answer is a 304."`
	Accept string `header:"Accept-Encoding" doc:"With gzip the answer is compressed."`
}

// statusAnswer is a Page of scaler.ApplicationStatus, or that it has not changed.
type statusAnswer struct {
	Status          int
	ContentType     string `header:"Content-Type"`
	ContentEncoding string `header:"Content-Encoding"`
	ContentLength   string `header:"Content-Length"`
	ETag            string `header:"ETag" doc:"Name of the answer, for If-None-Match."`
	// CacheControl makes caches ask whether the answer has changed.
	CacheControl string `header:"Cache-Control"`
	Vary         string `header:"Vary"`
	Body         []byte
}

func (p *encodedPage) answer(in ReadInput) *statusAnswer {
	a := &statusAnswer{Status: http.StatusOK, ETag: p.etag, CacheControl: "private, no-cache", Vary: "Accept-Encoding", ContentType: "application/json"}
	if knows(in.Known, p.etag) {
		a.Status, a.ContentType = http.StatusNotModified, ""
		return a
	}
	a.Body = p.text
	if acceptsGzip(in.Accept) {
		a.Body, a.ContentEncoding = p.packed(), "gzip"
	}
	a.ContentLength = strconv.Itoa(len(a.Body))
	return a
}

// knows reports whether an If-None-Match has the ETag, by RFC 9110's weak comparison.
func knows(header, etag string) bool {
	weak := func(tag string) string { return strings.TrimPrefix(strings.TrimSpace(tag), "W/") }
	return strings.TrimSpace(header) == "*" || slices.ContainsFunc(strings.Split(header, ","), func(tag string) bool { return weak(tag) == weak(etag) })
}

// acceptsGzip reports whether an Accept-Encoding allows gzip.
func acceptsGzip(header string) bool {
	for coding := range strings.SplitSeq(header, ",") {
		name, weight, _ := strings.Cut(coding, ";")
		if !strings.EqualFold(strings.TrimSpace(name), "gzip") {
			continue
		}
		_, q, weighted := strings.Cut(weight, "=")
		n, err := strconv.ParseFloat(strings.TrimSpace(q), 64)
		return !weighted || err == nil && n > 0
	}
	return false
}

// describesStatuses tells the document what the page holds.
func describesStatuses(api huma.API) func(*huma.Operation) {
	return func(o *huma.Operation) {
		schema := api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Page[scaler.ApplicationStatus]](), true, "")
		o.Responses = map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}}}
	}
}
