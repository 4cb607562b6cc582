package strictyaml

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzDecode checks on any text that Decode answers, the same each time, that
// every mistake stands in the text, and that nothing but a mistake-free text
// gives a nil error.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		"", "#", "---", "...", "name: x", "name: x\n---\nname: y", "\ufeffname: x\r\n", "%YAML 1.2\n---\nname: x\n",
		"name: kew\ncolour: green\nopen: true\nwidth: 5e-1\ntrees: 0x10\nponds: 200\nevery: 1h30m\nleast: -3\n",
		"name: x\nbeds:\n  - plant: oak\n    count: +2\n  - {plant: \"12\", count: 0o17}\n  -\n- x\n",
		"name: &n x\nmain: &b {plant: *n}\nbeds: [*b, {<<: *b}, {<<: [*b, *b], count: 1}]\nextra: &e {a: *e}\n",
		"diary: |2-\n    dear\n  diary\nname: >+\n  a\n\n  b\n\n", "diary: |\n\n\n x\n\n", "diary: 'it''s\n\n  so'\nname: \"a\\n\\u00e9\\\n  b\"\n",
		"extra:\n  a: [1, 1.5, .inf, ~, [x], {b: c}]\n  d: {e: {f: }}\n  ? g\n  : h\n", "{\"name\": \"x\", \"beds\": [{\"plant\": \"y\"}]}",
		"name: !!str 5\nmain: !x {a: !y b}\n", "a: b: c\n", "a:\n\tb: 1\n", "a: [1, 2\n", "a: 'x\n", "a: {b}\n", "[a: b, c]: d\n",
		"&a k: v\n&b k: *a\n*a : x\n", "- - - a\n- ? b\n", "a: |x\n", "@", "`", "a: -\n", "\"k\ney\": 1\n", ":\n", ": :\n", "? ? ?", "a: &\nb: *\n", "!", "<<: <<\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var first, second garden
		doc, err := Decode("f.yaml", text, &first)
		_, again := Decode("f.yaml", text, &second)
		if diff := cmp.Diff(first, second); diff != "" {
			t.Errorf("Decode() differs the second time:\n%s", diff)
		}
		if err == nil {
			if again != nil || doc == nil || first.Name == "" && !doc.Has("name") {
				t.Errorf("Decode() = %v, %v without its required key, then %v", doc, err, again)
			}
			return
		}
		var mistakes Mistakes
		if !errors.As(err, &mistakes) || err.Error() != again.Error() {
			t.Fatalf("Decode() error = %T %v, then %v", err, err, again)
		}
		lines := strings.Count(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(text)), "\n") + 1
		for _, m := range mistakes {
			if m.Line < 1 || m.Line > lines || m.Column < 1 || m.What == "" || strings.Contains(m.String(), "\n") {
				t.Errorf("mistake %+v does not stand in a text of %d lines", m, lines)
			}
			if strings.HasPrefix(m.What, "cannot be decoded") {
				t.Errorf("Decode() panicked: %v", m)
			}
		}
	})
}
