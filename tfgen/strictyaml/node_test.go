package strictyaml

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadKeepsPlacesAndKinds(t *testing.T) {
	root, err := Read("g.yaml", []byte(`base: &base {kind: oak, "n": 010}
trees:
  - <<: *base
    count: 3
    tall: true
  - *base
none: ~
plain: yes
quoted: "yes"
`))
	if err != nil {
		t.Fatal(err)
	}
	tree := root.Get("trees").Items()[0]
	for _, tt := range []struct {
		node         *Node
		path         string
		line, column int
		kind         Kind
		scalar       string
		quoted       bool
	}{
		{root, "", 1, 1, KindMapping, "", false},
		{root.Get("base").Get("n"), "base.n", 1, 25, KindOther, "010", false},
		{tree, "trees[0]", 3, 5, KindMapping, "", false},
		{tree.Get("kind"), "trees[0].kind", 1, 14, KindText, "oak", false},
		{tree.Get("count"), "trees[0].count", 4, 5, KindInt, "3", false},
		{tree.Get("tall"), "trees[0].tall", 5, 5, KindBool, "true", false},
		{root.Get("trees").Items()[1], "trees[1]", 6, 5, KindMapping, "", false},
		{root.Get("none"), "none", 7, 1, KindNull, "~", false},
		{root.Get("plain"), "plain", 8, 1, KindText, "yes", false},
		{root.Get("quoted"), "quoted", 9, 1, KindText, "yes", true},
	} {
		file, line, column := tt.node.Place()
		if tt.node.Path() != tt.path || file != "g.yaml" || line != tt.line || column != tt.column ||
			tt.node.Kind() != tt.kind || tt.kind != KindNull && tt.node.Scalar() != tt.scalar || tt.node.Quoted() != tt.quoted {
			t.Errorf("node %s at %s:%d:%d is of kind %d, %q, %t, want %+v", tt.node.Path(), file, line, column, tt.node.Kind(), tt.node.Scalar(), tt.node.Quoted(), tt)
		}
	}
	want := map[string]any{
		"base": map[string]any{"kind": "oak", "n": "010"}, "plain": "yes", "quoted": "yes",
		"trees": []any{map[string]any{"kind": "oak", "n": "010", "count": 3, "tall": true}, map[string]any{"kind": "oak", "n": "010"}},
	}
	if diff := cmp.Diff(want, root.Value()); diff != "" {
		t.Errorf("Value() (-want +got):\n%s", diff)
	}
	if missing := root.Get("trees").Get("no").Get("no"); missing != nil || missing.Is(KindNull) || missing.Items() != nil || missing.Entries() != nil {
		t.Error("a node that is not there is not empty")
	}
}

func TestReadReportsMistakes(t *testing.T) {
	root, err := Read("g.yaml", []byte("a: *b\nc: 1\nc: 2\nd: {1: x}\n"))
	want := "g.yaml:1:4: *b stands for nothing; mark a value above it with &b\n" +
		"g.yaml:3:1 c: is there already, on line 2; keep one of them\n" +
		"g.yaml:4:5 d: has the key 1, which is not text; put it in quotes: \"1\""
	if err == nil || err.Error() != want {
		t.Errorf("Read() = %v, want %s", err, want)
	}
	if !root.Get("a").Bad() || root.Get("c").Bad() || root.Get("c").Int() != 1 {
		t.Errorf("a is bad: %t, c is %d", root.Get("a").Bad(), root.Get("c").Int())
	}
	if root, err := Read("g.yaml", []byte("[")); root != nil || err == nil {
		t.Errorf("Read() of no YAML = %v, %v, want an error", root, err)
	}
}

// TestMadeTreesSpeakOfTheirOrigin makes a garden of another document and checks
// that its mistakes stand there.
func TestMadeTreesSpeakOfTheirOrigin(t *testing.T) {
	park, err := Read("park.yaml", []byte(`title: "hyde"
plants:
  - {sort: oak, number: many}
  - {sort: 5}
  - {}
notes: |
  dear
  diary
`))
	if err != nil {
		t.Fatal(err)
	}
	made := NewMapping(park)
	made.Set("name", park.Get("title"))
	beds := NewList(park.Get("plants"))
	for _, plant := range park.Get("plants").Items() {
		bed := NewMapping(plant)
		if sort := plant.Get("sort"); sort != nil {
			bed.Set("plant", sort)
		} else {
			bed.Set("plant", NewWrong(plant))
		}
		if number := plant.Get("number"); number != nil {
			bed.Set("count", number)
		}
		beds.Append(bed)
	}
	made.Set("beds", beds)
	made.Set("diary", NewText(park.Get("notes"), strings.ToUpper(park.Get("notes").Scalar())))
	made.Set("extra", NewValue(park, map[string]any{"a": []any{1, 0.5, true, "x"}, "b": map[string]any{}}))
	made.Set("wrong", NewValue(park.Get("title"), 1))

	var g garden
	doc, err := made.Decode(&g)
	want := `park.yaml:1:1 title: is not a known key; remove it. Known: ` + gardenKeys + `
park.yaml:3:17 plants[0].number: is the text "many", not a whole number; write a number
park.yaml:4:6 plants[1].sort: is the number 5, not text; put it in quotes: "5"`
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("Decode() =\n%v\nwant\n%s", err, want)
	}
	if g.Name != "hyde" || g.Diary.Text.Value != "DEAR\nDIARY\n" || g.Diary.Text.File != "park.yaml" || g.Diary.Text.Line != 7 || g.Diary.Text.Column != 3 {
		t.Errorf("name %q, diary %+v, want hyde and the notes at 7:3", g.Name, g.Diary.Text)
	}
	if diff := cmp.Diff(map[string]any{"a": []any{1, 0.5, true, "x"}, "b": map[string]any{}}, g.Extra); diff != "" {
		t.Errorf("extra (-want +got):\n%s", diff)
	}
	for path, want := range map[string]bool{"name": false, "beds[0]": true, "beds[0].plant": false, "beds[2].plant": true} {
		if !doc.Has(path) || doc.Wrong(path) != want {
			t.Errorf("Has(%s), Wrong() = %t, %t, want true, %t", path, doc.Has(path), doc.Wrong(path), want)
		}
	}
	for path, want := range map[string]string{
		"name":           "park.yaml:1:1 title: x",
		"beds[0].count":  "park.yaml:3:17 plants[0].number: x",
		"beds[1].count":  "park.yaml:4:5 plants[1].count: x",
		"main.deep.down": "park.yaml:1:1 main.deep.down: x",
	} {
		if got := doc.Mistake(path, "x", "").String(); got != want {
			t.Errorf("Mistake(%s) = %s, want %s", path, got, want)
		}
	}
}
