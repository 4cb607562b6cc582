package secrets_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scalerd/scalerd/scaler/credentials"
	"github.com/scalerd/scalerd/scaler/secrets"
	"github.com/scalerd/scalerd/tfgen/spec"
)

const value = "s3cret-s3cret-s3cret"

var (
	first  = credentials.Entry{Type: "ec2", AuthData: map[string]string{"accesskey": "AKIAFIRST", "secretkey": value}}
	second = credentials.Entry{Type: "aws", Name: "second", AuthData: map[string]string{"accesskey": "AKIASECOND", "secretkey": value}}
)

func keyFile(t *testing.T) string {
	t.Helper()
	text, err := secrets.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "scalerd.key")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t *testing.T, path string, key *secrets.Key) *secrets.Store {
	t.Helper()
	f, err := secrets.OpenFile(path, key)
	if err != nil {
		t.Fatal(err)
	}
	return &secrets.Store{Keeper: f, Plain: func() string { return "" }}
}

func set(t *testing.T, s *secrets.Store, entries ...credentials.Entry) {
	t.Helper()
	for _, e := range entries {
		if err := s.Set(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
}

// finds says which access key terraform would get.
func finds(t *testing.T, s *secrets.Store, name string) string {
	t.Helper()
	set, err := s.Find(t.Context(), spec.CloudEC2, name)
	if err != nil {
		return err.Error()
	}
	return set.Env["AWS_ACCESS_KEY_ID"]
}

func TestAStoreKeepsFindsAndForgets(t *testing.T) {
	key := keyFile(t)
	keepers := map[string]func(t *testing.T) *secrets.Store{
		"a file": func(t *testing.T) *secrets.Store {
			return open(t, filepath.Join(t.TempDir(), secrets.FileName), secrets.KeyFile(key, false))
		},
		"vault's version 2": func(t *testing.T) *secrets.Store { return vaultStore(t, newFake(t, 2)) },
		"vault's version 1": func(t *testing.T) *secrets.Store { return vaultStore(t, newFake(t, 1)) },
	}
	for name, make := range keepers {
		t.Run(name, func(t *testing.T) {
			keepsFindsAndForgets(t, make(t))
		})
	}
}

// keepsFindsAndForgets takes an empty store through all that can be done with it.
func keepsFindsAndForgets(t *testing.T, s *secrets.Store) {
	t.Helper()
	var accesses []string
	s.Accessed = func(a secrets.Access) { accesses = append(accesses, secrets.Label(a.Cloud, a.Name)) }
	if got := finds(t, s, ""); got != "" {
		t.Errorf("an empty store finds %q", got)
	}
	set(t, s, second)
	if got := finds(t, s, ""); got != "AKIASECOND" {
		t.Errorf("the only entry is not the default: %q", got)
	}
	set(t, s, first)
	for name, want := range map[string]string{"": "AKIAFIRST", "default": "AKIAFIRST", "second": "AKIASECOND"} {
		if got := finds(t, s, name); got != want {
			t.Errorf("Find(%q) = %s, want %s", name, got, want)
		}
	}
	if got := finds(t, s, "third"); !strings.Contains(got, "no credentials of this name") {
		t.Errorf("Find(third) = %s", got)
	}
	list, err := s.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var shown []string
	for _, l := range list {
		shown = append(shown, l.Type+"/"+l.Name+" "+strings.Join(l.Keys, ","))
	}
	if diff := cmp.Diff([]string{"ec2/default accesskey,secretkey", "ec2/second accesskey,secretkey"}, shown); diff != "" {
		t.Errorf("List() (-want +got):\n%s", diff)
	}
	set(t, s, credentials.Entry{Type: "ec2", Name: "second", AuthData: map[string]string{"accesskey": "AKIATHIRD", "secretkey": value}})
	if got := finds(t, s, "second"); got != "AKIATHIRD" {
		t.Errorf("a replaced entry is %s", got)
	}
	if err := s.Remove(t.Context(), "ec2", "second"); err != nil {
		t.Fatal(err)
	}
	if err := s.Remove(t.Context(), "ec2", "second"); !errors.Is(err, secrets.ErrUnknown) {
		t.Errorf("Remove() again = %v, want ErrUnknown", err)
	}
	if len(accesses) < 5 || accesses[0] != "ec2/second" {
		t.Errorf("accesses = %q", accesses)
	}
	for _, wrong := range []credentials.Entry{
		{Type: "moon", AuthData: map[string]string{"a": value}},
		{Type: "ec2", Name: "../x", AuthData: first.AuthData},
		{Type: "ec2", AuthData: map[string]string{"key": value}},
		{Type: "ec2"},
	} {
		if err := s.Set(t.Context(), wrong); !errors.Is(err, secrets.ErrInvalid) || strings.Contains(err.Error(), value) {
			t.Errorf("Set(%s %s) = %v, want ErrInvalid without the value", wrong.Type, wrong.Name, err)
		}
	}
}

func TestTheFileIsPrivateAndShowsNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), secrets.FileName)
	set(t, open(t, path, secrets.KeyFile(keyFile(t), false)), first)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v, want 0600", info.Mode(), err)
	}
	if text, err := os.ReadFile(path); err != nil || bytes.Contains(text, []byte("AKIA")) || bytes.Contains(text, []byte(value)) {
		t.Errorf("the file shows a value: %v", err)
	}
}

