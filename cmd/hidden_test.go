package cmd_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	_ "modernc.org/sqlite"
)

// hidden is a secret, and the forms in which a text may hold it.
type hidden struct {
	name  string
	forms map[string][]byte
}

// hide makes the forms of a secret: as it is, as JSON and addresses quote it, in
// hexadecimal digits, and in both alphabets of base64 wherever it begins.
func hide(name, secret string) hidden {
	quoted, _ := json.Marshal(secret) // a string can be encoded
	h := hidden{name, map[string][]byte{
		"plain": []byte(secret), "JSON": bytes.Trim(quoted, `"`), "URL": []byte(url.QueryEscape(secret)),
		"hex": []byte(hex.EncodeToString([]byte(secret))), "HEX": []byte(strings.ToUpper(hex.EncodeToString([]byte(secret)))),
	}}
	for before := range 3 {
		bits := 8 * (before + len(secret)) // only whole digits of the secret's own bits
		from, to := (8*before+5)/6, bits/6
		text := append(make([]byte, before), secret...)
		h.forms[fmt.Sprintf("base64+%d", before)] = []byte(base64.StdEncoding.EncodeToString(text)[from:to])
		h.forms[fmt.Sprintf("base64url+%d", before)] = []byte(base64.URLEncoding.EncodeToString(text)[from:to])
	}
	return h
}

// packed is gzip in base64, as user data is in node sets.
var packed = regexp.MustCompile(`H4sI[A-Za-z0-9+/_-]{8,}={0,2}`)

// find names the secrets that a text holds, also in what is compressed in it.
func find(all []hidden, text []byte) []string {
	var found []string
	for _, h := range all {
		for form, needle := range h.forms {
			if bytes.Contains(text, needle) {
				found = append(found, h.name+" ("+form+")")
				break
			}
		}
	}
	for _, inner := range unpack(text) {
		found = append(found, find(all, inner)...)
	}
	return found
}

// unpack is what a gzip or zip file holds, and gzip in base64 within a text.
func unpack(text []byte) [][]byte {
	var parts [][]byte
	gunzip := func(text []byte) {
		if r, err := gzip.NewReader(bytes.NewReader(text)); err == nil {
			inner, _ := io.ReadAll(r) // what there is of one that was cut short
			parts = append(parts, inner)
		}
	}
	gunzip(text)
	for _, blob := range packed.FindAll(text, -1) {
		if raw, err := base64.StdEncoding.DecodeString(string(blob)); err == nil {
			gunzip(raw)
		}
	}
	if r, err := zip.NewReader(bytes.NewReader(text), int64(len(text))); err == nil {
		for _, f := range r.File {
			if content, err := f.Open(); err == nil {
				inner, _ := io.ReadAll(content)
				parts = append(parts, inner)
			}
		}
	}
	return parts
}

// rows is every value of every table of a SQLite file, which may spread a long one
// over pages and have a new one in its write-ahead log only.
func rows(path string) ([]byte, error) {
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	tables, err := column(db, "SELECT name FROM sqlite_master WHERE type = 'table'")
	if err != nil {
		return nil, err
	}
	var all bytes.Buffer
	for _, table := range tables {
		found, err := db.Query(fmt.Sprintf("SELECT * FROM %q", table))
		if err != nil {
			return nil, err
		}
		names, err := found.Columns()
		if err != nil {
			return nil, err
		}
		values, into := make([]sql.RawBytes, len(names)), make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		for found.Next() {
			if err := found.Scan(into...); err != nil {
				return nil, err
			}
			for _, value := range values {
				all.Write(value)
				all.WriteByte('\n')
			}
		}
		if err := found.Err(); err != nil {
			return nil, err
		}
	}
	return all.Bytes(), nil
}

func column(db *sql.DB, query string) ([]string, error) {
	found, err := db.Query(query)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var all []string
	for found.Next() {
		var one string
		if err := found.Scan(&one); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, found.Err()
}

// TestASecretIsFoundWhereverItIs hides one in every way that the search claims to know.
func TestASecretIsFoundWhereverItIs(t *testing.T) {
	const secret = `pass&word/7f3e"9a51<+`
	all := []hidden{hide("the secret", secret)}
	compressed := func(text string) []byte {
		var out bytes.Buffer
		w := gzip.NewWriter(&out)
		_, err := io.WriteString(w, text)
		if err := errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	zipped := func(text string) []byte {
		var out bytes.Buffer
		w := zip.NewWriter(&out)
		f, err := w.Create("tfplan")
		if err == nil {
			_, err = io.WriteString(f, text)
		}
		if err := errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	database := func(text string) []byte {
		path := filepath.Join(t.TempDir(), "some.db")
		db, err := sql.Open("sqlite", path)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		for _, statement := range []string{"PRAGMA journal_mode = WAL", "CREATE TABLE x (a INTEGER, b BLOB)"} {
			if _, err := db.Exec(statement); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := db.Exec("INSERT INTO x VALUES (1, ?)", strings.Repeat("-", 4070)+text); err != nil {
			t.Fatal(err)
		}
		got, err := rows(path)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	quoted, _ := json.Marshal(map[string]string{"password": secret})
	for name, text := range map[string][]byte{
		"in a text":                []byte("x=" + secret + "\n"),
		"in JSON":                  quoted,
		"in an address":            []byte("https://x/?p=" + url.QueryEscape(secret)),
		"in hexadecimal digits":    fmt.Appendf(nil, "%x", secret),
		"in HTTP Basic":            []byte(base64.StdEncoding.EncodeToString([]byte("me:" + secret))),
		"in HTTP Basic, shifted":   []byte(base64.StdEncoding.EncodeToString([]byte("anna:" + secret + "x"))),
		"in base64 for addresses":  []byte(base64.RawURLEncoding.EncodeToString([]byte(secret))),
		"in gzip":                  compressed("x" + secret),
		"in gzip in base64":        []byte(`{"user_data":"` + base64.StdEncoding.EncodeToString(compressed("password: "+secret)) + `"}`),
		"in a saved plan":          zipped("x" + secret),
		"over two pages of SQLite": database(secret),
	} {
		if found := find(all, text); len(found) == 0 {
			t.Errorf("the secret is not found %s", name)
		}
	}
	for name, text := range map[string][]byte{
		"its half": []byte(secret[:10]), "another": []byte("pass&word"), "gzip without it": compressed("nothing"), "nothing": nil,
	} {
		if found := find(all, text); len(found) > 0 {
			t.Errorf("%s: %v is found", name, found)
		}
	}
}
