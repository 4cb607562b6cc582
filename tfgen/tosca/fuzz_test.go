package tosca

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzParse checks on any text that Parse answers, the same each time, with an
// application that its description gives too, or with mistakes.
func FuzzParse(f *testing.F) {
	for _, dir := range []string{"features", "mistakes"} {
		paths, err := filepath.Glob(filepath.Join("testdata", dir, "*.yaml"))
		if err != nil || len(paths) == 0 {
			f.Fatalf("no templates in testdata/%s: %v", dir, err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		Is(text)
		checkTemplate(t, Source{File: "f.yaml", Text: text, Params: map[string]any{"count": "3", "image": 5, "zones": "[a, {b: c}]", "many": "2"}})
	})
}

// FuzzCSAR checks the same on any archive.
func FuzzCSAR(f *testing.F) {
	f.Add(pack(f, packed{name: "app.yaml", text: vm}))
	f.Add(pack(f, packed{name: "TOSCA-Metadata/TOSCA.meta", text: meta}, packed{name: "Definitions/app.yaml", text: imports("../types/worker.yaml") + worker}, packed{name: "types/worker.yaml", text: workerType}))
	f.Add(pack(f, packed{name: "../app.yaml", text: vm}, packed{name: "a", text: "b", mode: os.ModeSymlink}))
	f.Add([]byte("PK\x03\x04"))
	f.Fuzz(func(t *testing.T, archive []byte) {
		checkTemplate(t, Source{File: "f.csar", Text: append([]byte("PK\x03\x04"), archive[min(len(archive), 4):]...)})
	})
}

// FuzzCSARFiles checks the same on archives of any files.
func FuzzCSARFiles(f *testing.F) {
	f.Add("app.yaml", []byte(imports("types/worker.yaml")+worker), "types/worker.yaml", []byte(workerType))
	f.Add("TOSCA-Metadata/TOSCA.meta", []byte("Entry-Definitions: a.yaml"), "a.yaml", []byte(vm))
	f.Add("../a.yaml", []byte(vm), "a/../b.yaml", []byte(vm))
	f.Fuzz(func(t *testing.T, first string, firstText []byte, second string, secondText []byte) {
		checkTemplate(t, Source{File: "f.csar", Text: pack(t, packed{name: first, text: string(firstText)}, packed{name: second, text: string(secondText)})})
	})
}
