package api_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/api"
)

func TestAnAnswerThatTheClientHasIsNotSentAgain(t *testing.T) {
	client, handler := serve(t)
	for _, name := range []string{"bar", "shop"} {
		if _, err := client.Submit(t.Context(), api.Description{Text: strings.Replace(empty, "shop", name, 1) + "interval: 1h\n"}); err != nil {
			t.Fatal(err)
		}
	}
	waitUntil(t, func() bool {
		all, err := client.Applications(t.Context())
		return err == nil && len(all) == 2 && all[0].Settled && all[1].Settled
	})
	const path = "/v1/applications"
	first := request(t, handler, "GET", path, nil)
	etag := first.Header().Get("ETag")
	if first.Code != 200 || etag == "" || first.Header().Get("Cache-Control") != "private, no-cache" {
		t.Fatalf("GET %s = %d %v, want 200 with an ETag, for the client's cache only", path, first.Code, first.Header())
	}
	for _, known := range []string{etag, `"other", ` + etag, strings.TrimPrefix(etag, "W/"), "*"} {
		again := request(t, handler, "GET", path, nil, "If-None-Match", known)
		if again.Code != 304 || again.Body.Len() != 0 || again.Header().Get("ETag") != etag {
			t.Errorf("If-None-Match: %s = %d with %d bytes, want 304 without a body", known, again.Code, again.Body.Len())
		}
	}
	for _, other := range []string{path + "?limit=1", path + "?limit=1&page_token=YmFy"} {
		if answer := request(t, handler, "GET", other, nil, "If-None-Match", etag); answer.Code != 200 {
			t.Errorf("GET %s with the ETag of another page = %d, want 200", other, answer.Code)
		}
	}
	if _, err := client.Pause(t.Context(), "shop", "", true); err != nil {
		t.Fatal(err)
	}
	changed := request(t, handler, "GET", path, nil, "If-None-Match", etag)
	if page := decode[api.Page[scaler.ApplicationStatus]](t, changed); changed.Code != 200 || len(page.Items) != 2 || !page.Items[1].Paused {
		t.Errorf("GET %s after a change = %d %s, want shop paused", path, changed.Code, changed.Body)
	}
}

func TestAnAnswerIsCompressedForWhoTakesIt(t *testing.T) {
	client, handler := serve(t)
	if _, err := client.Submit(t.Context(), api.Description{Text: empty + "interval: 1h\n"}); err != nil {
		t.Fatal(err)
	}
	waitUntil(t, func() bool {
		a, err := client.Application(t.Context(), "shop")
		return err == nil && a.Settled
	})
	plain := request(t, handler, "GET", "/v1/applications", nil).Body.Bytes()
	for accept, packed := range map[string]bool{
		"gzip": true, "br, GZIP;q=0.5": true, "gzip; q=1": true,
		"": false, "br": false, "gzip;q=0": false, "gzip;q=x": false, "identity, gzip;q=0.0": false, "*;q=0": false,
	} {
		answer := request(t, handler, "GET", "/v1/applications", nil, "Accept-Encoding", accept)
		text := answer.Body.Bytes()
		if got := answer.Header().Get("Content-Encoding") == "gzip"; got != packed || answer.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("Accept-Encoding %q: compressed %v, Vary %q, want %v", accept, got, answer.Header().Get("Vary"), packed)
		}
		if packed {
			r, err := gzip.NewReader(bytes.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			if text, err = io.ReadAll(r); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(text, plain) {
			t.Errorf("Accept-Encoding %q: %s, want %s", accept, text, plain)
		}
	}
}
