package tosca

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io/fs"
	"strings"
	"testing"
)

// packed is a file to put into an archive.
type packed struct {
	name, text string
	mode       fs.FileMode
}

func pack(t testing.TB, files ...packed) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		header := &zip.FileHeader{Name: f.name, Method: zip.Deflate}
		if f.mode != 0 {
			header.SetMode(f.mode)
		}
		entry, err := w.CreateHeader(header)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(f.name, "/") {
			continue
		}
		if _, err := entry.Write([]byte(f.text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const meta = "TOSCA-Meta-File-Version: 1.0\nCSAR-Version: 1.1\nEntry-Definitions: Definitions/app.yaml\n"

func imports(names ...string) string {
	text := "tosca_definitions_version: tosca_simple_yaml_1_3\nimports:\n"
	for _, name := range names {
		text += "  - " + name + "\n"
	}
	return text
}

const worker = `topology_template:
  node_templates:
    vm: {type: Worker, properties: {image_id: ami-0123456789abcdef1}}
`

const workerType = `tosca_definitions_version: tosca_simple_yaml_1_3
node_types:
  Worker:
    derived_from: tosca.nodes.MiCADO.EC2.Compute
    properties: {region_name: {type: string, default: eu-west-1}, instance_type: {type: string, default: t3.small}}
`

func TestCSARIsRead(t *testing.T) {
	for name, archive := range map[string][]byte{
		"with metadata": pack(t, packed{name: "TOSCA-Metadata/TOSCA.meta", text: meta},
			packed{name: "Definitions/app.yaml", text: imports("../types/worker.yaml", "https://example.com/any/branch/micado_types.yaml") + worker},
			packed{name: "types/worker.yaml", text: workerType + "imports: [../Definitions/app.yaml]\n"}),
		"with one file at its root": pack(t, packed{name: "app.yaml", text: imports("types/worker.yaml") + worker},
			packed{name: "types/"}, packed{name: "types/worker.yaml", text: workerType}, packed{name: "README.md", text: "hello"}),
	} {
		t.Run(name, func(t *testing.T) {
			if !Is(archive) {
				t.Error("Is() = false, want true")
			}
			app, _, err := Parse(Source{File: "shop.csar", Text: archive})
			if err != nil {
				t.Fatal(err)
			}
			if g := app.Groups[0]; app.Name != "shop" || g.EC2 == nil || g.EC2.Region != "eu-west-1" || g.EC2.AMI != "ami-0123456789abcdef1" {
				t.Errorf("Parse() = %s with %+v, want shop with ami-0123456789abcdef1 in eu-west-1", app.Name, g.EC2)
			}
		})
	}
}

func TestCSARIsRefused(t *testing.T) {
	bomb := strings.Repeat("#", 20<<20)
	for _, tt := range []struct {
		name  string
		files []packed
		want  string
	}{
		{"a path that leads out", []packed{{name: "../app.yaml"}}, `s.csar:1:1: holds "../app.yaml", a path that leads out`},
		{"a path that leads out from within", []packed{{name: "a/../../app.yaml"}}, "a path that leads out"},
		{"an absolute path", []packed{{name: "/app.yaml"}}, "a path that leads out"},
		{"a path of Windows", []packed{{name: `..\app.yaml`}}, "a path that leads out"},
		{"a drive", []packed{{name: "c:app.yaml"}}, "a path that leads out"},
		{"a link", []packed{{name: "app.yaml", text: "/etc/passwd", mode: fs.ModeSymlink | 0o777}}, "no plain file"},
		{"a file twice", []packed{{name: "app.yaml"}, {name: "app.yaml"}}, `holds "app.yaml" twice`},
		{"nothing to read", []packed{{name: "README"}}, "without a YAML file at its root"},
		{"two files at its root", []packed{{name: "a.yaml"}, {name: "b.yaml"}}, "several YAML files at its root: a.yaml, b.yaml"},
		{"metadata of no file", []packed{{name: "TOSCA-Metadata/TOSCA.meta", text: meta}}, `Entry-Definitions "Definitions/app.yaml"`},
		{"metadata that leads out", []packed{{name: "TOSCA-Metadata/TOSCA.meta", text: "Entry-Definitions: ../../etc/passwd"}}, `Entry-Definitions "../../etc/passwd"`},
		{"a template that is a bomb", []packed{{name: "app.yaml", text: bomb}}, "s.csar/app.yaml:1:1: cannot be unpacked: is more than"},
		{"an import that is a bomb", []packed{{name: "app.yaml", text: imports("bomb.yml")}, {name: "sub/x", text: bomb}, {name: "bomb.yml/x", text: ""}}, "is not in the archive"},
		{"an import that is not there", []packed{{name: "app.yaml", text: imports("type/worker.yaml") + worker}, {name: "types/worker.yaml"}},
			"s.csar/app.yaml:3:5 imports[0]: is not in the archive; did you mean types/worker.yaml?"},
		{"an import that leads out", []packed{{name: "app.yaml", text: imports("../../etc/passwd")}}, "is not in the archive"},
		{"an absolute import", []packed{{name: "app.yaml", text: imports("/types.yaml")}, {name: "types/types.yaml"}}, "is not in the archive"},
		{"mistakes in a file of its own", []packed{{name: "app.yaml", text: imports("t/w.yaml") + worker}, {name: "t/w.yaml", text: strings.Replace(workerType, "EC2.Compute", "EC2.Comput", 1)}},
			"s.csar/t/w.yaml:4:5 node_types.Worker.derived_from: is \"tosca.nodes.MiCADO.EC2.Comput\", which is no known type; did you mean tosca.nodes.MiCADO.EC2.Compute?"},
		{"a base template inside", []packed{{name: "app.yaml", text: imports("t/w.yaml") + strings.Replace(worker, "image_id: ami-0123456789abcdef1", "image_id: ami-0123456789abcdef1, context: {path: base.yaml}", 1)}, {name: "t/w.yaml", text: workerType}},
			"names a base template, and those inside an archive are not read"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := Parse(Source{File: "s.csar", Text: pack(t, tt.files...)})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Parse() = %.500v, want a mistake with %q", err, tt.want)
			}
		})
	}
	t.Run("too much in small files", func(t *testing.T) {
		files := []packed{{name: "app.yaml"}}
		var names []string
		for i := range 6 {
			names = append(names, fmt.Sprintf("t/%d.yaml", i))
			files = append(files, packed{name: names[i], text: strings.Repeat("# a comment\n", 300_000)})
		}
		files[0].text = imports(names...) + worker
		if _, _, err := Parse(Source{File: "s.csar", Text: pack(t, files...)}); err == nil || !strings.Contains(err.Error(), "beyond the 16777216 bytes") {
			t.Errorf("Parse() = %v, want too much", err)
		}
	})
	t.Run("too many files", func(t *testing.T) {
		files := make([]packed, maxEntries+1)
		for i := range files {
			files[i].name = fmt.Sprintf("f%d", i)
		}
		if _, _, err := Parse(Source{File: "s.csar", Text: pack(t, files...)}); err == nil || !strings.Contains(err.Error(), "an archive of 2001 files") {
			t.Errorf("Parse() = %v, want too many files", err)
		}
	})
	t.Run("an archive that is cut off", func(t *testing.T) {
		archive := pack(t, packed{name: "app.yaml", text: worker})
		if _, _, err := Parse(Source{File: "s.csar", Text: archive[:len(archive)-30]}); err == nil || !strings.Contains(err.Error(), "no readable zip archive") {
			t.Errorf("Parse() = %v, want no readable archive", err)
		}
	})
	t.Run("more than 64 MiB", func(t *testing.T) {
		if _, _, err := Parse(Source{File: "s.csar", Text: append([]byte("PK\x03\x04"), make([]byte, maxArchive)...)}); err == nil || !strings.Contains(err.Error(), "more than 67108864") {
			t.Errorf("Parse() = %v, want too large", err)
		}
	})
}
