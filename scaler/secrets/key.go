package secrets

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"filippo.io/age"
	"github.com/google/renameio/v2"
)

// Key opens a File. It is a file with age's X25519 identities, one a line, the first of
// which encrypts; under a passphrase that file is encrypted too, by age's scrypt
// recipient, so that the second that a passphrase costs is paid once, at the start.
// A Key is used by one File at a time.
type Key struct {
	path string
	// given is set where somebody else provides the file: systemd.
	given bool
	// passphrase is empty for a file that is not encrypted; opened are the identities
	// of one that is.
	passphrase string
	opened     []*age.X25519Identity
}

// KeyFile is the key in a file that only its owner can read. Where given is set the file
// is provided by somebody else, such as systemd, and never written.
func KeyFile(path string, given bool) *Key { return &Key{path: path, given: given} }

// PassphraseKey is the key in a file that a passphrase encrypts; the file is made where
// there is none and data, the file that it is to open, is not there either.
func PassphraseKey(path, data, passphrase string) (*Key, error) {
	k := &Key{path: path, passphrase: passphrase}
	if passphrase == "" {
		return nil, fmt.Errorf("%w: the passphrase of the credentials is empty", ErrInvalid)
	}
	sealed, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(data); err == nil {
			return nil, fmt.Errorf("%w: %s is there, and its key %s is not: restore it from a backup", ErrUnavailable, data, path)
		}
		return k, k.renew("")
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	with, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, fmt.Errorf("%w: passphrase: %w", ErrInvalid, err)
	}
	with.SetMaxWorkFactor(workFactor)
	text, err := decrypt(sealed, with)
	if wrong := (*age.NoIdentityMatchError)(nil); errors.As(err, &wrong) {
		return nil, fmt.Errorf("%w: the passphrase of %s is wrong: give the one that it was made or rotated with; nothing was changed", ErrUnavailable, path)
	}
	if err == nil {
		k.opened, err = parseIdentities(text)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s is damaged: restore it from a backup; nothing was changed", ErrUnavailable, path)
	}
	return k, nil
}

// workFactor is scrypt's: 2^18 rounds take about a second.
const workFactor = 18

// NewKey is the text of a new key file.
func NewKey() (string, error) {
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		return "", fmt.Errorf("make key: %w", err)
	}
	return identity.String() + "\n", nil
}

// String says where the key is.
func (k *Key) String() string { return k.path }

// identities are those of the key, the first of which encrypts. A file is read each
// time.
func (k *Key) identities() ([]*age.X25519Identity, error) {
	if k.passphrase != "" {
		return k.opened, nil
	}
	info, err := os.Stat(k.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: key %s is not there; make one with scalerctl credentials keygen --out %s, as the user that scalerd runs as", ErrUnavailable, k.path, k.path)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: key: %w", ErrUnavailable, err)
	}
	if !k.given && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%w: key %s can be read by others (mode %04o); run chmod 600 on it, and then scalerctl credentials rotate", ErrUnavailable, k.path, info.Mode().Perm())
	}
	text, err := os.ReadFile(k.path)
	if err != nil {
		return nil, fmt.Errorf("%w: key: %w", ErrUnavailable, err)
	}
	identities, err := parseIdentities(text)
	if err != nil {
		return nil, fmt.Errorf("%w: key %s: %w", ErrUnavailable, k.path, err)
	}
	return identities, nil
}

// parseIdentities never repeats a line in an error.
func parseIdentities(text []byte) ([]*age.X25519Identity, error) {
	var identities []*age.X25519Identity
	number := 0
	for line := range bytes.Lines(text) {
		number++
		if line = bytes.TrimSpace(line); len(line) == 0 || line[0] == '#' {
			continue
		}
		identity, err := age.ParseX25519Identity(string(line))
		if err != nil {
			return nil, fmt.Errorf("line %d is no age identity (AGE-SECRET-KEY-1...), as scalerctl credentials keygen writes it", number)
		}
		identities = append(identities, identity)
	}
	if len(identities) == 0 {
		return nil, errors.New("it has no age identity; write one with scalerctl credentials keygen")
	}
	return identities, nil
}

// renew puts a new identity before those that there are, under the new passphrase where
// one is given. A key that somebody else provides must have a new one already.
func (k *Key) renew(passphrase string) error {
	if passphrase != "" && k.passphrase == "" {
		return fmt.Errorf("%w: the credentials have the key %s and no passphrase", ErrRefused, k.path)
	}
	var old []*age.X25519Identity
	if k.passphrase == "" || len(k.opened) > 0 {
		var err error
		if old, err = k.identities(); err != nil {
			return err
		}
	}
	if k.given {
		if len(old) < 2 {
			return fmt.Errorf("%w: the key %s is provided by the system: put a line of scalerctl credentials keygen before the one that it has, restart scalerd, rotate again, and then remove the old line", ErrRefused, k.path)
		}
		return nil
	}
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		return fmt.Errorf("make key: %w", err)
	}
	if passphrase == "" {
		passphrase = k.passphrase
	}
	return k.write(append([]*age.X25519Identity{identity}, old...), passphrase)
}

// forget gives the old identities up, and says what is left to do.
func (k *Key) forget() (string, error) {
	identities, err := k.identities()
	if err != nil {
		return "", err
	}
	if k.given {
		return "everything is encrypted with the first line of the key; remove the others", nil
	}
	if err := k.write(identities[:1], k.passphrase); err != nil {
		return "", err
	}
	if k.passphrase != "" {
		return "where scalerd reads its passphrase from has to have the new one before the next start", nil
	}
	return "back the new key up: the old one opens old copies of the file only", nil
}

func (k *Key) write(identities []*age.X25519Identity, passphrase string) error {
	var text strings.Builder
	for _, identity := range identities {
		fmt.Fprintln(&text, identity)
	}
	content := []byte(text.String())
	if passphrase != "" {
		to, err := age.NewScryptRecipient(passphrase)
		if err != nil {
			return fmt.Errorf("%w: passphrase: %w", ErrInvalid, err)
		}
		to.SetWorkFactor(workFactor)
		if content, err = encrypt(content, to); err != nil {
			return fmt.Errorf("%w: encrypt the key: %w", ErrUnavailable, err)
		}
	}
	if err := renameio.WriteFile(k.path, content, 0o600); err != nil {
		return fmt.Errorf("%w: write the key: %w; nothing was changed", ErrUnavailable, err)
	}
	if passphrase != "" {
		k.opened, k.passphrase = identities, passphrase
	}
	return nil
}
