// Package secrets keeps the clouds' credentials: in a file that age encrypts, or in
// HashiCorp Vault. Terraform gets them for one run; nothing is kept in memory after
// it, and no value is ever given back to who set it.
//
// A Store looks in its Keeper first, and then in the plain credentials file; what
// neither has is terraform's own business, which finds profiles and variables of the
// environment as ever.
package secrets

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/credentials"
	"github.com/scalerd/scalerd/tfgen/spec"
)

var (
	// ErrInvalid is returned for an entry that can't be kept.
	ErrInvalid = errors.New("not valid")
	// ErrUnknown is returned for an entry that is not there.
	ErrUnknown = errors.New("no such credentials")
	// ErrRefused is returned for what can't be done with this keeper as it is.
	ErrRefused = errors.New("not possible here")
	// ErrUnavailable is returned where the keeper can't be read or written now.
	ErrUnavailable = errors.New("the credential store can't be used now")
)

// Keeper keeps entries. *File and *Vault do.
type Keeper interface {
	// Pick is the cloud's entry of that name or, without a name, its default one.
	Pick(ctx context.Context, cloud spec.Cloud, name string) (credentials.Entry, bool, error)
	// Entries are all of them.
	Entries(ctx context.Context) ([]credentials.Entry, error)
	// Put adds an entry, or replaces the one of its cloud and name.
	Put(ctx context.Context, e credentials.Entry) error
	// Remove removes one, or returns ErrUnknown.
	Remove(ctx context.Context, cloud spec.Cloud, name string) error
	// Rotate encrypts everything anew, and says what is left to do.
	Rotate(ctx context.Context, passphrase string) (string, error)
	// String says where they are kept.
	String() string
}

// Access is one use of an entry, or a try.
type Access struct {
	Cloud spec.Cloud
	// Name is empty for the default entry.
	Name string
	// Where says what it was taken from.
	Where string
	Err   error
}

// Store finds and changes credentials. It is safe for concurrent use.
type Store struct {
	// Keeper is nil where no key, no passphrase and no Vault is configured.
	Keeper Keeper
	// Plain is the path of the plain credentials file; it may be empty.
	Plain func() string
	// Accessed hears of each access; it may be nil.
	Accessed func(Access)
}

// Default is the name that an entry without a name has in lists and paths.
const Default = "default"

// Find returns the credentials with which terraform is to run. An error means that the
// run must not begin.
func (s *Store) Find(ctx context.Context, cloud spec.Cloud, name string) (scaler.Credentials, error) {
	if err := named(name); err != nil {
		return scaler.Credentials{}, err
	}
	if s.Keeper != nil && (credentials.Entry{Type: string(cloud)}).Cloud() != "" {
		e, found, err := s.Keeper.Pick(ctx, cloud, name)
		var set scaler.Credentials
		if found && err == nil {
			if set, err = e.Credentials(); err != nil {
				err = fmt.Errorf("credentials %s in %s: %w", Label(cloud, e.Name), s.Keeper, err)
			}
		}
		if found || err != nil {
			s.accessed(Access{Cloud: cloud, Name: cmp.Or(e.Name, name), Where: s.Keeper.String(), Err: err})
			return set, err
		}
	}
	set, err := credentials.Find(s.Plain(), cloud, name)
	if err != nil || len(set.Env)+len(set.Variables) > 0 {
		s.accessed(Access{Cloud: cloud, Name: name, Where: s.Plain(), Err: err})
	}
	return set, err
}

func (s *Store) accessed(a Access) {
	if s.Accessed != nil {
		s.Accessed(a)
	}
}

// Label is how an entry is called: ec2/production, or ec2/default.
func Label(cloud spec.Cloud, name string) string { return string(cloud) + "/" + cmp.Or(name, Default) }

// Listed is an entry without its values.
type Listed struct {
	Type string     `json:"type"`
	Name string     `json:"name"`
	Keys []string   `json:"keys" doc:"The keys that have a value; values are never given back."`
	In   string     `json:"in" doc:"Where it is kept."`
	For  spec.Cloud `json:"-"`
}

