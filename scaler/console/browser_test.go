package console_test

import (
	"context"
	"encoding/json"
	"fmt"
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
)

// tab is a page in headless Chromium, with what it complains about.
type tab struct {
	t   *testing.T
	ctx context.Context
	url string

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

// open starts a browser on the address.
func open(t *testing.T, url string) *tab {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil && path == "" {
			path = found
		}
	}
	if path == "" {
		t.Skip("there is no chromium to look at the console with")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.WindowSize(1280, 900))
	allocated, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, end := chromedp.NewContext(allocated)
	t.Cleanup(end)
	b := &tab{t: t, ctx: ctx, url: url}
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	if err := chromedp.Listen(ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			b.note(fmt.Sprintf("%s: %+v", e.ExceptionDetails.Text, e.ExceptionDetails.Exception))
		case *runtime.EventConsoleAPICalled:
			if e.Type == "error" || e.Type == "warning" {
				b.note(fmt.Sprintf("%s: %s", e.Type, e.Args[0].Value))
			}
		case *network.EventRequestWillBeSent:
			if !strings.HasPrefix(e.Request.URL, url) && !strings.HasPrefix(e.Request.URL, "data:") {
				b.note("asks for " + e.Request.URL)
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	return b
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
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](script))
	if err != nil {
		b.t.Fatalf("%s: %v; the page says %s", script, err, b.complaints())
	}
	return v
}

// until waits for a script to be true.
func (b *tab) until(script string) {
	b.t.Helper()
	look, deadline := time.NewTicker(50*time.Millisecond), time.After(40*time.Second)
	defer look.Stop()
	for !eval[bool](b, "Boolean("+script+")") {
		select {
		case <-look.C:
		case <-deadline:
			b.t.Fatalf("it did not come about within 40 s: %s\nthe page shows: %s\nand says: %s", script, eval[string](b, `document.body.innerText.slice(0, 1500)`), b.complaints())
		}
	}
}

// shows waits for words on the page, or in its open dialog.
func (b *tab) shows(words ...string) {
	b.t.Helper()
	for _, w := range words {
		b.until(fmt.Sprintf(`(document.querySelector("dialog[open]") || document.body).innerText.includes(%s)`, quoted(w)))
	}
}

// click clicks on the first visible button or link with that text or label.
func (b *tab) click(text string) {
	b.t.Helper()
	find := fmt.Sprintf(`[...(document.querySelector("dialog[open]") || document).querySelectorAll("button, a, summary, label")].find((e) => (e.textContent.trim() === %[1]s || e.getAttribute("aria-label") === %[1]s) && e.offsetParent !== null && !e.disabled)`, quoted(text))
	b.until(find)
	eval[bool](b, "("+find+".click(), true)")
}

func (b *tab) type_(selector, text string) {
	b.t.Helper()
	b.until(fmt.Sprintf(`document.querySelector(%s)`, quoted(selector)))
	eval[bool](b, fmt.Sprintf(`(() => { const e = document.querySelector(%s); e.focus(); e.value = %s; e.dispatchEvent(new Event("input", {bubbles: true})); return true; })()`, quoted(selector), quoted(text)))
}

func (b *tab) goTo(hash string) {
	b.t.Helper()
	eval[bool](b, fmt.Sprintf(`(location.hash = %s, true)`, quoted(hash)))
}

func (b *tab) signIn(name string) {
	b.t.Helper()
	b.do(chromedp.Navigate(b.url + "/"))
	b.type_("#name", name)
	b.type_("#password", password)
	b.click("Sign in")
	b.until(`document.querySelector("#nav:not([hidden])") && !document.querySelector("#name")`)
}

func quoted(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string is always JSON
	}
	return string(text)
}

// size makes the window of a size; a phone's is 390 wide.
func (b *tab) size(width, height int64) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1, Mobile: width < 600}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *tab) scheme(name string) {
	b.t.Helper()
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, media); err != nil {
		b.t.Fatal(err)
	}
}

// picture keeps a picture where SCREENSHOTS names a folder.
func (b *tab) picture(name string) {
	b.t.Helper()
	dir := os.Getenv("SCREENSHOTS")
	if dir == "" {
		return
	}
	take := chromedp.FullScreenshot(100)
	if eval[bool](b, `Boolean(document.querySelector("dialog[open]"))`) {
		take = chromedp.CaptureScreenshot()
	}
	picture, err := chromedp.Run(b.ctx, take)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o600); err != nil {
		b.t.Fatal(err)
	}
}
