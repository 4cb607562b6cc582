package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// generator makes values by a schema, and worse ones.
type generator struct {
	*rand.Rand
	document *document
	// known are the identifiers that answers told of, by the kind of thing.
	known map[string][]string
	// kind is the kind of thing that the request is about: the path's second part.
	kind string
	// samples counts samples: each is later than the ones before.
	samples int
}

// raw is written as it is, and may be no JSON.
type raw string

func pick[T any](g *generator, all ...T) T { return all[g.IntN(len(all))] }

// descriptions are valid. No tick changes a size of theirs.
var descriptions = []string{
	empty, oneNode,
	"name: shop\ninterval: 1s\nqueries: {q: up, r: 'sum(rate(r[1m]))'}\ngroups:\n  - {name: web, cloud: local, min: 0, max: 5, initial: 1}\n  - {name: db, cloud: local, min: 0, max: 2, initial: 0}\n",
	"name: other\ngroups:\n  - {name: web, cloud: local, min: 0, max: 2, initial: 0, optimizer: {inputs: [q], targets: [{query: l, max: 1}]}}\nqueries: {q: up, l: up}\n",
}

// examples are values for what a schema calls a string and is more than that.
func (g *generator) example(name string) (string, bool) {
	switch name {
	case "text":
		return g.description(), true
	case "file":
		return "shop.yaml", true
	case "trace":
		return pick(g, "t_seconds,requests_per_second\n0,10\n60,20\n120,15\n", "t_seconds,requests_per_second\n0,1\n", ""), true
	case "policies":
		return pick(g, "hpa60", "target60", "step"), true
	case "application":
		return pick(g, "shop", "shop", "other", "absent"), true
	case "group":
		return pick(g, "web", "web", "db", "absent"), true
	case "node":
		return pick(g, "web-0001", "id-web-0001", "10.0.0.1"), true
	case "name":
		names := map[string][]string{"optimizers": {"one", "one", "other.web"}, "credentials": {"default", "second"}, "users": {"eve", "adam"}}[g.kind]
		return pick(g, append(names, "absent")...), true
	case "archive":
		return "", true
	case "type":
		return pick(g, "ec2", "ec2", "ec2", "openstack"), true
	case "password":
		return "correct horse battery", true
	case "expires_at":
		return time.Now().Add(time.Hour).Format(time.RFC3339), true
	case "from":
		return time.Now().Add(-time.Hour).UTC().Format(time.RFC3339), true
	case "page_token", "If-Match", "If-None-Match":
		return pick(g, "", "", "*", "c2hvcA"), true
	}
	return "", false
}

// description is one that is valid, or was.
func (g *generator) description() string {
	text := pick(g, descriptions...)
	for range pick(g, 0, 0, 1, 3) {
		at := g.IntN(len(text) + 1)
		switch g.IntN(4) {
		case 0:
			text = text[:at] + text[min(len(text), at+g.IntN(20)):]
		case 1:
			text = text[:at] + pick(g, "\x00", "\t", "&a [*a]", "!!binary x", "<<: *b", "? [", "}", "- ", ": ", "'", "\xff", "1e400", "-1", "null", "\u2028") + text[at:]
		case 2:
			text += text[at:]
		default:
			text = strings.Replace(text, pick(g, "shop", "web", "local", "max", "0", "q"), pick(g, "", "../x", "ec2", "min", "99999999999999999999", "*", "{}"), 1)
		}
	}
	return text
}

// working is a body that an operation takes, where the schema alone does not lead there.
func (g *generator) working(operation string) any {
	switch operation {
	case "submit-application", "validate-application", "plan-application":
		return map[string]any{"file": "shop.yaml", "text": pick(g, descriptions...)}
	case "put-application":
		return map[string]any{"file": "shop.yaml", "text": descriptions[g.IntN(3)]}
	case "configure-optimizer":
		return map[string]any{"inputs": []any{"q"}, "targets": []any{map[string]any{"name": "l", "max": 1}}}
	case "learn":
		var samples []any
		for range g.IntN(20) {
			g.samples++
			samples = append(samples, map[string]any{"at": 1_700_000_000 + 60*g.samples, "nodes": 1 + g.IntN(5), "values": map[string]any{"q": g.Float64(), "l": g.Float64()}})
		}
		return map[string]any{"samples": samples}
	case "put-credentials":
		return map[string]any{"auth_data": map[string]any{"accesskey": "AKIAFUZZ", "secretkey": "not one"}}
	case "start-backtest":
		trace := "t_seconds,requests_per_second\n"
		for i := range 60 {
			trace += fmt.Sprintf("%d,%d\n", i*60, 20+g.IntN(30))
		}
		return map[string]any{"trace": trace, "policies": []any{"hpa60"}, "nodes": 5}
	}
	return nil
}

