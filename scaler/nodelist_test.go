package scaler

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A list that is written again and again is at each time what it would be if it were
// written for the first time.
func TestListFileIsAsIfWrittenAnew(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	again, anew := filepath.Join(dir, "again.json"), filepath.Join(dir, "anew.json")
	rapid.Check(t, func(t *rapid.T) {
		var file listFile
		for range rapid.IntRange(1, 6).Draw(t, "times") {
			nodes := []ListedNode{}
			for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a-1", "a-2", "a-3", "b-1", "b-2"}), 0, 5, rapid.ID).Draw(t, "names") {
				nodes = append(nodes, ListedNode{Name: name, Group: name[:1], State: rapid.SampledFrom([]string{StateBooting, StateReady}).Draw(t, "state")})
			}
			slices.SortFunc(nodes, func(x, y ListedNode) int { return strings.Compare(x.Name, y.Name) })
			if err := file.write(disk{}, again, nodes); err != nil {
				t.Fatal(err)
			}
			if err := os.RemoveAll(anew); err != nil {
				t.Fatal(err)
			}
			if err := (NodeList{Nodes: nodes}).Write(anew); err != nil {
				t.Fatal(err)
			}
			got, want := must(os.ReadFile(again)), must(os.ReadFile(anew))
			if !bytes.Equal(got, want) {
				t.Fatalf("the list is\n%s\nwant\n%s", got, want)
			}
			var read NodeList
			if err := json.Unmarshal(got, &read); err != nil || !slices.Equal(read.Nodes, nodes) {
				t.Fatalf("the list reads as %v, %v, want %v", read.Nodes, err, nodes)
			}
		}
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestListFileThatSomebodyChangedComesBack(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(path string) error{
		"removed":       os.Remove,
		"truncated":     func(path string) error { return os.Truncate(path, 3) },
		"edited":        func(path string) error { return os.WriteFile(path, []byte(`{"nodes": []}`), 0o644) },
		"put elsewhere": func(path string) error { return os.Rename(path, path+".old") },
		"edited in the same size": func(path string) error {
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if err := os.WriteFile(path, bytes.Replace(text, []byte(`"a-1"`), []byte(`"a-9"`), 1), 0o644); err != nil {
				return err
			}
			return os.Chtimes(path, time.Time{}, time.Now().Add(time.Second)) // clocks of file systems are coarse
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), NodeListFile)
			nodes := []ListedNode{{Name: "a-1", Group: "a", State: StateReady, CreatedAt: time.Unix(1, 0)}}
			var file listFile
			for range 3 {
				if err := file.write(disk{}, path, nodes); err != nil {
					t.Fatal(err)
				}
				if list, err := ReadNodeList(path); err != nil || len(list.Nodes) != 1 || list.Nodes[0].Name != "a-1" {
					t.Fatalf("ReadNodeList() = %v, %v, want a-1", list, err)
				}
				before := must(os.Stat(path))
				if err := file.write(disk{}, path, nodes); err != nil {
					t.Fatal(err)
				}
				if !os.SameFile(before, must(os.Stat(path))) {
					t.Error("a list that nobody changed is written anew")
				}
				if err := change(path); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
