package strictyaml

import (
	"regexp"
	"strconv"
	"strings"
)

// JoinKey is the path of a key below path: groups[0] and min give groups[0].min.
// A key that is more than letters, digits, dashes and underscores is quoted:
// labels["a.b"].
func JoinKey(path, key string) string {
	if !plainKey.MatchString(key) {
		return path + "[" + strconv.Quote(key) + "]"
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// JoinIndex is the path of the item at index, counted from 0, of the list at path.
func JoinIndex(path string, index int) string {
	return path + "[" + strconv.Itoa(index) + "]"
}

var plainKey = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// nextStep splits the first step off a path: a key, or an index if isIndex.
func nextStep(path string) (key string, index int, isIndex bool, rest string) {
	path = strings.TrimPrefix(path, ".")
	if quoted, found := strings.CutPrefix(path, "["); found {
		if prefix, err := strconv.QuotedPrefix(quoted); err == nil {
			key, _ = strconv.Unquote(prefix)
			return key, 0, false, strings.TrimPrefix(quoted[len(prefix):], "]")
		}
		number, rest, _ := strings.Cut(quoted, "]")
		index, err := strconv.Atoi(number)
		if err != nil {
			index = -1
		}
		return "", index, true, rest
	}
	end := strings.IndexAny(path, ".[")
	if end < 0 {
		return path, 0, false, ""
	}
	return path[:end], 0, false, path[end:]
}