func TestAWrongKeyOrADamagedFileChangesNothing(t *testing.T) {
	path, key := filepath.Join(t.TempDir(), secrets.FileName), keyFile(t)
	s := open(t, path, secrets.KeyFile(key, false))
	set(t, s, first)
	sealed, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	same := func(want []byte) {
		t.Helper()
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("the file was changed, or: %v", err)
		}
	}
	if _, err := secrets.OpenFile(path, secrets.KeyFile(keyFile(t), false)); err == nil || !strings.Contains(err.Error(), "is encrypted with another key") {
		t.Errorf("with another key: %v", err)
	}
	same(sealed)
	for at := range len(sealed) {
		broken := bytes.Clone(sealed)
		broken[at] ^= 1
		if err := os.WriteFile(path, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Find(t.Context(), spec.CloudEC2, ""); !errors.Is(err, secrets.ErrUnavailable) {
			t.Fatalf("with byte %d changed: %v, want ErrUnavailable", at, err)
		}
	}
	damaged := sealed[:len(sealed)-5]
	if err := os.WriteFile(path, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Set(t.Context(), second); !errors.Is(err, secrets.ErrUnavailable) || !strings.Contains(err.Error(), "is damaged") {
		t.Errorf("Set() on a damaged file = %v", err)
	}
	if _, err := s.Rotate(t.Context(), ""); err == nil {
		t.Error("a damaged file was rotated")
	}
	same(damaged)
	if err := os.Chmod(key, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := s.List(t.Context()); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("with a key that others read: %v", err)
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	if _, err := s.List(t.Context()); err == nil || !strings.Contains(err.Error(), "keygen") {
		t.Errorf("without the key: %v", err)
	}
}

func TestRotateGivesTheOldKeyUp(t *testing.T) {
	path, key := filepath.Join(t.TempDir(), secrets.FileName), keyFile(t)
	s := open(t, path, secrets.KeyFile(key, false))
	set(t, s, first, second)
	old, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Rotate(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if got := finds(t, s, "second"); got != "AKIASECOND" {
		t.Errorf("after Rotate(): %s", got)
	}
	elsewhere := filepath.Join(t.TempDir(), "old.key")
	if err := os.WriteFile(elsewhere, old, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := secrets.OpenFile(path, secrets.KeyFile(elsewhere, false)); err == nil {
		t.Error("the old key still opens the file")
	}
	if _, err := s.Rotate(t.Context(), "a passphrase"); !errors.Is(err, secrets.ErrRefused) {
		t.Errorf("Rotate() with a passphrase = %v, want ErrRefused", err)
	}
}

func TestAKeyOfTheSystemIsRotatedByItsLines(t *testing.T) {
	path, key := filepath.Join(t.TempDir(), secrets.FileName), keyFile(t)
	s := open(t, path, secrets.KeyFile(key, true))
	set(t, s, first)
	if _, err := s.Rotate(t.Context(), ""); !errors.Is(err, secrets.ErrRefused) || !strings.Contains(err.Error(), "put a line") {
		t.Errorf("Rotate() with one line = %v", err)
	}
	old, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := secrets.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(key, append([]byte(fresh), old...), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Rotate(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(key, []byte(fresh), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := finds(t, s, ""); got != "AKIAFIRST" {
		t.Errorf("with the new line only: %s", got)
	}
}

func TestAPassphraseOpensAndIsChanged(t *testing.T) {
	dir := t.TempDir()
	path, wrapped := filepath.Join(dir, secrets.FileName), filepath.Join(dir, "credentials.key.age")
	unlock := func(passphrase string) (*secrets.Key, error) {
		return secrets.PassphraseKey(wrapped, path, passphrase)
	}
	key, err := unlock("one passphrase")
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, path, key)
	set(t, s, first)
	if _, err := unlock("another passphrase"); err == nil || !strings.Contains(err.Error(), "is wrong: give the one") {
		t.Errorf("with a wrong passphrase: %v", err)
	}
	if _, err := s.Rotate(t.Context(), "two passphrases"); err != nil {
		t.Fatal(err)
	}
	if _, err := unlock("one passphrase"); err == nil {
		t.Error("the old passphrase still opens the key")
	}
	if key, err = unlock("two passphrases"); err != nil {
		t.Fatal(err)
	}
	if got := finds(t, open(t, path, key), ""); got != "AKIAFIRST" {
		t.Errorf("with the new passphrase: %s", got)
	}
	if err := os.Remove(wrapped); err != nil {
		t.Fatal(err)
	}
	if _, err := unlock("two passphrases"); err == nil || !strings.Contains(err.Error(), "restore it") {
		t.Errorf("without the key's file: %v", err)
	}
}

func TestThePlainFileIsTheLastSource(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "auth_data.yaml")
	if err := os.WriteFile(plain, []byte("resource: [{type: ec2, name: plain, auth_data: {accesskey: AKIAPLAIN}}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, filepath.Join(t.TempDir(), secrets.FileName), secrets.KeyFile(keyFile(t), false))
	s.Plain = func() string { return plain }
	if got := finds(t, s, "plain"); got != "AKIAPLAIN" {
		t.Errorf("Find(plain) = %s", got)
	}
	set(t, s, first)
	if got := finds(t, s, ""); got != "AKIAFIRST" {
		t.Errorf("Find() = %s, want the store's before the file's", got)
	}
	none := &secrets.Store{Plain: func() string { return plain }}
	if err := none.Set(t.Context(), first); !errors.Is(err, secrets.ErrRefused) || !strings.Contains(err.Error(), "keygen") {
		t.Errorf("Set() without a keeper = %v", err)
	}
}
