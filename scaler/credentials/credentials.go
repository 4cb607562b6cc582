// Package credentials finds what Terraform needs to log in to a group's cloud.
//
// They come from a file in the layout of MiCADO's auth_data.yaml, or from the
// environment of scalerd, where profiles and clouds.yaml are found as ever. They
// reach terraform through its environment only, for one run, and are written
// nowhere.
//
//	resource:
//	  - type: ec2              # or aws
//	    name: production       # optional: what a group's credentials: names
//	    auth_data: {accesskey: ..., secretkey: ...}
//	  - type: nova             # or openstack
//	    auth_data: {application_credential_id: ..., application_credential_secret: ...}
//	  - type: azure
//	    auth_data: {subscription_id: ..., tenant_id: ..., client_id: ..., client_secret: ...}
//	  - type: module           # anything else: variables of the environment
//	    auth_data: {GOOGLE_CREDENTIALS: ...}
//	  - type: backend          # where states are kept: variables of the environment
//	    auth_data: {PG_CONN_STR: ...}
package credentials

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/secretfile"
	"github.com/scalerd/scalerd/tfgen/spec"
	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// File is the layout of a credentials file.
type File struct {
	Resource []Entry `yaml:"resource" json:"resource" jsonschema:"required"`
}

// Entry is one login. Its type is one of Types, and the keys of its data are those of
// Keys.
type Entry struct {
	Type     string            `yaml:"type" json:"type" jsonschema:"required"`
	Name     string            `yaml:"name" json:"name,omitempty"`
	AuthData map[string]string `yaml:"auth_data" json:"auth_data" jsonschema:"required"`
}

// Find returns the credentials of the cloud's entry of that name in the file at
// path or, without a name, of its first one. Where the file has none, or path is
// empty, terraform runs with scalerd's own environment; only a name must be there.
// The file is read each time, so that a changed one is used from the next run on.
func Find(path string, cloud spec.Cloud, name string) (scaler.Credentials, error) {
	if path == "" {
		if name != "" {
			return scaler.Credentials{}, fmt.Errorf("credentials %s: scalerd has no credentials of this name; add them with scalerctl credentials set, or name a file with --credentials", name)
		}
		return scaler.Credentials{}, nil
	}
	entries, err := Read(path)
	if err != nil {
		return scaler.Credentials{}, err
	}
	e, ok := Pick(entries, cloud, name)
	if !ok && name != "" {
		return scaler.Credentials{}, fmt.Errorf("credentials file %s has no entry with type %s and name %s; add it", path, cloud, name)
	}
	if !ok {
		return scaler.Credentials{}, nil
	}
	set, err := e.Credentials()
	if err != nil {
		return scaler.Credentials{}, fmt.Errorf("credentials file %s: entry %s: %w", path, strings.TrimSpace(e.Type+" "+e.Name), err)
	}
	return set, nil
}

// Pick is the cloud's entry of that name or, without a name, its first one.
func Pick(entries []Entry, cloud spec.Cloud, name string) (Entry, bool) {
	for _, e := range entries {
		if kinds[strings.ToLower(e.Type)] == cloud && (name == "" || e.Name == name) {
			return e, true
		}
	}
	return Entry{}, false
}

// Cloud is what the entry logs in to; it is empty where its type is none of Types.
func (e Entry) Cloud() spec.Cloud { return kinds[strings.ToLower(e.Type)] }

// Credentials are what terraform needs of the entry. An error never has a value.
func (e Entry) Credentials() (scaler.Credentials, error) { return translate(e.Cloud(), e.AuthData) }

// Types are those that an entry can have.
func Types() []string { return slices.Sorted(maps.Keys(kinds)) }

// Keys are those that the data of an entry of the type can have; there are none where
// they are the user's variables of the environment.
func Keys(kind string) []string {
	keys := slices.Sorted(maps.Keys(names[kinds[strings.ToLower(kind)]]))
	if kinds[strings.ToLower(kind)] == spec.CloudAzure {
		keys = append(keys, adminPassword)
	}
	return keys
}

// kinds are the types that entries can have.
var kinds = map[string]spec.Cloud{
	"ec2": spec.CloudEC2, "aws": spec.CloudEC2,
	"nova": spec.CloudOpenStack, "openstack": spec.CloudOpenStack,
	"azure": spec.CloudAzure, "module": spec.CloudModule,
	"backend": scaler.BackendLogin,
}

// Read reads a credentials file, which nobody else may be able to read.
func Read(path string) ([]Entry, error) {
	text, err := secretfile.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("credentials file %s is not there; write it, or leave out --credentials", path)
	}
	if err != nil {
		return nil, fmt.Errorf("credentials file: %w", err)
	}
	var f File
	doc, err := strictyaml.Decode(path, text, &f)
	if err != nil {
		return nil, err
	}
	var mistakes strictyaml.Mistakes
	for i, e := range f.Resource {
		if _, ok := kinds[strings.ToLower(e.Type)]; !ok {
			mistakes = append(mistakes, doc.Mistake(strictyaml.JoinIndex("resource", i)+".type",
				fmt.Sprintf("is %q, which is no cloud of this version", e.Type), "use one of "+strings.Join(slices.Sorted(maps.Keys(kinds)), ", ")))
		}
	}
	if len(mistakes) > 0 {
		return nil, mistakes
	}
	return f.Resource, nil
}
