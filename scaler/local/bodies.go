package local

import (
	"io"
	"net/http"
	"sync"
	"sync/atomic"
)

// keptBody is the body of a request that may have to be sent again: a transport
// that fails does not close it, and it knows whether any of it was read. The
// server closes the body itself.
type keptBody struct {
	io.Reader
	read atomic.Bool
}

// newKeptBody returns nil for a request that has no body.
func newKeptBody(body io.ReadCloser) *keptBody {
	if body == nil || body == http.NoBody {
		return nil
	}
	return &keptBody{Reader: body}
}

// Read implements io.Reader.
func (b *keptBody) Read(p []byte) (int, error) {
	b.read.Store(true)
	return b.Reader.Read(p)
}

// Close implements io.Closer and keeps the body open.
func (b *keptBody) Close() error { return nil }

func (b *keptBody) touched() bool { return b != nil && b.read.Load() }

// releasingBody is the body of a response, which says when it is closed.
type releasingBody struct {
	io.ReadCloser
	release func()
}

// Close implements io.Closer.
func (b *releasingBody) Close() error {
	defer b.release()
	return b.ReadCloser.Close()
}

// buffers lends the proxy what it copies bodies with.
type buffers struct{ pool sync.Pool }

// Get implements httputil.BufferPool.
func (b *buffers) Get() []byte {
	if buffer, ok := b.pool.Get().(*[]byte); ok {
		return *buffer
	}
	return make([]byte, 16<<10)
}

// Put implements httputil.BufferPool.
func (b *buffers) Put(buffer []byte) { b.pool.Put(&buffer) }
