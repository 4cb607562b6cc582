package report_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/scalerd/scalerd/optimizer"
	"github.com/scalerd/scalerd/scaler/report"
)

// tab is a page in headless Chromium, with what it complains about and what it asks
// of the network besides itself.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu   sync.Mutex
	said []string
}

func (b *tab) note(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.said = append(b.said, text)
}

func (b *tab) complaints() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(b.said, "\n")
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("in the browser: %v; the page says %s", err, b.complaints())
	}
}

// eval is the value of a script.
func eval[T any](b *tab, script string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script))
	if err != nil {
		b.t.Fatalf("%s: %v; the page says %s", script, err, b.complaints())
	}
	return v
}

// browse opens a report.
func browse(t *testing.T, d report.Data) *tab {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil && path == "" {
			path = found
		}
	}
	if path == "" {
		t.Skip("there is no chromium to look at the page with")
	}
	var page bytes.Buffer
	if err := report.HTML(&page, d); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(page.Bytes())
	}))
	t.Cleanup(server.Close)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WindowSize(1280, 900))
	allocated, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, end := chromedp.NewContext(allocated)
	t.Cleanup(end)
	b := &tab{t: t, ctx: ctx}
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	if err := chromedp.Listen(ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			b.note(fmt.Sprintf("%s: %+v", e.ExceptionDetails.Text, e.ExceptionDetails.Exception))
		case *network.EventRequestWillBeSent:
			if u := e.Request.URL; u != server.URL+"/" && !strings.HasSuffix(u, "/favicon.ico") {
				b.note("asks for " + u)
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.Navigate(server.URL+"/"), chromedp.WaitReady("html[data-drawn]"))
	return b
}

func TestThePageWorksInABrowser(t *testing.T) {
	b := browse(t, report.Make(taught(t, optimizer.Auto, 1500).Facts()))
	if charts := eval[int](b, `document.querySelectorAll(".uplot canvas").length`); charts < 15 {
		t.Errorf("%d charts on the page, want all", charts)
	}
	const sideways = `document.documentElement.scrollWidth - document.documentElement.clientWidth`
	if by := eval[int](b, sideways); by > 0 {
		t.Errorf("the page scrolls sideways by %d pixels", by)
	}
	b.keyboard()
	b.do(chromedp.EmulateViewport(400, 800))
	if by := eval[int](b, sideways); by > 0 {
		t.Errorf("on a phone the page scrolls sideways by %d pixels", by)
	}
	b.do(chromedp.EmulateViewport(1280, 900))
	b.screenshots("auto")
	if said := b.complaints(); said != "" {
		t.Errorf("the page complains, or asks for more: %s", said)
	}
}

// keyboard checks that a chart answers keys: the cursor moves, + zooms, 0 shows all.
func (b *tab) keyboard() {
	b.t.Helper()
	const (
		at   = `String(document.querySelector(".chart").uplot.cursor.idx)`
		span = `(() => { const s = document.querySelector(".chart").uplot.scales.x; return s.max - s.min; })()`
	)
	if !eval[bool](b, `(() => { const c = document.querySelector(".chart"); c.focus(); return document.activeElement === c; })()`) {
		b.t.Error("a chart can't be focused")
	}
	b.do(chromedp.KeyEvent(kb.ArrowRight))
	first := eval[string](b, at)
	b.do(chromedp.KeyEvent(kb.ArrowRight))
	if second := eval[string](b, at); first == second || second == "null" {
		b.t.Errorf("the cursor is at %s, and after another → at %s", first, second)
	}
	all := eval[float64](b, span)
	b.do(chromedp.KeyEvent("+"), chromedp.WaitReady("body"))
	zoomed := eval[float64](b, span)
	b.do(chromedp.KeyEvent("0"), chromedp.WaitReady("body"))
	if again := eval[float64](b, span); zoomed >= all || again != all {
		b.t.Errorf("a chart shows %v seconds, after + %v, after 0 %v", all, zoomed, again)
	}
}

// screenshots keeps pictures of the page in light and dark where SCREENSHOTS names a
// folder, and checks that the two differ.
func (b *tab) screenshots(name string) {
	b.t.Helper()
	var before []byte
	for _, scheme := range []string{"light", "dark"} {
		media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
		if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, media); err != nil {
			b.t.Fatal(err)
		}
		picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
		if err != nil {
			b.t.Fatal(err)
		}
		if bytes.Equal(picture, before) {
			b.t.Error("light and dark look the same")
		}
		before = picture
		if dir := os.Getenv("SCREENSHOTS"); dir != "" {
			if err := os.WriteFile(filepath.Join(dir, name+"-"+scheme+".png"), picture, 0o600); err != nil {
				b.t.Fatal(err)
			}
		}
	}
}

func TestPagesOfLittleKnowledgeWorkInABrowser(t *testing.T) {
	for _, method := range []optimizer.Method{optimizer.Auto, optimizer.Published} {
		for _, n := range []int{0, 1, 3} {
			t.Run(fmt.Sprintf("%s, %d samples", method, n), func(t *testing.T) {
				b := browse(t, report.Make(taught(t, method, n).Facts()))
				text := eval[string](b, `document.querySelector("main").innerText`)
				if said := b.complaints(); said != "" || !strings.Contains(text, "Advice") {
					t.Errorf("the page complains: %s", said)
				}
			})
		}
	}
}
