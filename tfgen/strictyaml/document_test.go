package strictyaml

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDocumentKnowsWhereKeysStand(t *testing.T) {
	_, doc, mistakes := decodeGarden(t, `# a garden
name: x
labels: {a: x, "b.c": y,
  d e: z}
beds:
  - plant: oak

  - count: 2
    plant: elm
extra:
  deep:
    - [1, 2]
main: ~
`)
	if mistakes != nil {
		t.Fatalf("Decode() error: %v", mistakes)
	}
	type at struct {
		line, column int
		has          bool
	}
	for path, want := range map[string]at{
		"":                     {2, 1, true},
		"name":                 {2, 1, true},
		"labels.a":             {3, 10, true},
		`labels["b.c"]`:        {3, 16, true},
		`labels["d e"]`:        {4, 3, true},
		"labels.none":          {3, 1, false},
		"beds[0]":              {6, 5, true},
		"beds[1].count":        {8, 5, true},
		"beds[1].plant":        {9, 5, true},
		"beds[1].plant.no[3]":  {9, 5, false},
		"beds[2].plant":        {5, 1, false},
		"beds[-1]":             {5, 1, false},
		"beds[x]":              {5, 1, false},
		"extra.deep[0][1]":     {12, 11, true},
		"main":                 {13, 1, false},
		"every":                {2, 1, false},
		"[0]":                  {2, 1, false},
		`extra["deep"][0][0]`:  {12, 8, true},
		"extra.deep[0][1].x.y": {12, 11, false},
	} {
		line, column := doc.At(path)
		if got := (at{line, column, doc.Has(path)}); got != want {
			t.Errorf("At(%q), Has() = %+v, want %+v", path, got, want)
		}
	}
	got := doc.Mistake("beds[1].count", "is 2", "write 3")
	want := Mistake{File: "g.yaml", Line: 8, Column: 5, Path: "beds[1].count", What: "is 2", Fix: "write 3"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Mistake() (-want +got):\n%s", diff)
	}
}

func TestJoinKeyIsWhatAtReads(t *testing.T) {
	for _, key := range []string{"a", "a-b_0", "a.b", "a[0]", "", `a"]b`, "日", "a b"} {
		path := JoinIndex(JoinKey(JoinKey("x", key), "y"), 3)
		_, _, _, rest := nextStep(path)
		step, _, isIndex, rest := nextStep(rest)
		if step != key || isIndex || rest != ".y[3]" {
			t.Errorf("nextStep() of %s = %q, %t, %q, want %q, false, .y[3]", path, step, isIndex, rest, key)
		}
	}
}
