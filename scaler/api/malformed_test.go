package api_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/scalerd/scalerd/scaler/api"
)

// TestMalformedRequestsChangeNothing sends what no HTTP library sends.
func TestMalformedRequestsChangeNothing(t *testing.T) {
	f := fuzzTarget(t)
	f.prepare()
	before := f.kept()
	const end = "\r\n\r\n"
	head := func(line string) string {
		return line + "\r\nHost: x\r\nAuthorization: Bearer " + f.token + "\r\n"
	}
	destroy := head("DELETE /v1/applications/shop HTTP/1.1")
	for what, sent := range map[string]string{
		"a NUL in a header":                "GET /v1/me HTTP/1.1\r\nHost: x\r\nX-A: a\x00b" + end,
		"a control character in a name":    "GET /v1/me HTTP/1.1\r\nHost: x\r\nX\x01A: b" + end,
		"a header without a colon":         destroy + "X-A" + end,
		"a folded header":                  destroy + " folded: x" + end,
		"a blank before the colon":         destroy + "X-A : b" + end,
		"two hosts":                        destroy + "Host: y" + end,
		"no host":                          "DELETE /v1/applications/shop HTTP/1.1\r\nAuthorization: Bearer " + f.token + end,
		"two lengths":                      destroy + "Content-Length: 1\r\nContent-Length: 2" + end,
		"a negative length":                destroy + "Content-Length: -1" + end,
		"a huge length":                    destroy + "Content-Length: 99999999999999999999" + end,
		"an unknown transfer coding":       destroy + "Transfer-Encoding: gzip, chunked" + end,
		"a chunk that is no number":        head("POST /v1/applications HTTP/1.1") + "Content-Type: application/json\r\nTransfer-Encoding: chunked" + end + "zz\r\n{}\r\n0" + end,
		"a blank in the path":              head("DELETE /v1/applications/shop x HTTP/1.1") + end,
		"a NUL in the path":                head("DELETE /v1/applications/sh\x00op HTTP/1.1") + end,
		"a broken escape in the path":      head("DELETE /v1/applications/%zz HTTP/1.1") + end,
		"dots that lead to another path":   head("DELETE /v1/optimizers/../applications/shop HTTP/1.1") + end,
		"an encoded slash":                 head("DELETE /v1%2fapplications%2fshop HTTP/1.1") + end,
		"a method that is none":            head("DEL ETE /v1/applications/shop HTTP/1.1") + end,
		"a version that is none":           head("DELETE /v1/applications/shop HTTP/9.9") + end,
		"TLS on a port without":            "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("\x00", 600) + end,
		"a second request in a short body": head("POST /v1/validate HTTP/1.1") + "Content-Type: application/json\r\nContent-Length: 300" + end + destroy + end,
	} {
		conn, err := net.Dial("tcp", f.server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, sent); err != nil {
			t.Fatal(err)
		}
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Errorf("%s: %v, want an answer", what, err)
		} else if res.StatusCode < 300 || res.StatusCode >= 500 && res.StatusCode != http.StatusNotImplemented && res.StatusCode != http.StatusHTTPVersionNotSupported {
			t.Errorf("%s: %s, want a refusal", what, res.Status)
		}
		conn.Close()
	}
	f.prepare()
	if after := f.kept(); after != before {
		t.Errorf("malformed requests changed\n%s\nto\n%s", before, after)
	}
	if text := f.log.String(); strings.Contains(text, "panic") {
		t.Errorf("the server panicked: %s", text)
	}
}

// TestNobodysBodyIsNotKept sends large bodies with a key that asks to keep them, from whom
// nobody knows.
func TestNobodysBodyIsNotKept(t *testing.T) {
	service, operations := running(t, newGated())
	handler := api.Handler(api.Config{Service: service, Operations: operations})
	body := &endless{}
	r := httptest.NewRequest(http.MethodPost, "/v1/applications", body)
	r.Header.Set("Idempotency-Key", "k")
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, r)
	if answer.Code != http.StatusUnauthorized || body.read > 0 {
		t.Errorf("POST by nobody = %d after %d bytes of the body, want 401 and none", answer.Code, body.read)
	}
}

// endless is a body without an end.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	e.read += len(p)
	return len(p), nil
}
