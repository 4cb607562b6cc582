package strictyaml

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type colour string

// garden has a field of every type that can be decoded into.
type garden struct {
	Name   string            `yaml:"name" jsonschema:"required"`
	Colour colour            `yaml:"colour" jsonschema:"enum=green,enum=brown"`
	Open   bool              `yaml:"open"`
	Width  float64           `yaml:"width" jsonschema:"minimum=0,maximum=1"`
	Trees  int               `yaml:"trees" jsonschema:"minimum=1"`
	Ponds  uint8             `yaml:"ponds" jsonschema:"maximum=1000"`
	Every  Duration          `yaml:"every"`
	Beds   []bed             `yaml:"beds" jsonschema:"minItems=1"`
	Main   *bed              `yaml:"main"`
	Labels map[string]string `yaml:"labels"`
	Extra  map[string]any    `yaml:"extra"`
	Diary  note              `yaml:"diary"`
	Least  *float64          `yaml:"least"`
}

type bed struct {
	Plant string `yaml:"plant" jsonschema:"required"`
	Count int    `yaml:"count"`
}

// note keeps where its text begins.
type note struct{ Text Text }

func (n *note) UnmarshalTextAt(t Text) error {
	if t.Value == "forbidden" {
		return errors.New("is forbidden")
	}
	n.Text = t
	return nil
}

func decodeGarden(t *testing.T, text string) (*garden, *Document, Mistakes) {
	t.Helper()
	g := &garden{}
	doc, err := Decode("g.yaml", []byte(text), g)
	if err == nil {
		return g, doc, nil
	}
	var mistakes Mistakes
	if !errors.As(err, &mistakes) || len(mistakes) == 0 {
		t.Fatalf("Decode() error is %T %v, want Mistakes", err, err)
	}
	return g, doc, mistakes
}

func TestDecodeReadsEveryType(t *testing.T) {
	got, _, mistakes := decodeGarden(t, `
name: kew
colour: green
open: true
width: 5e-1
trees: 0x10
ponds: 200
every: 1h30m
beds:
  - plant: oak
    count: +2
  - {plant: "12", count: 0o17}
main:
  plant: 'it''s'
labels: {a.b: "1", c: no}
extra:
  text: v1.2.3
  whole: 7
  part: 1e3
  flag: false
  list: [1, x, {deep: 2.5}]
  none: ~
diary: dear diary
least: -3
`)
	if mistakes != nil {
		t.Fatalf("Decode() error:\n%v", mistakes)
	}
	least := -3.0
	want := &garden{
		Name: "kew", Colour: "green", Open: true, Width: 0.5, Trees: 16, Ponds: 200,
		Every: Duration(90 * time.Minute),
		Beds:  []bed{{"oak", 2}, {"12", 15}}, Main: &bed{Plant: "it's"},
		Labels: map[string]string{"a.b": "1", "c": "no"},
		Extra: map[string]any{"text": "v1.2.3", "whole": 7, "part": 1000.0, "flag": false,
			"list": []any{1, "x", map[string]any{"deep": 2.5}}},
		Diary: note{Text{"dear diary", "g.yaml", 23, 8}}, Least: &least,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Decode() (-want +got):\n%s", diff)
	}
}

func TestDecodeKeepsWhatTheDocumentDoesNotSet(t *testing.T) {
	got := &garden{Trees: 9, Ponds: 3, Main: &bed{Plant: "ivy", Count: 4}, Labels: map[string]string{"a": "1"}}
	doc, err := Decode("g.yaml", []byte("name: kew\ntrees: null\nponds: 5\nmain: {plant: elm}\nlabels: {b: '2'}\n"), got)
	if err != nil {
		t.Fatal(err)
	}
	want := &garden{Name: "kew", Trees: 9, Ponds: 5, Main: &bed{Plant: "elm", Count: 4}, Labels: map[string]string{"a": "1", "b": "2"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Decode() (-want +got):\n%s", diff)
	}
	for path, want := range map[string]bool{"name": true, "trees": false, "ponds": true, "main.plant": true, "main.count": false, "every": false} {
		if has := doc.Has(path); has != want {
			t.Errorf("Has(%q) = %t, want %t", path, has, want)
		}
	}
}

func TestDecodeFollowsAnchors(t *testing.T) {
	got, _, mistakes := decodeGarden(t, `
name: &n kew
main: &base
  plant: *n
  count: 1
beds:
  - *base
  - <<: *base
    count: 2
  - <<: [{plant: ash}, *base]
  - {<<: *base, plant: &n elm}
  - plant: *n
`)
	if mistakes != nil {
		t.Fatalf("Decode() error:\n%v", mistakes)
	}
	want := []bed{{"kew", 1}, {"kew", 2}, {"ash", 1}, {"elm", 1}, {"elm", 0}}
	if diff := cmp.Diff(want, got.Beds); diff != "" {
		t.Errorf("beds (-want +got):\n%s", diff)
	}
}

func TestDecodeTellsWhereATextBegins(t *testing.T) {
	for _, tt := range []struct {
		name, text   string
		value        string
		line, column int
	}{
		{"a plain text begins at itself", "name: x\ndiary: dear\n", "dear", 2, 8},
		{"a quoted text begins after the quote", "name: x\ndiary:  'dear'\n", "dear", 2, 10},
		{"a literal begins on the line below", "name: x\ndiary: |\n  dear\n   diary\n", "dear\n diary\n", 3, 3},
		{"a literal may have a comment and no last newline", "name: x\ndiary: |- # why\n    dear", "dear", 3, 5},
		{"a literal's blank first lines are part of it", "name: x\ndiary: |\n\n\n   dear\n", "\n\ndear\n", 3, 4},
		{"a literal may say its own indentation", "name: x\ndiary: |2\n    dear\n  diary\n", "  dear\ndiary\n", 3, 3},
		{"a folded text begins on the line below", "name: x\ndiary: >\n  dear\n  diary\n", "dear diary\n", 3, 3},
		{"carriage returns do not count", "name: x\r\ndiary: |\r\n  dear\r\n  diary\r\n", "dear\ndiary\n", 3, 3},
		{"a byte order mark does not count", "\ufeffdiary: dear\nname: x\n", "dear", 1, 8},
		{"an alias begins where its text stands", "name: &n |\n  dear\ndiary: *n\n", "dear\n", 2, 3},
		{"an empty literal begins below", "diary: |\nname: x\n", "", 2, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g, _, mistakes := decodeGarden(t, tt.text)
			if mistakes != nil {
				t.Fatalf("Decode() error: %v", mistakes)
			}
			if want := (Text{tt.value, "g.yaml", tt.line, tt.column}); g.Diary.Text != want {
				t.Errorf("text = %+v, want %+v", g.Diary.Text, want)
			}
		})
	}
}

func TestDecodeRefusesWhatIsNoPointerToAStruct(t *testing.T) {
	for _, into := range []any{nil, garden{}, new(int), (*garden)(nil)} {
		doc, err := Decode("g.yaml", []byte("name: x"), into)
		var mistakes Mistakes
		if err == nil || errors.As(err, &mistakes) || doc != nil {
			t.Errorf("Decode(into %T) = %v, %v, want an error that is not the document's", into, doc, err)
		}
	}
}
