package oidc_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/scalerd/scalerd/scaler/access"
	"github.com/scalerd/scalerd/scaler/access/oidc"
	"github.com/scalerd/scalerd/scaler/access/oidc/oidctest"
	"github.com/scalerd/scalerd/scaler/api"
	"github.com/scalerd/scalerd/scaler/console"
)

// TestTheConsoleSignsIn clicks the button in a browser, for which the provider is another
// site: the cookies have to come along, and the session's to be there afterwards.
func TestTheConsoleSignsIn(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts a browser")
	}
	browser, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("there is no chromium to sign in with")
	}
	issuer := oidctest.New(t, true)
	guard, err := access.Open(t.Context(), forgetful{}, access.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(nil)
	url := "http://" + server.Listener.Addr().String()
	provider, err := oidc.New(oidc.Config{
		Issuer: issuer.Address(), ClientID: oidctest.ClientID, SecretFile: write(t, t.TempDir(), "secret", oidctest.Secret),
		RedirectURL: url + oidc.CallbackPath, NameClaim: "preferred_username", RolesClaim: "groups", Label: "Sign in with Example",
		Roles: map[string]access.Role{"operators": access.Operator}, Log: slog.New(slog.DiscardHandler),
	}, guard)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", console.Handler())
	mux.Handle("GET "+console.Prefix, console.Handler())
	mux.Handle("/login/", provider.Handler())
	mux.Handle("/logout", guard.Login())
	mux.Handle("GET /v1/me", console.WithoutPrompt(guard.Handler(api.Handler(api.Config{Guard: guard, Version: "test"}))))
	mux.HandleFunc("GET /v1/", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"items": []}`) })
	server.Config.Handler = mux
	server.Start()
	t.Cleanup(server.CloseClientConnections)
	t.Cleanup(server.Close)

	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser), chromedp.NoSandbox)
	allocated, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, end := chromedp.NewContext(allocated)
	t.Cleanup(end)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	p := page{t, ctx}
	if err := chromedp.Do(ctx, chromedp.Navigate(url+"/#/decisions")); err != nil {
		t.Fatal(err)
	}
	p.until(`document.querySelector(".signin a")?.textContent === "Sign in with Example"`)
	p.until(`document.querySelector(".signin a").click() || true`)
	p.until(`document.querySelector("#who .name")?.textContent.startsWith("olga")`)
	p.until(fmt.Sprintf(`location.href === %q`, url+"/#/decisions"))
	p.until(`document.cookie === ""`) // a script sees none
	p.until(`[...document.querySelectorAll("button")].find((b) => b.textContent === "Sign out").click() || true`)
	p.until(`document.querySelector(".signin a")`)

	issuer.Claims = map[string]any{"groups": []string{"staff"}}
	p.until(`document.querySelector(".signin a").click() || true`)
	p.until(`document.querySelector("[role=alert]")?.textContent === "olga is in no group that has a role here: ask an admin of scalerd"`)
	p.until(`getComputedStyle(document.querySelector(".signin")).display === "grid"`) // the stylesheet is there
}

type page struct {
	t   *testing.T
	ctx context.Context
}

// until waits for a script to be true; while a page goes, there is none to ask.
func (p page) until(script string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 40*time.Second)
	defer cancel()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for {
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("Boolean("+script+")"))
		if ok {
			return
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			text, _ := chromedp.Run(p.ctx, chromedp.Evaluate[string]("location.href + ' ' + document.body.innerText"))
			p.t.Fatalf("it did not come about: %s (%v); the page shows: %s", script, err, text)
		}
	}
}
