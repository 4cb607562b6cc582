package local

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/scalerd/scalerd/scaler"
)

// front is a balancer in the test's own process.
type front struct {
	*httptest.Server
	balancer *balancer
	registry *prometheus.Registry
	list     string
}

func newFront(t *testing.T, nodes ...scaler.ListedNode) front {
	t.Helper()
	list := filepath.Join(t.TempDir(), "nodes.json")
	writeList(t, list, nodes...)
	registry := prometheus.NewRegistry()
	b := newBalancer(list, "web", registry, slog.New(slog.DiscardHandler))
	server := httptest.NewServer(b.handler(registry))
	t.Cleanup(server.Close)
	t.Cleanup(b.transport.CloseIdleConnections)
	return front{server, b, registry, list}
}

// backendServer is an HTTP server that stands where a node would.
func backendServer(t *testing.T, name string, handler http.HandlerFunc) scaler.ListedNode {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return readyNode(name, server.Listener.Addr().String(), 1)
}

func saying(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, text+string(body))
	}
}

// deadAddress is one that refuses connections.
func deadAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func TestBalancerSpreadsByWeight(t *testing.T) {
	t.Parallel()
	var a, b atomic.Int64
	release := make(chan struct{})
	holding := func(count *atomic.Int64) http.HandlerFunc {
		return func(http.ResponseWriter, *http.Request) {
			count.Add(1)
			<-release
		}
	}
	heavy, light := backendServer(t, "a", holding(&a)), backendServer(t, "b", holding(&b))
	light.Weight = 0.25
	f := newFront(t, heavy, light)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if _, err := get(f.URL); err != nil {
				t.Error(err)
			}
		})
	}
	eventually(t, "all requests have arrived", func() bool { return a.Load()+b.Load() == 50 })
	if a.Load() != 40 || b.Load() != 10 {
		t.Errorf("nodes of weight 1 and 0.25 have %d and %d of 50 requests, want 40 and 10", a.Load(), b.Load())
	}
	close(release)
	all.Wait()
}

func TestBalancerSkipsADeadNode(t *testing.T) {
	t.Parallel()
	f := newFront(t, readyNode("dead", deadAddress(t), 1), backendServer(t, "b", saying("b")))
	for range 4 {
		response, err := http.Post(f.URL, "text/plain", strings.NewReader(" hears"))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if string(body) != "b hears" {
			t.Errorf("POST = %q, want \"b hears\": a body that was not sent yet goes to the other node", body)
		}
	}
	values := gather(t, f.registry)
	if got := values["scalerd_balancer_attempts_failed_total"]; got != 1 {
		t.Errorf("%v attempts failed, want 1: the dead node is set aside after it", got)
	}
	if got := values["scalerd_balancer_backends"]; got != 1 {
		t.Errorf("scalerd_balancer_backends = %v, want 1", got)
	}
}

func TestBalancerRepeatsOnlyWhatMayBeRepeated(t *testing.T) {
	t.Parallel()
	breaking := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	tests := []struct {
		name, method string
		want         int
	}{
		{"a GET goes to the other node", http.MethodGet, http.StatusOK},
		{"a HEAD goes to the other node", http.MethodHead, http.StatusOK},
		{"a DELETE may have been done", http.MethodDelete, http.StatusBadGateway},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFront(t, backendServer(t, "a", breaking), backendServer(t, "b", saying("b")))
			request, err := http.NewRequestWithContext(t.Context(), test.method, f.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != test.want {
				t.Errorf("%s = %d, want %d", test.method, response.StatusCode, test.want)
			}
		})
	}
}

func TestBalancerWithoutNodesAnswers503(t *testing.T) {
	t.Parallel()
	dead := readyNode("dead", deadAddress(t), 1)
	for _, test := range []struct {
		name, want string
		nodes      []scaler.ListedNode
	}{
		{"no node is listed", "no node of the group is ready", nil},
		{"the only node is dead", "no node of the group could be reached", []scaler.ListedNode{dead}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFront(t, test.nodes...)
			response, err := http.Get(f.URL)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			body, _ := io.ReadAll(response.Body)
			if response.StatusCode != 503 || response.Header.Get("Retry-After") != "1" || !strings.Contains(string(body), test.want) {
				t.Errorf("GET = %s %q, want 503 %q with Retry-After", response.Status, body, test.want)
			}
			if got := gather(t, f.registry)[`scalerd_balancer_requests_total{code="503"}`]; got != 1 {
				t.Errorf("%v requests counted with code 503, want 1", got)
			}
		})
	}
}

