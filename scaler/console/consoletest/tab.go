// Package consoletest drives the console in headless Chromium, for tests: as a person
// sees it, with axe-core as the judge of how usable it is without eyes or a mouse.
package consoletest

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Tab is a page in headless Chromium, with what it complains about. It is used by one
// goroutine.
type Tab struct {
	t   *testing.T
	ctx context.Context
	url string
	// axe is the text of axe-core, empty where there is none.
	axe string

	mu   sync.Mutex
	said []string
}

func (b *Tab) note(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.said = append(b.said, text)
}

// Complaints are the console's errors and warnings, exceptions, and requests to other
// hosts; empty where there is none.
func (b *Tab) Complaints() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(b.said, "\n")
}

// chromium is the path of a browser, or skips the test.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("there is no chromium to look at the console with")
	return ""
}

// Open starts a browser for the console at the address, such as https://127.0.0.1:9443,
// whose certificate nobody needs to have signed. It ends with the test, which is
// skipped where there is no browser.
func Open(t *testing.T, url string) *Tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium(t)), chromedp.NoSandbox, chromedp.IgnoreCertErrors, chromedp.WindowSize(1280, 900))
	allocated, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, end := chromedp.NewContext(allocated)
	t.Cleanup(end)
	b := &Tab{t: t, ctx: ctx, url: url, axe: axeCore(t)}
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

// Do runs steps of chromedp within a minute.
func (b *Tab) Do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("in the browser: %v; the page says %s", err, b.Complaints())
	}
}

// Eval is the value of a script, or of the promise that it gives.
func Eval[T any](b *Tab, script string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v; the page says %s", script, err, b.Complaints())
	}
	return v
}

// Until waits for a script to be true.
func (b *Tab) Until(script string) {
	b.t.Helper()
	look, deadline := time.NewTicker(50*time.Millisecond), time.After(40*time.Second)
	defer look.Stop()
	for !Eval[bool](b, "Boolean("+script+")") {
		select {
		case <-look.C:
		case <-deadline:
			b.t.Fatalf("it did not come about within 40 s: %s\nthe page shows: %s\nand says: %s", script, Eval[string](b, `document.body.innerText.slice(0, 1500)`), b.Complaints())
		}
	}
}

// Shows waits for words on the page, or in its open dialog.
func (b *Tab) Shows(words ...string) {
	b.t.Helper()
	for _, w := range words {
		b.Until(fmt.Sprintf(`(document.querySelector("dialog[open]") || document.body).innerText.includes(%s)`, Quoted(w)))
	}
}

// Click clicks on the first visible button or link with that text or label.
func (b *Tab) Click(text string) {
	b.t.Helper()
	find := fmt.Sprintf(`[...(document.querySelector("dialog[open]") || document).querySelectorAll("button, a, summary, label")].find((e) => (e.textContent.trim() === %[1]s || e.getAttribute("aria-label") === %[1]s) && e.offsetParent !== null && !e.disabled)`, Quoted(text))
	b.Until(find)
	Eval[bool](b, "("+find+".click(), true)")
}

// Type puts a text into the field of a selector.
func (b *Tab) Type(selector, text string) {
	b.t.Helper()
	b.Until(fmt.Sprintf(`document.querySelector(%s)`, Quoted(selector)))
	Eval[bool](b, fmt.Sprintf(`(() => { const e = document.querySelector(%s); e.focus(); e.value = %s; e.dispatchEvent(new Event("input", {bubbles: true})); return true; })()`, Quoted(selector), Quoted(text)))
}

// Press presses keys, such as kb.Enter, where the focus is.
func (b *Tab) Press(keys string) {
	b.t.Helper()
	b.Do(chromedp.KeyEvent(keys))
}

// Choose chooses the value of a list.
func (b *Tab) Choose(selector, value string) {
	b.t.Helper()
	b.Until(fmt.Sprintf(`document.querySelector(%s)`, Quoted(selector)))
	Eval[bool](b, fmt.Sprintf(`(() => { const e = document.querySelector(%s); e.value = %s; e.dispatchEvent(new Event("change", {bubbles: true})); return true; })()`, Quoted(selector), Quoted(value)))
}

// Visit loads the console's page anew.
func (b *Tab) Visit() {
	b.t.Helper()
	b.Do(chromedp.Navigate(b.url + "/"))
}

// GoTo goes to a page of the console, such as #/a/shop.
func (b *Tab) GoTo(hash string) {
	b.t.Helper()
	Eval[bool](b, fmt.Sprintf(`(location.hash = %s, true)`, Quoted(hash)))
}

// SignIn loads the page and signs in with the form.
func (b *Tab) SignIn(name, password string) {
	b.t.Helper()
	b.Visit()
	b.Type("#name", name)
	b.Type("#password", password)
	b.Click("Sign in")
	b.Until(`document.querySelector("#nav:not([hidden])") && !document.querySelector("#name")`)
}

// Quoted is a text as a script has it.
func Quoted(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string is always JSON
	}
	return string(text)
}