// List are the entries of the keeper and of the plain file, by cloud and name.
func (s *Store) List(ctx context.Context) ([]Listed, error) {
	list := []Listed{}
	add := func(entries []credentials.Entry, in string) {
		for _, e := range entries {
			l := Listed{Type: string(e.Cloud()), Name: cmp.Or(e.Name, Default), In: in, For: e.Cloud(), Keys: []string{}}
			for _, key := range slices.Sorted(maps.Keys(e.AuthData)) {
				if e.AuthData[key] != "" {
					l.Keys = append(l.Keys, key)
				}
			}
			list = append(list, l)
		}
	}
	if s.Keeper != nil {
		entries, err := s.Keeper.Entries(ctx)
		if err != nil {
			return nil, err
		}
		add(entries, s.Keeper.String())
	}
	if path := s.Plain(); path != "" {
		entries, err := credentials.Read(path)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		add(entries, path)
	}
	slices.SortStableFunc(list, func(a, b Listed) int { return strings.Compare(a.Type+"\x00"+a.Name, b.Type+"\x00"+b.Name) })
	return list, nil
}

var namePattern = regexp.MustCompile(spec.CredentialsPattern)

// named refuses what is no name of an entry; the empty one is that of the default entry.
func named(name string) error {
	if name != "" && !namePattern.MatchString(name) {
		return fmt.Errorf("%w: name %q: %s", ErrInvalid, name, spec.CredentialsRule)
	}
	return nil
}

// Check says what is wrong with an entry; never with a value.
func Check(e credentials.Entry) error {
	if e.Cloud() == "" {
		return fmt.Errorf("%w: type %q: use one of %s", ErrInvalid, e.Type, strings.Join(credentials.Types(), ", "))
	}
	if err := named(e.Name); err != nil {
		return err
	}
	if _, err := e.Credentials(); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return nil
}

func (s *Store) keeper() (Keeper, error) {
	if s.Keeper == nil {
		return nil, fmt.Errorf("%w: scalerd has no credential store; make a key with scalerctl credentials keygen and name it with --credentials-key, or use --credentials-passphrase or --vault-address", ErrRefused)
	}
	return s.Keeper, nil
}

// Set adds an entry, or replaces the one of its cloud and name; it is used from
// terraform's next run on.
func (s *Store) Set(ctx context.Context, e credentials.Entry) error {
	if e.Name == Default {
		e.Name = ""
	}
	k, err := s.keeper()
	if err == nil {
		err = Check(e)
	}
	if err != nil {
		return err
	}
	e.Type = string(e.Cloud())
	return k.Put(ctx, e)
}

// Remove removes an entry.
func (s *Store) Remove(ctx context.Context, kind, name string) error {
	k, err := s.keeper()
	if err != nil {
		return err
	}
	if name == Default {
		name = ""
	}
	cloud := credentials.Entry{Type: kind}.Cloud()
	if cloud == "" {
		return fmt.Errorf("%w: type %q: use one of %s", ErrInvalid, kind, strings.Join(credentials.Types(), ", "))
	}
	if err := named(name); err != nil {
		return err
	}
	return k.Remove(ctx, cloud, name)
}

// Rotate encrypts everything with a new key, and with a new passphrase where there is
// one; it says what is left to do.
func (s *Store) Rotate(ctx context.Context, passphrase string) (string, error) {
	k, err := s.keeper()
	if err != nil {
		return "", err
	}
	return k.Rotate(ctx, passphrase)
}

// Entry is an entry with its values checked, for a test of it.
func (s *Store) Entry(ctx context.Context, kind, name string) (credentials.Entry, error) {
	list, err := s.List(ctx)
	if err != nil {
		return credentials.Entry{}, err
	}
	cloud := credentials.Entry{Type: kind}.Cloud()
	for _, l := range list {
		if l.For == cloud && l.Name == cmp.Or(name, Default) {
			picked := name
			if picked == Default {
				picked = ""
			}
			_, err := s.Find(ctx, cloud, picked)
			return credentials.Entry{Type: string(cloud), Name: picked}, err
		}
	}
	return credentials.Entry{}, fmt.Errorf("credentials %s: %w", Label(cloud, name), ErrUnknown)
}
