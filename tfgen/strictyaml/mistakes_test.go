package strictyaml

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const gardenKeys = "name, colour, open, width, trees, ponds, every, beds, main, labels, extra, diary, least"

func TestDecodeReportsMistakes(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"an unknown key with a near one is suggested", "name: x\ntres: 1\n",
			[]string{"g.yaml:2:1 tres: is not a known key; did you mean trees? Known: " + gardenKeys}},
		{"an unknown key with none near is listed", "name: x\nelephant: {a: 1}\n",
			[]string{"g.yaml:2:1 elephant: is not a known key; remove it. Known: " + gardenKeys}},
		{"an unknown key in a list stands at itself", "name: x\nbeds:\n  - plant: a\n    cuont: 1\n",
			[]string{"g.yaml:4:5 beds[0].cuont: is not a known key; did you mean count? Known: plant, count"}},
		{"a missing key stands at its parent", "name: x\nbeds:\n  - count: 1\n",
			[]string{"g.yaml:3:5 beds[0].plant: is missing; add a text"}},
		{"a null is missing", "name: ~\n", []string{"g.yaml:1:1 name: is missing; add a text"}},
		{"a key that is there twice", "name: x\ntrees: 1\nname: y\n",
			[]string{"g.yaml:3:1 name: is there already, on line 1; keep one of them"}},
		{"a key of a map that is there twice", "name: x\nlabels:\n  a.b: x\n  a.b: y\n",
			[]string{`g.yaml:4:3 labels["a.b"]: is there already, on line 3; keep one of them`}},
		{"text for a whole number", "name: x\ntrees: many\n",
			[]string{`g.yaml:2:1 trees: is the text "many", not a whole number; write a number`}},
		{"a quoted whole number", "name: x\ntrees: \"3\"\n",
			[]string{`g.yaml:2:1 trees: is the text "3", not a whole number; remove the quotes`}},
		{"a fraction for a whole number", "name: x\ntrees: 1.0\n",
			[]string{"g.yaml:2:1 trees: is the number 1.0, not a whole number; write it without a fraction or exponent"}},
		{"a list for a number", "name: x\nwidth: [1]\n",
			[]string{"g.yaml:2:1 width: is a list, not a number; write one value"}},
		{"a number for a text", "name: 1.10\n",
			[]string{`g.yaml:1:1 name: is the number 1.10, not text; put it in quotes: "1.10"`}},
		{"a boolean for a text", "name: x\nlabels: {a: true}\n",
			[]string{`g.yaml:2:10 labels.a: is true, not text; put it in quotes: "true"`}},
		{"a text for a boolean", "name: x\nopen: yes\n",
			[]string{`g.yaml:2:1 open: is the text "yes", not true or false; write true or false`}},
		{"a text for a list", "name: x\nbeds: many\n",
			[]string{`g.yaml:2:1 beds: is the text "many", not a list; start each item with "- "`}},
		{"a list for a mapping", "name: x\nmain: [1]\n",
			[]string{"g.yaml:2:1 main: is a list, not a mapping; write its keys below it, indented"}},
		{"a text for a document", "just text\n",
			[]string{`g.yaml:1:1: is the text "just text", not a mapping; write its keys below it, indented`}},
		{"an empty item", "name: x\nbeds:\n  - plant: a\n  -\n",
			[]string{"g.yaml:4:3 beds[1]: is empty; write the item, or remove the dash"}},
		{"too few items", "name: x\nbeds: []\n",
			[]string{"g.yaml:2:1 beds: has 0 items, less than 1; add items, or remove the key"}},
		{"a word that is not allowed", "name: x\ncolour: pink\n",
			[]string{`g.yaml:2:1 colour: is "pink", which is not known; use green or brown`}},
		{"a word that is nearly allowed", "name: x\ncolour: gren\n",
			[]string{`g.yaml:2:1 colour: is "gren", which is not known; did you mean green? Known: green, brown`}},
		{"a number below its minimum", "name: x\ntrees: 0\n", []string{"g.yaml:2:1 trees: is 0, less than 1; write 1 or more"}},
		{"a number above its maximum", "name: x\nponds: 1001\n", []string{"g.yaml:2:1 ponds: is 1001, more than 1000; write 1000 or less"}},
		{"a number outside both", "name: x\nwidth: 1.5\n", []string{"g.yaml:2:1 width: is 1.5, more than 1; write a number from 0 to 1"}},
		{"a number that its type cannot hold", "name: x\nponds: 300\n", []string{"g.yaml:2:1 ponds: is 300, out of range; write a number in range"}},
		{"a negative number for an unsigned type", "name: x\nponds: -1\n", []string{"g.yaml:2:1 ponds: is -1, out of range; write a number in range"}},
		{"a whole number beyond 64 bits", "name: x\nextra: {a: 9223372036854775808}\n",
			[]string{"g.yaml:2:9 extra.a: is 9223372036854775808, beyond what a whole number can be; write a smaller number"}},
		{"a number beyond floating point", "name: x\nwidth: 1e999\n", []string{"g.yaml:2:1 width: is 1e999, beyond what a number can be; write a smaller number"}},
		{"infinity", "name: x\nwidth: -.inf\n", []string{"g.yaml:2:1 width: is -.inf, not a finite number; write a finite number"}},
		{"not a number", "name: x\nextra: [.NaN]\n", []string{"g.yaml:2:1 extra: is a list, not a mapping; write its keys below it, indented"}},
		{"not a number as a constant", "name: x\nextra: {a: [.NaN]}\n", []string{"g.yaml:2:13 extra.a[0]: is .NaN, not a finite number; write a finite number"}},
		{"a number that may be octal", "name: x\ntrees: 010\n",
			[]string{`g.yaml:2:1 trees: is 010, which some read as octal; drop the leading zero, write "010" in quotes, or octal as 0o17`}},
		{"a number with underscores", "name: x\ntrees: 1_000\n",
			[]string{"g.yaml:2:1 trees: is 1_000, which some read as a number and some as text; drop the underscores, or put it in quotes"}},
		{"a duration without a unit", "name: x\nevery: 15\n", []string{"g.yaml:2:1 every: is the number 15, without a unit; write a unit, such as 15s"}},
		{"a duration of an unknown unit", "name: x\nevery: 1d\n", []string{`g.yaml:2:1 every: is "1d": "1d" is not a duration; write it as "90s", "5m" or "1h30m"`}},
		{"a negative duration", "name: x\nevery: -5s\n", []string{`g.yaml:2:1 every: is "-5s": a duration cannot be negative; write it as "90s", "5m" or "1h30m"`}},
		{"a list for a duration", "name: x\nevery: []\n", []string{"g.yaml:2:1 every: is a list, not a duration; write one value"}},
		{"a number for a placed text", "name: x\ndiary: 5\n", []string{`g.yaml:2:1 diary: is the number 5, not text; put it in quotes: "5"`}},
		{"a placed text that its type refuses", "name: x\ndiary: forbidden\n", []string{"g.yaml:2:1 diary: is forbidden"}},
		{"a key that is a number", "name: x\nextra: {1: a}\n", []string{`g.yaml:2:9 extra: has the key 1, which is not text; put it in quotes: "1"`}},
		{"an alias as a key", "name: &n x\nextra:\n  *n : a\n", []string{"g.yaml:3:3 extra: has an alias as a key; write the key itself"}},
		{"an alias of nothing", "name: *x\n", []string{"g.yaml:1:7: *x stands for nothing; mark a value above it with &x"}},
		{"an alias inside its own anchor", "name: x\nextra: &e {a: *e}\n", []string{"g.yaml:2:15: *e stands for nothing; mark a value above it with &e"}},
		{"a merge key of a text", "name: x\nmain: {<<: oak, plant: elm}\n", []string{`g.yaml:2:12 main["<<"]: is the text "oak", not a mapping; write an alias of a mapping, such as *defaults`}},
		{"an empty document", "", []string{"g.yaml:1:1: is empty; write a description"}},
		{"a document of comments", "# hello\n", []string{"g.yaml:1:1: is empty; write a description"}},
		{"a document of null", "---\n~\n", []string{"g.yaml:1:1: is empty; write a description"}},
		{"several documents, of which the first is read", "trees: 0\n---\nname: y\n",
			[]string{"g.yaml:1:1 trees: is 0, less than 1; write 1 or more", "g.yaml:1:1 name: is missing; add a text", "g.yaml:2:1: begins a second document; keep one document in a file"}},
		{"a document after the end of one", "name: x\n...\nname: y\n", []string{"g.yaml:3:1: begins a second document; keep one document in a file"}},
		{"a tab", "name: x\nmain:\n\tplant: y\n", []string{"g.yaml:3:1: is indented with a tab; indent with spaces"}},
		{"an open bracket", "name: x\nbeds: [\n", []string{`g.yaml:2:7: [ is not closed; add the missing "]"`}},
		{"an open brace", "name: x\nmain: {plant: a\n", []string{`g.yaml:2:7: { is not closed; add the missing "}"`}},
		{"an open quote", "name: \"x\n", []string{"g.yaml:1:7: the quotes are not closed; add the missing quote"}},
		{"a second colon", "name: a: b\n", []string{`g.yaml:1:7: a second ": " stands on this line; put text that holds ": " in quotes`}},
		{"wrong indentation", "main:\n  plant: x\n count: 2\n", []string{"g.yaml:3:2: does not belong to what stands above; mend the indentation or the quotes"}},
		{"a reserved character", "name: @x\n", []string{"g.yaml:1:7: '@' is a reserved character; put the text in quotes"}},
		{"an unknown escape", "name: \"\\q\"\n", []string{`g.yaml:1:9: found unknown escape character 'q'; write a backslash as "\\", or use single quotes`}},
		{"a tag", "name: !!str 5\n", []string{"g.yaml:1:7: has the tag !!str, and tags are not supported; remove it"}},
		{"a directive", "%YAML 1.2\n---\nname: x\n", []string{"g.yaml:1:1: is a directive, and directives are not supported; remove the line"}},
		{"a question mark key", "? name\n: x\n", []string{`g.yaml:1:1: is a key marked with "?", which is not supported; write "key: value"`}},
		{"bytes that are not UTF-8", "name: x\ndiary: \xff\n", []string{"g.yaml:2:8: is not UTF-8; save the file as UTF-8"}},
		{"a control character", "name: é\x00\n", []string{"g.yaml:1:8: holds the control character U+0000; remove it"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, mistakes := decodeGarden(t, tt.text)
			if diff := cmp.Diff(strings.Join(tt.want, "\n"), mistakes.Error()); diff != "" {
				t.Errorf("Decode() (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeReportsEveryMistakeAtOnce(t *testing.T) {
	g, doc, mistakes := decodeGarden(t, `nmae: kew
colour: blue
width: wide
trees: -1
beds:
  - count: 1
  - {plant: 3, cuont: 2}
every: soon
labels: {a: 1}
least: 2
`)
	want := `g.yaml:1:1 nmae: is not a known key; did you mean name? Known: ` + gardenKeys + `
g.yaml:1:1 name: is missing; add a text
g.yaml:2:1 colour: is "blue", which is not known; use green or brown
g.yaml:3:1 width: is the text "wide", not a number; write a number
g.yaml:4:1 trees: is -1, less than 1; write 1 or more
g.yaml:6:5 beds[0].plant: is missing; add a text
g.yaml:7:6 beds[1].plant: is the number 3, not text; put it in quotes: "3"
g.yaml:7:16 beds[1].cuont: is not a known key; did you mean count? Known: plant, count
g.yaml:8:1 every: is "soon": "soon" is not a duration; write it as "90s", "5m" or "1h30m"
g.yaml:9:10 labels.a: is the number 1, not text; put it in quotes: "1"`
	if diff := cmp.Diff(want, mistakes.Error()); diff != "" {
		t.Errorf("Decode() (-want +got):\n%s", diff)
	}
	if g.Least == nil || *g.Least != 2 {
		t.Errorf("least = %v, want 2: what is right is decoded beside mistakes", g.Least)
	}
	for path, want := range map[string]bool{"least": false, "beds": true, "beds[0].count": false, "beds[1].plant": true, "name": true, "every": true} {
		if wrong := doc.Wrong(path); wrong != want {
			t.Errorf("Wrong(%q) = %t, want %t", path, wrong, want)
		}
	}
}

func TestDecodeStopsCountingMistakesAtAHundred(t *testing.T) {
	_, _, mistakes := decodeGarden(t, "name: x\nbeds:\n"+strings.Repeat("  - {}\n", 150))
	if len(mistakes) != maxMistakes+1 {
		t.Fatalf("Decode() = %d mistakes, want %d", len(mistakes), maxMistakes+1)
	}
	if got, want := mistakes[maxMistakes].String(), "g.yaml:102:5: 50 more mistakes are not shown; mend these first"; got != want {
		t.Errorf("last mistake = %q, want %q", got, want)
	}
}

func TestMistakeIsOneLineAndJSON(t *testing.T) {
	m := Mistake{File: "a.yaml", Line: 1, Column: 2, What: "is \"x\ny\""}
	if got, want := m.String(), `a.yaml:1:2: is "x y"`; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
	got, err := json.Marshal(m)
	if want := `{"file":"a.yaml","line":1,"column":2,"what":"is \"x\ny\""}`; err != nil || string(got) != strings.ReplaceAll(want, "\n", `\n`) {
		t.Errorf("Marshal() = %s, %v, want %s", got, err, want)
	}
}

// deadline is far above what any text may take, and far below what the attacks
// below take without the limits.
const deadline = 10 * time.Second

func TestDecodeIsBounded(t *testing.T) {
	laughs := "name: x\nextra:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	merges := "name: x\nextra:\n  a0: &a0 {k: x}\n"
	for i := 1; i < 40; i++ {
		previous := strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", ")
		laughs += fmt.Sprintf("  a%d: &a%d [%s]\n", i, i, previous)
		merges += fmt.Sprintf("  a%d: &a%d {<<: [%s]}\n", i, i, previous)
	}
	for _, tt := range []struct{ name, text, want string }{
		{"a billion laughs", laughs, "aliases of this file multiply"},
		{"a billion merges", merges, "aliases of this file multiply"},
		{"more than 4 MiB", "name: " + strings.Repeat("x", maxSize), "more than 4194304"},
		{"dashes without values", "beds:\n" + strings.Repeat("-\n", 40_000), "values that are left out"},
		{"keys without values", strings.Repeat("- a:\n  b:\n", 10_000), "values that are left out"},
		{"keys without values in braces", "{" + strings.Repeat("a,", 60_000), "values that are left out"},
		{"keys with colons but without values in braces", "{" + strings.Repeat("a: ,", 40_000), "values that are left out"},
		{"dashes in brackets", "name: [" + strings.Repeat("- ", 40_000), "dash inside brackets"},
		{"tabs in quotes", "name: \"" + strings.Repeat("x\t", 1_000_000), "many tabs"},
		{"angle brackets", "name: " + strings.Repeat("<", 1_000_000), "in a row"},
		{"brackets", strings.Repeat("[", 90_000), "nested more than 64 deep"},
		{"braces", strings.Repeat("{a: ", 40_000), "nested more than 64 deep"},
		{"more braces than are looked at", strings.Repeat("{a: ", 1_000_000), "too intricate"},
		{"dashes", strings.Repeat("- ", 90_000), "nested more than 64 deep"},
		{"indentation", indented(400), "nested more than 64 deep"},
		{"keys of one mapping", "name: x\n" + numbered("  k%d: v\n", 40_000), "more than 2000 keys"},
		{"keys in brackets without commas", "name: [\n" + numbered("k%d: v\n", 40_000), "more than 2000 keys"},
		{"anchors", strings.Repeat("&a ", 50_000), "another anchor"},
		{"blank lines at the end of a literal", "name: |\n x\n" + strings.Repeat("\n", 90_000), "blank lines"},
		{"lines of spaces", "name: |\n x\n" + strings.Repeat("  \n", 90_000), "blank lines"},
		{"documents", strings.Repeat("---\na\n", 20_000), "second document"},
		{"long keys above many", "name: {" + strings.Repeat("k", 1_000_000) + ": [" + strings.Repeat("a,", 80_000) + "]}", "shorten the keys"},
		{"long keys above many keys", "name:\n  " + strings.Repeat("k", 1_000_000) + ":\n" + numbered("    k%d: a\n", 1000), "shorten the keys"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			_, _, mistakes := decodeGarden(t, tt.text)
			if took := time.Since(start); took > deadline {
				t.Errorf("Decode() took %v, want less than %v", took, deadline)
			}
			if got := mistakes.Error(); !strings.Contains(got, tt.want) || len(got) > 100_000 {
				t.Errorf("Decode() = %.300q, want a mistake with %q", got, tt.want)
			}
		})
	}
}

func TestDecodeTakesALargeText(t *testing.T) {
	line := "  " + strings.Repeat("QUJD", 19) + "\n"
	g, _, mistakes := decodeGarden(t, "name: |\n"+strings.Repeat(line, 3<<20/len(line)))
	if mistakes != nil {
		t.Fatalf("Decode() error: %v", mistakes)
	}
	if got, want := len(g.Name), 3<<20/len(line)*(len(line)-2); got != want {
		t.Errorf("name holds %d bytes, want %d", got, want)
	}
}

func TestDecodeTakesLargeCollections(t *testing.T) {
	g, _, mistakes := decodeGarden(t, "name: x\nextra:\n  a: ["+strings.Repeat("1, ", 20_000)+"]\n  b:\n"+strings.Repeat("  - c: 1\n    d:\n    - 2\n", 3000))
	if mistakes != nil {
		t.Fatalf("Decode() error: %v", mistakes)
	}
	if a, b := len(g.Extra["a"].([]any)), len(g.Extra["b"].([]any)); a != 20_000 || b != 3000 {
		t.Errorf("lists of %d and %d items, want 20000 and 3000", a, b)
	}
}

func indented(levels int) string {
	var b strings.Builder
	for i := range levels {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

func numbered(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}