// valid is a value of the schema; name is that of the property or parameter.
func (g *generator) valid(schema map[string]any, name string, depth int) any {
	schema = g.document.resolve(schema)
	if all, ok := schema["enum"].([]any); ok {
		return pick(g, all...)
	}
	kind := ""
	switch of := schema["type"].(type) {
	case string:
		kind = of
	case []any:
		kind = of[0].(string)
	}
	switch kind {
	case "string":
		if text, ok := g.example(name); ok {
			return text
		}
		if schema["format"] == "date-time" {
			return time.Unix(g.Int64N(4e9), 0).UTC().Format(time.RFC3339)
		}
		return pick(g, "a", "web", "q", "cpu", "10")
	case "integer":
		return number(schema, "minimum", 0) + int64(g.IntN(4))
	case "number":
		return float64(number(schema, "exclusiveMinimum", 0)) + 1 + g.Float64()
	case "boolean":
		return g.IntN(2) == 0
	case "array":
		items, _ := schema["items"].(map[string]any)
		list := []any{}
		for range max(int(number(schema, "minItems", 0)), g.IntN(3)) {
			list = append(list, g.valid(items, name, depth+1))
		}
		return list
	case "object":
		return g.object(schema, depth)
	}
	return pick(g, any("x"), any(1), nil, any(map[string]any{"a": "b"}))
}

func (g *generator) object(schema map[string]any, depth int) any {
	object := map[string]any{}
	required, _ := schema["required"].([]any)
	properties, _ := schema["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if slices.Contains(required, any(name)) || depth < 6 && g.IntN(2) == 0 {
			object[name] = g.valid(properties[name].(map[string]any), name, depth+1)
		}
	}
	if more, ok := schema["additionalProperties"].(map[string]any); ok {
		for range g.IntN(3) {
			object[pick(g, "q", "cpu", "accesskey", "secretkey")] = g.valid(more, "", depth+1)
		}
	}
	return object
}

func number(schema map[string]any, key string, otherwise int64) int64 {
	if n, ok := schema[key].(json.Number); ok {
		if i, err := n.Int64(); err == nil {
			return i
		}
	}
	return otherwise
}

// hostile is a value that breaks what does not expect it.
func (g *generator) hostile() any {
	return pick[any](g,
		nil, true, 0, -1, 1<<40, int64(math.MaxInt64), int64(math.MinInt64), 1e308, 0.1,
		raw("1e400"), raw("-0"), raw("1e-400"), raw("99999999999999999999999"), raw("NaN"), raw("Infinity"), raw("01"),
		"", " ", "\x00", "\x1b]0;x\x07", "a\r\nSet-Cookie: b=c", "../../../etc/passwd", "/etc/passwd", "file:///etc/passwd", "%2e%2e%2f",
		strings.Repeat("A", 70_000), "\u202e", "💥", "' OR 1=1; --", "${jndi:ldap://127.0.0.1/x}", "{{7*7}}", "<script>", "*", "W/\"x\"",
		"2026-02-30T25:61:61Z", "9999-12-31T23:59:59Z", "0000-01-01T00:00:00Z", "-9223372036854775808", "1e9", "1e300", "0x10", "１２",
		raw(`"\ud800"`), raw("\"\xff\xfe\""), raw("\"\x01\""), raw(`{"a":1,"a":2}`), raw(""), raw("}"),
		raw(strings.Repeat("[", 200)+strings.Repeat("]", 200)), raw(strings.Repeat(`{"a":`, 20_000)),
		[]any{}, []any{nil}, map[string]any{}, map[string]any{"": ""}, map[string]any{"__proto__": map[string]any{}}, map[string]any{"$ref": "#"},
	)
}

// spoil changes one place of a value.
func (g *generator) spoil(value any) any {
	places := []func(any){func(v any) { value = v }}
	var objects []map[string]any
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			objects = append(objects, v)
			for _, key := range slices.Sorted(maps.Keys(v)) {
				places = append(places, func(to any) { v[key] = to })
				walk(v[key])
			}
		case []any:
			for i := range v {
				places = append(places, func(to any) { v[i] = to })
				walk(v[i])
			}
		}
	}
	walk(value)
	if len(objects) > 0 && g.IntN(3) == 0 {
		object := pick(g, objects...)
		if keys := slices.Sorted(maps.Keys(object)); len(keys) > 0 && g.IntN(2) == 0 {
			delete(object, pick(g, keys...))
		} else {
			object[pick(g, "more", "", "\x00", "$schema", "Text")] = g.hostile()
		}
		return value
	}
	// The inner places more often than the whole.
	places[len(places)-1-g.IntN(len(places))](g.hostile())
	return value
}

// encode writes a value, in the same way each time.
func encode(b *bytes.Buffer, value any) {
	switch v := value.(type) {
	case raw:
		b.WriteString(string(v))
	case map[string]any:
		b.WriteByte('{')
		for i, key := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				b.WriteByte(',')
			}
			encode(b, key)
			b.WriteByte(':')
			encode(b, v[key])
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for i, one := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			encode(b, one)
		}
		b.WriteByte(']')
	default:
		text, err := json.Marshal(v)
		if err != nil {
			panic(err) // of our own values
		}
		b.Write(text)
	}
}

// plain is a value as text outside JSON.
func plain(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case raw:
		return string(v)
	}
	var b bytes.Buffer
	encode(&b, value)
	return b.String()
}
