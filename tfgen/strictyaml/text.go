package strictyaml

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Limits on the text, checked before the YAML library sees it. The library reads
// all of a text into tokens of some 500 bytes each. It takes time that is the
// product of a block scalar's size and the blank lines at its end, of a line's
// length and the tabs in it, and that is the square of a run of "<".
const (
	maxSize       = 4 << 20
	maxIndicators = 100_000
	maxBlankLines = 64
	maxTabCost    = 100_000_000
	maxRun        = 256
)

// clean returns the text as YAML with line feeds, ending in one, or what makes it
// no text that the YAML library may be given.
func clean(text []byte) (string, *Mistake) {
	if len(text) > maxSize {
		return "", &Mistake{Line: 1, Column: 1,
			What: fmt.Sprintf("is %d bytes, more than %d (4 MiB)", len(text), maxSize), Fix: "split the file"}
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	source := string(bytes.ReplaceAll(text, []byte("\r"), []byte("\n")))
	if m := checkCharacters(source); m != nil {
		return "", m
	}
	if m := checkLines(source); m != nil {
		return "", m
	}
	if !strings.HasSuffix(source, "\n") {
		source += "\n" // the library drops a tag that ends the text
	}
	return source, nil
}

func checkCharacters(source string) *Mistake {
	line, column, indicators := 1, 1, 0
	for i, r := range source {
		switch {
		case r == '\n':
			line, column = line+1, 0
			indicators++
		case r == utf8.RuneError && !strings.HasPrefix(source[i:], "\ufffd"):
			return &Mistake{Line: line, Column: column, What: "is not UTF-8", Fix: "save the file as UTF-8"}
		case r < ' ' && r != '\t' || r >= 0x7f && r < 0xa0 && r != 0x85:
			return &Mistake{Line: line, Column: column, What: fmt.Sprintf("holds the control character %U", r), Fix: "remove it"}
		case strings.ContainsRune(`[]{},:-?&*!%#'"|>`, r):
			indicators++
		}
		if indicators > maxIndicators {
			return &Mistake{Line: line, Column: max(column, 1), What: "is too intricate: more than 100,000 lines and YAML indicators", Fix: "split the file"}
		}
		column++
	}
	return nil
}

func checkLines(source string) *Mistake {
	line, blank, tabs := 0, 0, 0
	run := strings.Repeat("<", maxRun)
	for l := range strings.Lines(source) {
		line++
		blank++
		if strings.TrimSpace(l) != "" {
			blank = 0
		}
		tabs += strings.Count(l, "\t") * len(l)
		switch {
		case blank > maxBlankLines:
			return &Mistake{Line: line, Column: 1, What: fmt.Sprintf("is the end of more than %d blank lines", maxBlankLines), Fix: "remove them"}
		case tabs > maxTabCost:
			return &Mistake{Line: line, Column: 1, What: "is too intricate: long lines with many tabs", Fix: "use spaces"}
		case strings.Contains(l, run):
			return &Mistake{Line: line, Column: 1, What: fmt.Sprintf(`has %d or more "<" in a row`, maxRun), Fix: "remove them"}
		}
	}
	return nil
}
