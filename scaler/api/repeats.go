package api

import (
	"bytes"
	"container/list"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/scalerd/scalerd/scaler/access"
	"github.com/scalerd/scalerd/scaler/audit"
)

const (
	// keptAnswers bounds the answers that are kept for repeated requests, keptAnswer
	// the size of one in bytes, and keptFor how long they are kept.
	keptAnswers = 1000
	keptAnswer  = 64 << 10
	keptFor     = 24 * time.Hour
	// maxKey is the longest Idempotency-Key.
	maxKey = 255
)

// repeats answers a request whose Idempotency-Key was used before as it was answered
// then.
type repeats struct {
	mu    sync.Mutex
	byKey map[string]*list.Element
	// order holds the answers, the oldest first.
	order *list.List
}

// kept is the answer to a request.
type kept struct {
	key    string
	digest [sha256.Size]byte
	at     time.Time
	// about is what the audit log is told of it.
	about audit.Request
	// done is set once there is an answer, and private where it is not kept.
	done, private bool
	status        int
	header        http.Header
	body          []byte
}

func newRepeats() *repeats { return &repeats{byKey: map[string]*list.Element{}, order: list.New()} }

// handler wraps what answers requests the first time.
func (p *repeats) handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := r.Header.Get("Idempotency-Key")
		// Whom nobody knows is refused: no body of theirs is kept in memory before that.
		if key == "" || r.Method != http.MethodPost && r.Method != http.MethodPut || access.Principal(r.Context()).Role == access.Nobody {
			next.ServeHTTP(w, r)
			return
		}
		if len(key) > maxKey {
			writeProblem(w, http.StatusBadRequest, "Idempotency-Key: at most 255 bytes")
			return
		}
		text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			status := http.StatusBadRequest
			if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
				status = http.StatusRequestEntityTooLarge
			} else if errors.Is(err, os.ErrDeadlineExceeded) {
				status = http.StatusRequestTimeout
			}
			writeProblem(w, status, "the body can't be read: "+err.Error())
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(text))
		full := strings.Join(append(asker(access.Principal(r.Context())), r.Method, r.URL.Path, key), "\x00")
		digest := sha256.Sum256(append([]byte(r.URL.RawQuery+"\x00"), text...))
		before, mine := p.begin(full, digest, time.Now())
		switch {
		case mine:
			p.answer(full, w, r, next)
		case before.digest != digest:
			writeProblem(w, http.StatusUnprocessableEntity, "Idempotency-Key: it was used for another request; use a new one")
		case before.private:
			audit.Describe(r.Context(), before.about)
			writeProblem(w, http.StatusConflict, "Idempotency-Key: the request with it was carried out, and its answer had a secret that is not kept; use a new key to have it done again")
		case !before.done:
			writeProblem(w, http.StatusConflict, "Idempotency-Key: the first request with it is not answered yet")
		default:
			audit.Describe(r.Context(), before.about)
			for name, values := range before.header {
				w.Header()[name] = values
			}
			w.Header().Set("Idempotent-Replayed", "true")
			w.WriteHeader(before.status)
			_, _ = w.Write(before.body) // a client that is gone is no failure
		}
	})
}

// asker is all that decides what somebody may do, so that an answer is given again only to
// whom it would be given now.
func asker(who access.Identity) []string {
	return append([]string{who.How, who.Name, who.Subject, who.TokenID, who.Role.String(), strconv.Itoa(len(who.Applications))}, who.Applications...)
}

// begin takes the key, or returns what is known of the request that has it.
func (p *repeats) begin(key string, digest [sha256.Size]byte, now time.Time) (before kept, mine bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for e := p.order.Front(); e != nil; e = p.order.Front() {
		oldest := e.Value.(*kept)
		if now.Sub(oldest.at) < keptFor && p.order.Len() <= keptAnswers {
			break
		}
		p.order.Remove(e)
		delete(p.byKey, oldest.key)
	}
	if e, ok := p.byKey[key]; ok {
		return *e.Value.(*kept), false
	}
	p.byKey[key] = p.order.PushBack(&kept{key: key, digest: digest, at: now})
	return kept{}, true
}

// answer lets the request be answered, and keeps the answer where something was
// done.
func (p *repeats) answer(key string, w http.ResponseWriter, r *http.Request, next http.Handler) {
	copied := &copier{ResponseWriter: w, status: http.StatusOK}
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		e, ok := p.byKey[key]
		if !ok {
			return
		}
		if copied.status >= 300 || copied.whole > keptAnswer || copied.whole == 0 {
			p.order.Remove(e)
			delete(p.byKey, key)
			return
		}
		k := e.Value.(*kept)
		k.about = audit.About(r.Context())
		if strings.Contains(w.Header().Get("Cache-Control"), "no-store") {
			k.private = true
			return
		}
		k.done, k.status, k.body, k.header = true, copied.status, copied.body.Bytes(), http.Header{}
		for _, name := range []string{"Content-Type", "Location", "Etag"} {
			if values := w.Header().Values(name); len(values) > 0 {
				k.header[name] = values
			}
		}
	}()
	next.ServeHTTP(copied, r)
}

// copier keeps the beginning of what it writes.
type copier struct {
	http.ResponseWriter
	status int
	whole  int
	body   bytes.Buffer
}

// Unwrap serves http.ResponseController.
func (c *copier) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (c *copier) WriteHeader(status int) {
	c.status = status
	c.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (c *copier) Write(text []byte) (int, error) {
	if c.whole += len(text); c.whole <= keptAnswer {
		c.body.Write(text)
	}
	return c.ResponseWriter.Write(text)
}

func writeProblem(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(huma.NewError(status, detail)) // a client that is gone is no failure
}
