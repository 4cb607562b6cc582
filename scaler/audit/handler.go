package audit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strings"
	"sync"

	"golang.org/x/time/rate"

	"github.com/scalerd/scalerd/scaler/access"
)

// refusalsPerSecond and refusalsAtOnce bound the entries about those who are not let in:
// nobody else could make the log grow. Who only names a user can't crowd out those who do
// not, nor the other way, and neither crowds out who proved who they are.
const (
	refusalsPerSecond = 1
	refusalsAtOnce    = 60
)

// Trail writes a Log about requests. It is safe for concurrent use.
type Trail struct {
	log *Log
	// strangers are the refusals of those who name nobody, and claimed those of who names
	// a user without being one.
	strangers, claimed bounded
}

// bounded are refusals that are written as often as its limiter allows.
type bounded struct {
	*rate.Limiter
	mu sync.Mutex
	// left counts those that were not written.
	left int
}

// NewTrail returns a Trail that writes to the log.
func NewTrail(log *Log) *Trail {
	return &Trail{
		log:       log,
		strangers: bounded{Limiter: rate.NewLimiter(refusalsPerSecond, refusalsAtOnce)},
		claimed:   bounded{Limiter: rate.NewLimiter(refusalsPerSecond, refusalsAtOnce)},
	}
}

// Log is the trail's log.
func (t *Trail) Log() *Log { return t.log }

// Request is what a request is about, as the one who knows it says by Describe.
type Request struct {
	Action, Target string
	// Reads is set where nothing is changed although the method would say so.
	Reads bool
	// Secret is set where what was sent can hold a password, and gets no digest.
	Secret bool
}

type requestKey struct{}

// Describe says what the request of the context is about.
func Describe(ctx context.Context, about Request) {
	if into, ok := ctx.Value(requestKey{}).(*Request); ok {
		*into = about
	}
}

// On names what the request of the context is done to, where its path does not.
func On(ctx context.Context, target string) {
	if into, ok := ctx.Value(requestKey{}).(*Request); ok {
		into.Target = target
	}
}

// Handler writes an entry for every request that changes something, or is refused, once
// it was answered, or its handler panicked. While the log can't be written, what would change something is
// answered with 503 and not handed on. It has to stand behind access.Guard's handler.
func (t *Trail) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who := access.Principal(r.Context())
		changes := r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodOptions
		if changes && who.Role > access.Nobody {
			if err := t.log.Ready(); err != nil {
				unready(w, err)
				return
			}
		}
		about := Request{Action: r.Method, Target: r.URL.Path}
		r = r.WithContext(context.WithValue(r.Context(), requestKey{}, &about))
		body := &digesting{ReadCloser: r.Body, sum: sha256.New()}
		if changes && r.Body != nil {
			r.Body = body
		}
		answer := &answer{ResponseWriter: w, status: http.StatusOK}
		panicked := true
		defer func() {
			if panicked && changes && !about.Reads {
				_ = t.log.Append(entry(who, about, http.StatusInternalServerError)) // what was done is not known
			}
		}()
		next.ServeHTTP(answer, r)
		panicked = false
		refused := answer.status == http.StatusForbidden || answer.status == http.StatusUnauthorized
		if !refused && (!changes || about.Reads) {
			return
		}
		e := entry(who, about, answer.status)
		if body.n > 0 && !about.Secret && !refused {
			e.Digest = hex.EncodeToString(body.sum.Sum(nil))
		}
		if refused && who.Role == access.Nobody {
			t.strangers.write(t.log, e)
			return
		}
		_ = t.log.Append(e) // the log tells of it itself, and the next change is refused
	})
}

func entry(who access.Identity, about Request, status int) Entry {
	return Entry{
		Who: who.Name, How: who.How, From: who.From, Action: about.Action, Target: about.Target,
		Result: result(status), Detail: detail(who.Subject, ""),
	}
}

// detail adds the subject of somebody whose name their provider can change.
func detail(subject, text string) string {
	if subject == "" {
		return text
	}
	if text != "" {
		text += "; "
	}
	return fmt.Sprintf("%ssub %q", text, subject)
}

func unready(w http.ResponseWriter, err error) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Retry-After", "10")
	w.WriteHeader(http.StatusServiceUnavailable)
	detail := fmt.Sprintf("nothing is changed while the audit log can't be written: %v; free some space, or look at the data folder", err)
	_ = json.NewEncoder(w).Encode(map[string]any{"title": "Service Unavailable", "status": http.StatusServiceUnavailable, "detail": detail})
}

// write writes an entry about a refusal, as often as that is allowed.
func (b *bounded) write(log *Log, e Entry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.Allow() {
		b.left++
		return
	}
	if b.left > 0 {
		e.Detail = strings.TrimPrefix(fmt.Sprintf("%s; %d refusals before it were too many to be written", e.Detail, b.left), "; ")
	}
	if log.Append(e) == nil {
		b.left = 0
	}
}

// Note writes what access.Guard tells of: logins, and who was not let in.
func (t *Trail) Note(n access.Notice) {
	e := Entry{Who: n.Who, How: n.How, From: n.From, Action: n.Action, Result: "done", Detail: detail(n.Subject, "")}
	if n.Refused != nil {
		e.Result, e.Detail = "denied", detail(n.Subject, n.Refused.Error())
		refusals := &t.strangers
		if n.Who != "" {
			refusals = &t.claimed
		}
		refusals.write(t.log, e)
		return
	}
	_ = t.log.Append(e) // the log tells of it itself
}

func result(status int) string {
	kind := "done"
	switch {
	case status >= http.StatusInternalServerError:
		kind = "failed"
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		kind = "denied"
	case status >= http.StatusBadRequest:
		kind = "wrong"
	}
	return fmt.Sprintf("%s %d", kind, status)
}

// digesting is a body whose digest is made while it is read.
type digesting struct {
	io.ReadCloser
	sum hash.Hash
	n   int
}

// Read implements io.Reader.
func (d *digesting) Read(p []byte) (int, error) {
	n, err := d.ReadCloser.Read(p)
	d.sum.Write(p[:n])
	d.n += n
	return n, err
}

// answer notes the status of an answer.
type answer struct {
	http.ResponseWriter
	status  int
	written bool
}

// Unwrap serves http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	if !a.written && status >= http.StatusOK {
		a.status, a.written = status, true
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (a *answer) Write(text []byte) (int, error) {
	a.written = true
	return a.ResponseWriter.Write(text)
}

// Flush implements http.Flusher, for streams.
func (a *answer) Flush() { _ = http.NewResponseController(a.ResponseWriter).Flush() }
