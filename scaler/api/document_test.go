package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// document is the OpenAPI document that the API serves of itself.
type document struct {
	whole    map[string]any
	compiler *jsonschema.Compiler
	schemas  map[string]*jsonschema.Schema
}

// documented is one operation of the document.
type documented struct {
	method, path string
	o            map[string]any
}

func (o documented) String() string { return o.method + " " + o.path }

func readDocument(t testing.TB, handler http.Handler) *document {
	t.Helper()
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/openapi.json", nil))
	whole, err := jsonschema.UnmarshalJSON(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	d := &document{whole: whole.(map[string]any), compiler: jsonschema.NewCompiler(), schemas: map[string]*jsonschema.Schema{}}
	d.compiler.AssertFormat()
	if err := d.compiler.AddResource("openapi.json", whole); err != nil {
		t.Fatal(err)
	}
	return d
}

// operations are all operations, by path and method.
func (d *document) operations() []documented {
	var all []documented
	paths := d.whole["paths"].(map[string]any)
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		item := paths[path].(map[string]any)
		for _, method := range slices.Sorted(maps.Keys(item)) {
			all = append(all, documented{strings.ToUpper(method), path, item[method].(map[string]any)})
		}
	}
	return all
}

// resolve follows references.
func (d *document) resolve(schema map[string]any) map[string]any {
	for {
		ref, ok := schema["$ref"].(string)
		if !ok {
			return schema
		}
		var at any = d.whole
		for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
			at = at.(map[string]any)[part]
		}
		schema = at.(map[string]any)
	}
}

// parameters are those in the path, the query or the headers.
func (o documented) parameters(in string) []map[string]any {
	var found []map[string]any
	all, _ := o.o["parameters"].([]any)
	for _, p := range all {
		if p := p.(map[string]any); p["in"] == in {
			found = append(found, p)
		}
	}
	return found
}

// body is the schema of the request's body with its media type, or nil.
func (o documented) body() (map[string]any, string) {
	request, ok := o.o["requestBody"].(map[string]any)
	if !ok {
		return nil, ""
	}
	content := request["content"].(map[string]any)
	for _, kind := range slices.Sorted(maps.Keys(content)) {
		schema, _ := content[kind].(map[string]any)["schema"].(map[string]any)
		return schema, kind
	}
	return nil, ""
}

// conforms says how an answer differs from what the document says of it.
func (d *document) conforms(o documented, status int, header http.Header, body []byte) error {
	responses := o.o["responses"].(map[string]any)
	code := strconv.Itoa(status)
	response, ok := responses[code].(map[string]any)
	if !ok && status >= 400 {
		code = "default"
		response, ok = responses[code].(map[string]any)
	}
	if !ok {
		return fmt.Errorf("the document has no status %d", status)
	}
	content, _ := response["content"].(map[string]any)
	kind, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	switch {
	case len(content) == 0 && len(body) == 0:
		return nil
	case err != nil:
		return fmt.Errorf("Content-Type %q: %w", header.Get("Content-Type"), err)
	case content[kind] == nil:
		return fmt.Errorf("the document has no %s at status %d, but %v", kind, status, slices.Sorted(maps.Keys(content)))
	case status >= 400 && kind != "application/problem+json":
		return fmt.Errorf("a %d of type %s, want a problem", status, kind)
	case kind != "application/json" && kind != "application/problem+json":
		return nil
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("the body is no JSON: %w", err)
	}
	if status >= 400 {
		if said, ok := value.(map[string]any)["status"].(json.Number); !ok || said.String() != strconv.Itoa(status) {
			return fmt.Errorf("the problem says status %v", value.(map[string]any)["status"])
		}
	}
	return d.schema(o, code, kind).Validate(value)
}

// schema is that of an answer's body.
func (d *document) schema(o documented, code, kind string) *jsonschema.Schema {
	pointer := "openapi.json#"
	for _, part := range []string{"paths", o.path, strings.ToLower(o.method), "responses", code, "content", kind, "schema"} {
		pointer += "/" + url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(part))
	}
	if d.schemas[pointer] == nil {
		d.schemas[pointer] = d.compiler.MustCompile(pointer)
	}
	return d.schemas[pointer]
}
