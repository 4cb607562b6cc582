package scaler

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

var (
	// known are forms of keys that are told by their looks.
	known = []struct {
		what    string
		pattern *regexp.Regexp
	}{
		{"an AWS access key", regexp.MustCompile(`\b(AKIA|ASIA)[0-9A-Z]{16}\b`)},
		{"a private key", regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY( BLOCK)?-----`)},
		{"an age key", regexp.MustCompile(`AGE-SECRET-KEY-1[0-9A-Z]{20,}`)},
		{"a token of GitHub", regexp.MustCompile(`\b(gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{30,})`)},
		{"a token of GitLab", regexp.MustCompile(`\bglpat-[A-Za-z0-9_-]{20,}`)},
		{"a token of Slack", regexp.MustCompile(`\bxox[abprs]-[A-Za-z0-9-]{10,}`)},
		{"a token of Vault", regexp.MustCompile(`\bhvs\.[A-Za-z0-9_-]{20,}`)},
		{"a token of scalerd", regexp.MustCompile(`\bscalerd_[A-Za-z0-9_-]{30,}`)},
	}
	// assigned is a value of a key that is named like a secret.
	assigned = regexp.MustCompile(`(?i)\b[a-z0-9_.-]*(password|passwd|secret|api_?key|access_?key|secretkey|accesskey|private_?key|auth_?token|client_secret)["']?\s*[:=]\s*["']?([^\s"',}#]{8,})`)
	// chance is what may be a random value, in base64 or in hexadecimal.
	chance = regexp.MustCompile(`[A-Za-z0-9+/_=-]{32,}`)
	hexes  = regexp.MustCompile(`^[0-9a-fA-F]+$`)
	// public are lines, and blocks, whose long values are no secrets.
	public      = regexp.MustCompile(`\b(ssh-(ed25519|rsa|dss)|ecdsa-sha2-\S+|sk-ssh-\S+) AAAA|\bsha(256|512)[:-]|\b(checksum|digest|fingerprint)\b`)
	publicBegin = regexp.MustCompile(`-----BEGIN (CERTIFICATE|[A-Z ]*PUBLIC KEY( BLOCK)?)-----`)
	publicEnd   = regexp.MustCompile(`-----END (CERTIFICATE|[A-Z ]*PUBLIC KEY( BLOCK)?)-----`)
	// identifier is a key whose value is an identifier of a cloud.
	identifier = regexp.MustCompile(`(?i)\b[a-z0-9_]*(id|ids|uuid)["']?\s*:`)
	// reference is a value that only names where the real one is.
	reference = regexp.MustCompile(`[$%]|\{\{|^<|^(get_input|file:|/)`)
)

const (
	// enoughBase64 and enoughHex are the entropies, in bits a character, from which on a
	// long text counts as random; words and identifiers have less.
	enoughBase64 = 4.3
	enoughHex    = 3.0
)

// LeakNotes warn of values in a description that look like keys or passwords, by file
// and line and without the value. A description can't keep a secret: it is stored, and
// shown to whoever may read it. An archive is not looked into.
func LeakNotes(source Source) []string {
	if !utf8.Valid(source.Text) {
		return nil
	}
	var notes []string
	number, isPublic := 0, false
	for line := range bytes.Lines(source.Text) {
		number++
		text := string(line)
		isPublic = isPublic || publicBegin.MatchString(text)
		if what := leak(text); what != "" && !isPublic {
			notes = append(notes, fmt.Sprintf("%s:%d: looks like %s: a description is stored and shown as it is; keep it with scalerctl credentials set and name it with credentials:, or have the node fetch it", source.File, number, what))
		}
		isPublic = isPublic && !publicEnd.MatchString(text)
	}
	return notes
}

// leak says what a line looks like; it is empty for no secret.
func leak(line string) string {
	for _, k := range known {
		if k.pattern.MatchString(line) {
			return k.what
		}
	}
	if strings.HasPrefix(strings.TrimSpace(line), "#") || public.MatchString(line) {
		return ""
	}
	if m := assigned.FindStringSubmatch(line); m != nil && !reference.MatchString(m[2]) && !placeholder(m[2]) {
		return "a password or key (" + strings.ToLower(m[1]) + ")"
	}
	if identifier.MatchString(line) {
		return ""
	}
	for _, word := range chance.FindAllString(line, -1) {
		if random(word) {
			return "a key"
		}
	}
	return ""
}

// placeholder reports whether a value says that it is none.
func placeholder(value string) bool {
	value = strings.ToLower(value)
	for _, word := range []string{"changeme", "change_me", "example", "placeholder", "redacted", "your", "xxxx", "****", "false", "true"} {
		if strings.Contains(value, word) {
			return true
		}
	}
	return false
}

// random reports whether a word is as chance would have it. Base64 of a text is not.
func random(word string) bool {
	if hexes.MatchString(word) {
		return entropy(word) >= enoughHex && strings.ContainsAny(word, "0123456789")
	}
	var upper, lower, digit bool
	for _, r := range word {
		upper, lower, digit = upper || unicode.IsUpper(r), lower || unicode.IsLower(r), digit || unicode.IsDigit(r)
	}
	if !upper || !lower || !digit || entropy(word) < enoughBase64 {
		return false
	}
	decoded, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(word, "="))
	return err != nil || !printable(decoded)
}

func printable(text []byte) bool {
	return utf8.Valid(text) && bytes.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) && !unicode.IsSpace(r) }) < 0
}

// entropy is Shannon's, in bits a character.
func entropy(word string) float64 {
	counts := map[rune]float64{}
	for _, r := range word {
		counts[r]++
	}
	sum, n := 0.0, float64(len(word))
	for _, r := range word { // in the word's order: the same sum each time
		if c := counts[r]; c > 0 {
			sum -= c / n * math.Log2(c/n)
			counts[r] = 0
		}
	}
	return sum
}
