package api_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/scalerd/scalerd/scaler/access"
)

// TestJunkCostsBoundedMemory sends 10,000 requests of junk, each from another address:
// half have an invented token, and half one that is right, so that their junk is read.
// Of those, one in ten would change something, and costs a line of the audit log on disk.
func TestJunkCostsBoundedMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("it sends 10,000 requests")
	}
	c := fortify(t, access.Options{})
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	got := map[int]int{}
	for i := range 10000 {
		method, path := http.MethodPost, "/v1/validate"
		if i%20 < 2 {
			method, path = http.MethodPut, fmt.Sprintf("/v1/applications/junk-%d", i)
		}
		r := httptest.NewRequest(method, path, strings.NewReader(strings.Repeat("x", 4<<10)))
		r.RemoteAddr = fmt.Sprintf("10.%d.%d.%d:1234", i>>16, i>>8&255, i&255)
		token := fmt.Sprint(i)
		if i%2 == 0 {
			token = c.tokens["operator"]
		}
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", fmt.Sprint(i))
		r.Header.Set("X-Junk", strings.Repeat("j", 1000))
		w := httptest.NewRecorder()
		c.server.Config.Handler.ServeHTTP(w, r)
		got[w.Code]++
	}
	if want := map[int]int{http.StatusUnauthorized: 5000, http.StatusBadRequest: 5000}; !maps.Equal(got, want) {
		t.Errorf("answers by status = %v, want %v: junk that is not read costs nothing", got, want)
	}
	grown := int64(heap()) - int64(before)
	t.Logf("heap after 10,000 requests of junk: %+.1f MiB", float64(grown)/(1<<20))
	if grown > 16<<20 {
		t.Errorf("the heap grew by %d bytes, want at most 16 MiB", grown)
	}
}
