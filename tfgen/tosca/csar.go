package tosca

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// Limits on archives. Only the YAML files that are imported are unpacked, each of
// at most 4 MiB, which is what strictyaml reads, so that a zip bomb stays packed.
const (
	maxArchive = 64 << 20
	maxEntries = 2000
	maxFile    = 4 << 20
	maxTotal   = 16 << 20
	maxImports = 100
)

// files are where a template and its imports come from.
type files struct {
	source Source
	zip    map[string]*zip.File // nil for a template alone
	entry  string               // path of the template in the archive
	total  int                  // bytes unpacked
}

func isZip(text []byte) bool {
	return bytes.HasPrefix(text, []byte("PK\x03\x04")) || bytes.HasPrefix(text, []byte("PK\x05\x06"))
}

// open finds the template of a source. The error is strictyaml.Mistakes.
func open(source Source) (*files, error) {
	f := &files{source: source}
	if !isZip(source.Text) {
		return f, nil
	}
	if what, fix := f.unzip(); what != "" {
		return nil, strictyaml.Mistakes{{File: source.File, Line: 1, Column: 1, What: what, Fix: fix}}
	}
	return f, nil
}

func (f *files) unzip() (what, fix string) {
	if len(f.source.Text) > maxArchive {
		return fmt.Sprintf("is an archive of %d bytes, more than %d (64 MiB)", len(f.source.Text), maxArchive), "leave out what is not TOSCA"
	}
	reader, err := zip.NewReader(bytes.NewReader(f.source.Text), int64(len(f.source.Text)))
	if err != nil {
		return fmt.Sprintf("is no readable zip archive: %v", err), "pack it again"
	}
	if len(reader.File) > maxEntries {
		return fmt.Sprintf("is an archive of %d files, more than %d", len(reader.File), maxEntries), "leave out what is not TOSCA"
	}
	f.zip = map[string]*zip.File{}
	for _, file := range reader.File {
		name := strings.TrimSuffix(file.Name, "/")
		switch {
		case name != path.Clean(name) || !fs.ValidPath(name) || strings.ContainsAny(name, "\\:\x00"):
			return fmt.Sprintf("holds %q, a path that leads out of the archive or is written oddly", file.Name), "pack it again with plain relative paths"
		case f.zip[name] != nil:
			return fmt.Sprintf("holds %q twice", file.Name), "pack it again"
		case !file.Mode().IsRegular() && !file.Mode().IsDir():
			return fmt.Sprintf("holds %q, which is no plain file", file.Name), "pack the file itself, not a link to it"
		}
		f.zip[name] = file
	}
	return f.findEntry()
}

// findEntry finds the template: what TOSCA-Metadata says, or the only YAML file at
// the root of the archive (TOSCA 1.3, section 6).
func (f *files) findEntry() (what, fix string) {
	if f.zip["TOSCA-Metadata/TOSCA.meta"] != nil {
		meta, err := f.unpack("TOSCA-Metadata/TOSCA.meta")
		if err != nil {
			return fmt.Sprintf("holds TOSCA-Metadata/TOSCA.meta, which cannot be read: %v", err), "pack it again"
		}
		for line := range strings.Lines(string(meta)) {
			if name, found := strings.CutPrefix(line, "Entry-Definitions:"); found {
				f.entry = path.Clean(strings.TrimSpace(name))
			}
		}
		if f.zip[f.entry] == nil {
			return fmt.Sprintf("has the Entry-Definitions %q in TOSCA-Metadata/TOSCA.meta, and no such file", f.entry), "name the template there, by its path in the archive"
		}
		return "", ""
	}
	var roots []string
	for name, file := range f.zip {
		if !strings.Contains(name, "/") && isYAML(name) && file.Mode().IsRegular() {
			roots = append(roots, name)
		}
	}
	slices.Sort(roots)
	switch len(roots) {
	case 0:
		return "is an archive without TOSCA-Metadata/TOSCA.meta and without a YAML file at its root", "add one of them"
	case 1:
		f.entry = roots[0]
		return "", ""
	default:
		return fmt.Sprintf("is an archive with several YAML files at its root: %s", strings.Join(roots[:min(len(roots), 5)], ", ")), "add TOSCA-Metadata/TOSCA.meta with Entry-Definitions"
	}
}

func isYAML(name string) bool {
	return strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")
}

// unpack returns a file of the archive.
func (f *files) unpack(name string) ([]byte, error) {
	packed, err := f.zip[name].Open()
	if err != nil {
		return nil, err
	}
	defer packed.Close()
	text, err := io.ReadAll(io.LimitReader(packed, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("is more than %d bytes (4 MiB)", maxFile)
	}
	if f.total += len(text); f.total > maxTotal {
		return nil, fmt.Errorf("is beyond the %d bytes (16 MiB) that are unpacked of an archive", maxTotal)
	}
	return text, nil
}

// label is the name of a file of the archive in messages.
func (f *files) label(name string) string {
	if f.zip == nil {
		return f.source.File
	}
	return f.source.File + "/" + name
}

// main returns the template's text.
func (f *files) main() ([]byte, error) {
	if f.zip == nil {
		return f.source.Text, nil
	}
	return f.unpack(f.entry)
}
