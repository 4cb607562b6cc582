package simcloud

import (
	"path/filepath"
	"slices"
)

// Catalogue says what a cloud has that no Terraform of ours makes: a kind such as
// "image" with its names. A kind that is listed has these names and no others; a
// kind that is not listed has every name that is asked for, so most tests need no
// catalogue. Names may be identifiers too.
//
// The kinds are "image", "flavor", "network", "vpc", "subnet", "security_group",
// "key_pair", "resource_group", "virtual_network" and "public_ip". Azure's subnets
// are written "network/subnet".
type Catalogue map[string][]string

// SetCatalogue replaces the catalogue, for this and all other processes at once.
func (c *Cloud) SetCatalogue(catalogue Catalogue) error {
	tx, err := c.begin(true)
	if err != nil {
		return err
	}
	defer tx.end()
	return writeJSON(filepath.Join(c.dir, catalogueFile), catalogue)
}

// Has says whether the catalogue has a name, or any of several spellings of one.
func (t *Tx) Has(kind string, names ...string) (bool, error) {
	var catalogue Catalogue
	if err := readJSON(filepath.Join(t.cloud.dir, catalogueFile), &catalogue); err != nil {
		return false, err
	}
	known, listed := catalogue[kind]
	if !listed {
		return true, nil
	}
	return slices.ContainsFunc(names, func(name string) bool { return slices.Contains(known, name) }), nil
}

// Names lists what the catalogue has of a kind, and whether the kind is listed.
func (t *Tx) Names(kind string) (names []string, listed bool, err error) {
	var catalogue Catalogue
	err = readJSON(filepath.Join(t.cloud.dir, catalogueFile), &catalogue)
	names, listed = catalogue[kind]
	return names, listed, err
}
