package consoletest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// Window is a size that pages are looked at in.
type Window struct {
	// Name is the end of the names of pictures.
	Name          string
	Width, Height int64
}

// Desk and Phone are the sizes that every page has to look right in.
var (
	Desk  = Window{"", 1280, 900}
	Phone = Window{"-phone", 390, 844}
)

// Size makes the window of a size.
func (b *Tab) Size(w Window) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: w.Width, Height: w.Height, DeviceScaleFactor: 1, Mobile: w.Width < 600}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *Tab) scheme(name string) {
	b.t.Helper()
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, media); err != nil {
		b.t.Fatal(err)
	}
}

// Look looks at the page as it is in both sizes, light and dark: it may not scroll
// sideways, axe-core may find nothing serious, and where SCREENSHOTS names a folder
// pictures are kept there.
func (b *Tab) Look(name string) {
	b.t.Helper()
	for _, w := range []Window{Phone, Desk} {
		b.Size(w)
		b.LookAt(name + w.Name)
	}
}

// LookAt is Look in the size that the window has.
func (b *Tab) LookAt(name string) {
	b.t.Helper()
	for _, scheme := range []string{"dark", "light"} {
		b.scheme(scheme)
		name := name + "-" + scheme
		if by := Eval[int](b, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); by > 0 {
			b.t.Errorf("%s scrolls sideways by %d pixels", name, by)
		}
		b.picture(name)
		b.judge(name)
	}
}

// picture keeps a picture where SCREENSHOTS names a folder: of the whole page, or of
// the window where a dialog is over it.
func (b *Tab) picture(name string) {
	b.t.Helper()
	dir := os.Getenv("SCREENSHOTS")
	if dir == "" {
		return
	}
	take := chromedp.FullScreenshot(100)
	if Eval[bool](b, `Boolean(document.querySelector("dialog[open]"))`) {
		take = chromedp.CaptureScreenshot()
	}
	picture, err := chromedp.Run(b.ctx, take)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// axeCore is the text of axe-core, from the file that AXE names or from where make
// console-test puts it, and empty where there is none.
func axeCore(t *testing.T) string {
	t.Helper()
	path := os.Getenv("AXE")
	for dir := "."; path == ""; dir = filepath.Join(dir, "..") {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			path = filepath.Join(dir, "bin", "node_modules", "axe-core", "axe.min.js")
		} else if len(dir) > 60 {
			break // not in the repository
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Logf("accessibility is not judged: there is no axe-core (make console-test fetches it): %v", err)
		return ""
	}
	return string(text)
}

// judge reports what axe-core finds serious or critical.
func (b *Tab) judge(name string) {
	b.t.Helper()
	if b.axe == "" {
		return
	}
	if !Eval[bool](b, `Boolean(window.axe)`) {
		Eval[bool](b, b.axe+"\n;true")
	}
	found := Eval[string](b, `axe.run(document, {resultTypes: ["violations"]}).then((r) => JSON.stringify(r.violations.map((v) => ({id: v.id, impact: v.impact, help: v.help, nodes: v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160) + " " + (n.failureSummary || "").slice(0, 200))}))))`)
	var violations []struct {
		ID, Impact, Help string
		Nodes            []string
	}
	if err := json.Unmarshal([]byte(found), &violations); err != nil {
		b.t.Fatal(err)
	}
	for _, v := range violations {
		text := fmt.Sprintf("%s: axe-core: %s %s: %s\n  %s", name, v.Impact, v.ID, v.Help, strings.Join(v.Nodes, "\n  "))
		if v.Impact == "serious" || v.Impact == "critical" {
			b.t.Error(text)
		} else {
			b.t.Log(text)
		}
	}
}

// The budget of a page: milliseconds to its first paint, and bytes of all its files.
const (
	firstPaint = 300
	pageBytes  = 300_000
)

// Budget loads the page as on a first visit, a few times, and logs and judges how soon it
// is first painted, and how many bytes its files have. A busy machine makes a load slow,
// so the fastest one counts, of as many as it takes up to twenty.
func (b *Tab) Budget(what, ready string) {
	b.t.Helper()
	cache := func(off bool) {
		if _, err := chromedp.Call(b.ctx, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: off}); err != nil {
			b.t.Fatal(err)
		}
	}
	cache(true)
	defer cache(false)
	var paints []float64
	for len(paints) < 5 || len(paints) < 20 && slices.Min(paints) >= firstPaint {
		b.Do(chromedp.Reload())
		b.Until(ready)
		b.Until(`performance.getEntriesByName("first-contentful-paint").length`)
		paints = append(paints, Eval[float64](b, `performance.getEntriesByName("first-contentful-paint")[0].startTime`))
	}
	const sum = `[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")].filter((e) => (e.initiatorType === "fetch") === %t).reduce((n, e) => n + e.encodedBodySize, 0)`
	files, answers := Eval[int](b, fmt.Sprintf(sum, false)), Eval[int](b, fmt.Sprintf(sum, true))
	slices.Sort(paints)
	b.t.Logf("%s: first paint after %.0f ms (the fastest of %d loads, their median %.0f ms), files of %d bytes, answers of %d", what, paints[0], len(paints), paints[len(paints)/2], files, answers)
	if paints[0] >= firstPaint {
		b.t.Errorf("%s is first painted after %.0f ms at best, want less than %d ms", what, paints[0], firstPaint)
	}
	if files < pageBytes/100 || files >= pageBytes {
		b.t.Errorf("%s loads files of %d bytes, want fewer than %d", what, files, pageBytes)
	}
}
