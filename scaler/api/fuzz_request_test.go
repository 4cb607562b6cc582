package api_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// request makes a request of an operation.
func (f *fuzzed) request(o documented) *http.Request {
	f.t.Helper()
	spoiled := f.IntN(2) > 0
	path := o.path
	f.kind = strings.Split(path, "/")[2]
	for _, p := range o.parameters("path") {
		name := p["name"].(string)
		value := plain(f.valid(p["schema"].(map[string]any), name, 0))
		if ids := f.known[f.kind]; name == "id" && len(ids) > 0 {
			value = pick(f.generator, ids...)
		}
		if spoiled && f.IntN(4) == 0 {
			value = plain(f.hostile())
		}
		path = strings.Replace(path, "{"+name+"}", url.PathEscape(value[:min(len(value), 4000)]), 1)
	}
	var query []string
	for _, p := range o.parameters("query") {
		name := p["name"].(string)
		if p["required"] != true && f.IntN(3) > 0 {
			continue
		}
		value := plain(f.valid(p["schema"].(map[string]any), name, 0))
		if spoiled && f.IntN(3) == 0 {
			value = plain(f.hostile())
		}
		query = append(query, url.QueryEscape(name)+"="+url.QueryEscape(value[:min(len(value), 4000)]))
	}
	if spoiled && f.IntN(4) == 0 {
		query = append(query, pick(f.generator, "more=1", "%zz=%zz", "limit=5&limit=6", ";;=&&", "=x", "node[a]=b"))
	}
	payload, kind := f.payload(o, spoiled)
	r, err := http.NewRequestWithContext(f.t.Context(), o.method, f.server.URL, bytes.NewReader(payload))
	if err != nil {
		f.t.Fatal(err)
	}
	r.URL.Opaque = "//" + r.URL.Host + path // as it is, without cleaning
	r.URL.RawQuery = strings.Join(query, "&")
	r.Header.Set("Authorization", "Bearer "+f.token)
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	for _, p := range o.parameters("header") {
		name := p["name"].(string)
		switch {
		case name != "Accept-Encoding" && spoiled && f.IntN(3) == 0:
			r.Header.Set(name, headerText(plain(f.hostile())))
		case f.IntN(4) == 0:
			r.Header.Set(name, plain(f.valid(p["schema"].(map[string]any), name, 0)))
		}
	}
	if spoiled && f.IntN(4) == 0 {
		name := pick(f.generator, "Accept", "Idempotency-Key", "X-Forwarded-For", "Range", "Accept-Language", "If-Modified-Since", "Cookie")
		r.Header.Set(name, headerText(plain(f.hostile())))
	}
	return r
}

// headerText is what can be sent in a header.
func headerText(text string) string {
	text = strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return -1
		}
		return c
	}, text)
	return text[:min(len(text), 2000)]
}

// payload is a body with its type.
func (f *fuzzed) payload(o documented, spoiled bool) ([]byte, string) {
	schema, kind := o.body()
	if schema == nil && kind == "" {
		if spoiled && f.IntN(4) == 0 {
			return []byte(plain(f.hostile())), "application/json"
		}
		return nil, ""
	}
	var b bytes.Buffer
	if kind != "application/json" {
		b.WriteString(pick(f.generator, "timestamp,vm_number,q,l\n1,2,3,4\n", "{}", "", plain(f.hostile())))
		return b.Bytes(), kind
	}
	value := f.working(o.o["operationId"].(string))
	if value == nil || f.IntN(3) == 0 {
		value = f.valid(schema, "", 0)
	}
	if spoiled {
		for range 1 + f.IntN(3) {
			value = f.spoil(value)
		}
		if f.IntN(6) == 0 {
			kind = pick(f.generator, "", "text/plain", "application/xml", "application/json; charset=utf-16", "multipart/form-data; boundary=x", "application/cbor", "x", "application/json, text/html")
		}
	}
	encode(&b, value)
	return b.Bytes(), kind
}

func describe(r *http.Request) string {
	var body []byte
	if r.GetBody != nil {
		if b, err := r.GetBody(); err == nil {
			body, _ = io.ReadAll(b) // of memory
		}
	}
	header := r.Header.Clone()
	header.Del("Authorization")
	return fmt.Sprintf("%s %s?%s %q %.800q", r.Method, strings.TrimPrefix(r.URL.Opaque, "//"+r.URL.Host), r.URL.RawQuery, header, body)
}
