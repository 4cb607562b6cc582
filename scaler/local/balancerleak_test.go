package local

import (
	"context"
	"io"
	"net/http"
	"os"
	"runtime"
	"testing"
)

// Not parallel: it counts what the whole process holds.
func TestBalancerLeaksNothing(t *testing.T) {
	before, files := runtime.NumGoroutine(), openFiles(t)
	t.Run("load", func(t *testing.T) {
		f := newFront(t, readyNode("dead", deadAddress(t), 1), backendServer(t, "b", saying("b")),
			backendServer(t, "c", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
		for i := range 200 {
			ctx, leave := context.WithCancel(t.Context())
			if i%10 == 0 {
				go leave()
			}
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, f.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			if response, err := http.DefaultClient.Do(request); err == nil {
				_, _ = io.Copy(io.Discard, response.Body)
				response.Body.Close()
			}
			leave()
		}
		eventually(t, "no request is outstanding", func() bool {
			f.balancer.backends.mu.Lock()
			defer f.balancer.backends.mu.Unlock()
			for _, node := range f.balancer.backends.nodes {
				if node.outstanding != 0 {
					return false
				}
			}
			return true
		})
	})
	http.DefaultClient.CloseIdleConnections()
	eventually(t, "all goroutines have ended", func() bool { return runtime.NumGoroutine() <= before })
	eventually(t, "all files are closed", func() bool { return openFiles(t) <= files })
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/dev/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
