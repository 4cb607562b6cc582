package cmd_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
)

// between is a socket in front of the daemon's that cuts streams of events: each of the
// first cuts ones once bytes came through it.
func between(t *testing.T, d *daemon, name string, cuts int64) (socket string, streams *atomic.Int64) {
	t.Helper()
	streams = &atomic.Int64{}
	target, err := url.Parse("http://scalerd")
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.FlushInterval = -1
	proxy.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	proxy.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(d.data, "scalerd.sock"))
	}}
	socket = filepath.Join(d.base, name)
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/events") && streams.Add(1) <= cuts {
			w = &cut{w}
		}
		proxy.ServeHTTP(w, r)
	})}}
	server.Start()
	t.Cleanup(server.Close)
	return socket, streams
}

type cut struct{ http.ResponseWriter }

func (c *cut) Write(text []byte) (int, error) {
	_, _ = c.ResponseWriter.Write(text)
	_ = http.NewResponseController(c.ResponseWriter).Flush()
	panic(http.ErrAbortHandler)
}

// TestScalerctlWatchesOverConnectionsThatDrop applies a description through a proxy that
// drops the streams of events.
func TestScalerctlWatchesOverConnectionsThatDrop(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	told := regexp.MustCompile(`(?m)^web/shard-000 (init|plan|apply): `)
	for name, cuts := range map[string]int64{"steady": 0, "dropping": 2, "broken": 1 << 30} {
		socket, streams := between(t, d, name, cuts)
		out, errs, code := command(t, "scalerctl", "--socket", socket, "apply", d.file(describe(name, "web max: 5")))
		if code != 0 || !strings.Contains(out, name) {
			t.Errorf("scalerctl apply over a %s connection ended with %d:\n%s%s", name, code, out, errs)
		}
		if name != "broken" && !told.MatchString(errs) {
			t.Errorf("scalerctl apply over a %s connection says\n%s\nwant terraform's lines", name, errs)
		}
		lines := map[string]int{}
		for line := range strings.Lines(errs) {
			if lines[line]++; lines[line] > 1 {
				t.Errorf("scalerctl apply over a %s connection repeats %q", name, line)
			}
		}
		if got := streams.Load(); got < 1 || cuts == 2 && got < 2 || cuts > 2 && got < 5 {
			t.Errorf("scalerctl apply over a %s connection asked for %d streams", name, got)
		}
	}
}

// TestScalerctlWaitsThroughARestart kills the daemon while scalerctl watches what it does.
func TestScalerctlWaitsThroughARestart(t *testing.T) {
	t.Parallel()
	d := startDaemon(t)
	socket, streams := between(t, d, "steady", 0)
	type result struct {
		out, errs string
		code      int
	}
	ended := make(chan result, 1)
	file := d.file(describe("shop", "web max: 5"))
	go func() {
		out, errs, code := command(t, "scalerctl", "--socket", socket, "apply", file)
		ended <- result{out, errs, code}
	}()
	d.eventually("scalerctl watches", func() error {
		if streams.Load() == 0 {
			return errors.New("it has not asked for events")
		}
		return nil
	})
	d.kill()
	d.start()
	if r := <-ended; r.code != 0 || !strings.Contains(r.out, "shop") {
		t.Errorf("scalerctl apply through a restart ended with %d:\n%s%s", r.code, r.out, r.errs)
	}
}
