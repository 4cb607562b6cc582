package secrets

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync"

	"filippo.io/age"
	"github.com/google/renameio/v2"

	"github.com/scalerd/scalerd/scaler/credentials"
	"github.com/scalerd/scalerd/tfgen/spec"
)

// FileName is the name of the encrypted file in the data folder.
const FileName = "credentials.age"

// File is a Keeper: a file that age encrypts, in the layout of a credentials file. It is
// safe for concurrent use.
type File struct {
	path string
	key  *Key
	mu   sync.Mutex
}

// OpenFile returns the keeper of a file, which need not be there yet, after it checked
// that the key opens it.
func OpenFile(path string, key *Key) (*File, error) {
	f := &File{path: path, key: key}
	_, err := f.read()
	return f, err
}

// String implements Keeper.
func (f *File) String() string { return f.path }

// Pick implements Keeper: the default entry is the one without a name, else the first.
func (f *File) Pick(_ context.Context, cloud spec.Cloud, name string) (credentials.Entry, bool, error) {
	entries, err := f.entries()
	if err != nil {
		return credentials.Entry{}, false, err
	}
	if name == Default {
		name = ""
	}
	if i := slices.IndexFunc(entries, func(e credentials.Entry) bool { return e.Cloud() == cloud && e.Name == name }); i >= 0 {
		return entries[i], true, nil
	}
	e, ok := credentials.Pick(entries, cloud, name)
	return e, ok, nil
}

// Entries implements Keeper.
func (f *File) Entries(context.Context) ([]credentials.Entry, error) { return f.entries() }

// Put implements Keeper.
func (f *File) Put(_ context.Context, e credentials.Entry) error {
	return f.change(func(entries []credentials.Entry) ([]credentials.Entry, error) {
		if i := index(entries, e.Cloud(), e.Name); i >= 0 {
			entries[i] = e
			return entries, nil
		}
		return append(entries, e), nil
	})
}

// Remove implements Keeper.
func (f *File) Remove(_ context.Context, cloud spec.Cloud, name string) error {
	return f.change(func(entries []credentials.Entry) ([]credentials.Entry, error) {
		i := index(entries, cloud, name)
		if i < 0 {
			return nil, fmt.Errorf("credentials %s in %s: %w", Label(cloud, name), f, ErrUnknown)
		}
		return slices.Delete(entries, i, i+1), nil
	})
}

func index(entries []credentials.Entry, cloud spec.Cloud, name string) int {
	return slices.IndexFunc(entries, func(e credentials.Entry) bool { return e.Cloud() == cloud && e.Name == name })
}

// Rotate implements Keeper. Killed at any moment, it leaves a file that a key opens: the
// old key is given up only after everything is encrypted with the new one.
func (f *File) Rotate(_ context.Context, passphrase string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	entries, err := f.read()
	if err != nil {
		return "", err
	}
	if err := f.key.renew(passphrase); err != nil {
		return "", err
	}
	if err := f.write(entries); err != nil {
		return "", err
	}
	return f.key.forget()
}

func (f *File) entries() ([]credentials.Entry, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.read()
}

func (f *File) change(change func([]credentials.Entry) ([]credentials.Entry, error)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	entries, err := f.read()
	if err != nil {
		return err
	}
	if entries, err = change(entries); err != nil {
		return err
	}
	return f.write(entries)
}

// read decrypts the file; one that is not there has no entries.
func (f *File) read() ([]credentials.Entry, error) {
	sealed, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		_, err := f.key.identities()
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	identities, err := f.key.identities()
	if err != nil {
		return nil, err
	}
	text, err := decrypt(sealed, identities...)
	if wrong := (*age.NoIdentityMatchError)(nil); errors.As(err, &wrong) {
		return nil, fmt.Errorf("%w: %s is encrypted with another key than %s; nothing was changed", ErrUnavailable, f.path, f.key)
	}
	var file credentials.File
	if err == nil {
		err = json.Unmarshal(text, &file)
	}
	if err != nil { // a mistake of JSON would show what stands there
		return nil, fmt.Errorf("%w: %s is damaged: restore it from a backup, or remove it and set the credentials again; nothing was changed", ErrUnavailable, f.path)
	}
	return file.Resource, nil
}

func (f *File) write(entries []credentials.Entry) error {
	text, err := json.Marshal(credentials.File{Resource: entries})
	if err != nil {
		return fmt.Errorf("%w: encode credentials: %w", ErrUnavailable, err)
	}
	identities, err := f.key.identities()
	if err != nil {
		return err
	}
	sealed, err := encrypt(text, identities[0].Recipient())
	if err == nil {
		err = renameio.WriteFile(f.path, sealed, 0o600)
	}
	if err != nil {
		return fmt.Errorf("%w: write %s: %w; nothing was changed", ErrUnavailable, f.path, err)
	}
	return nil
}

func encrypt(text []byte, to age.Recipient) ([]byte, error) {
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, to)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return sealed.Bytes(), nil
}

func decrypt[I age.Identity](sealed []byte, identities ...I) ([]byte, error) {
	all := make([]age.Identity, len(identities))
	for i, identity := range identities {
		all[i] = identity
	}
	r, err := age.Decrypt(bytes.NewReader(sealed), all...)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}
