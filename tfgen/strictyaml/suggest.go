package strictyaml

import (
	"strings"
	"unicode/utf8"

	"github.com/agext/levenshtein"
)

// Nearest returns the one of the known words that a mistyped word most likely
// stands for, and "" where none is near.
func Nearest(word string, known []string) string {
	best, distance := "", len(word)/3+2
	if len(word) > 2*maxShown {
		return ""
	}
	for _, k := range known {
		if d := levenshtein.Distance(strings.ToLower(word), strings.ToLower(k), nil); d < distance && d < len(k) {
			best, distance = k, d
		}
	}
	return best
}

// maxShown is how much of a value is repeated in a message, in characters.
const maxShown = 40

// shorten cuts a value to what a message can show.
func shorten(s string) string {
	if utf8.RuneCountInString(s) <= maxShown {
		return s
	}
	return string([]rune(s)[:maxShown-1]) + "…"
}