func TestBalancerWithoutFilesBlamesNoNode(t *testing.T) {
	t.Parallel()
	f := newFront(t, backendServer(t, "a", saying("a")), backendServer(t, "b", saying("b")))
	f.balancer.transport.DialContext = func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("socket", syscall.EMFILE)}
	}
	if _, err := get(f.URL); err == nil || !strings.Contains(err.Error(), "the balancer has no file or port left") {
		t.Errorf("GET = error %v, want 503 that says that the balancer has no file left", err)
	}
	if got := gather(t, f.registry)["scalerd_balancer_backends"]; got != 2 {
		t.Errorf("scalerd_balancer_backends = %v, want 2: no node is set aside", got)
	}
}

func TestBalancerFollowsARewrittenList(t *testing.T) {
	t.Parallel()
	f := newFront(t, backendServer(t, "a", saying("a")))
	if body, err := get(f.URL); body != "a" {
		t.Fatalf("GET = %q, error %v, want a", body, err)
	}
	writeList(t, f.list, backendServer(t, "b", saying("b")))
	eventually(t, "the new node answers", func() bool {
		body, _ := get(f.URL)
		return body == "b"
	})
}

func TestClientThatGoesAwayIsNotTheNodesFault(t *testing.T) {
	t.Parallel()
	arrived, done := make(chan struct{}), make(chan struct{})
	node := backendServer(t, "a", func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done() // which also shows that the node hears of it
		close(done)
	})
	f := newFront(t, node)
	ctx, leave := context.WithCancel(t.Context())
	go func() {
		<-arrived
		leave()
	}()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, f.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := http.DefaultClient.Do(request); err == nil {
		t.Fatal("the client that went away got an answer")
	}
	<-done
	eventually(t, "the request is counted", func() bool {
		return gather(t, f.registry)[`scalerd_balancer_requests_total{code="499"}`] == 1
	})
	values := gather(t, f.registry)
	if values["scalerd_balancer_attempts_failed_total"] != 0 || values["scalerd_balancer_backends"] != 1 {
		t.Errorf("%v attempts failed and %v backends, want 0 and 1", values["scalerd_balancer_attempts_failed_total"], values["scalerd_balancer_backends"])
	}
}

func TestBalancerKeepsItsOwnPaths(t *testing.T) {
	t.Parallel()
	f := newFront(t, backendServer(t, "a", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.URL.Path+" of "+r.Host+" for "+r.Header.Get("X-Forwarded-For"))
	}))
	host := f.Listener.Addr().String()
	if got, err := get(f.URL + "//a/../b"); got != "//a/../b of "+host+" for 127.0.0.1" {
		t.Errorf("GET //a/../b = %q, error %v, want it forwarded as it is", got, err)
	}
	if _, err := get(f.URL + "/-/other"); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("GET /-/other: error %v, want 404", err)
	}
	if got, err := get(f.URL + "/-/healthz"); got != "ok\n" {
		t.Errorf("GET /-/healthz = %q, error %v", got, err)
	}
	values := scrapePage(t, f.URL+"/-/metrics")
	for _, name := range []string{`scalerd_balancer_requests_total{code="200"}`, "scalerd_balancer_request_duration_seconds_count", "scalerd_balancer_backends"} {
		if values[name] != 1 {
			t.Errorf("%s = %v, want 1: the balancer's own pages don't count", name, values[name])
		}
	}
}

func TestBalancerReusesItsConnections(t *testing.T) {
	t.Parallel()
	var dialled atomic.Int64
	server := httptest.NewUnstartedServer(saying("a"))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			dialled.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	f := newFront(t, readyNode("a", server.Listener.Addr().String(), 1))
	const clients, requests = 32, 60
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	defer client.CloseIdleConnections()
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for range requests {
				response, err := client.Get(f.URL)
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, response.Body)
				response.Body.Close()
			}
		})
	}
	all.Wait()
	if got := dialled.Load(); got > 3*clients {
		t.Errorf("%d connections for %d clients with %d requests each, want about one a client", got, clients, requests)
	}
}
