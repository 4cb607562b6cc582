package simcloud

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Files in the cloud's folder.
const (
	lockFile      = "lock"
	faultsFile    = "faults.json"
	hitsFile      = "faults.hits.json"
	catalogueFile = "catalogue.json"
	eventsFile    = "events.jsonl"
	accountsDir   = "accounts"
	serialFile    = "serial.json"
)

// Tx is what one API call does in the cloud, under the cloud's lock. It sees and
// changes the resources of one account. What it did stays when the process dies
// in the middle, one resource at a time.
type Tx struct {
	cloud     *Cloud
	lock      *os.File
	account   string
	now       time.Time
	exclusive bool
	behind    bool // no API call but somebody behind Terraform's back
	// of the resources that the call creates
	ready, visible time.Duration
	failed         bool
}

// begin waits for the cloud's lock.
func (c *Cloud) begin(exclusive bool) (*Tx, error) {
	file, err := os.OpenFile(filepath.Join(c.dir, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock simulated cloud: %w", err)
	}
	if err := lock(file, exclusive); err != nil {
		file.Close()
		return nil, fmt.Errorf("lock simulated cloud %s: %w", c.dir, err)
	}
	return &Tx{cloud: c, lock: file, now: time.Now().UTC(), exclusive: exclusive}, nil
}

// end lets the lock go; closing the file does that.
func (t *Tx) end() { t.lock.Close() }

// Now is the instant of the call.
func (t *Tx) Now() time.Time { return t.now }

// Serial is a number that this cloud never gave out before, from 1 on. It makes
// identifiers and addresses that are unique in all accounts.
func (t *Tx) Serial() (uint64, error) {
	path := filepath.Join(t.cloud.dir, serialFile)
	var serial uint64
	if err := readJSON(path, &serial); err != nil {
		return 0, err
	}
	serial++
	return serial, writeJSON(path, serial)
}

// Get finds a resource that the API shows by now. A resource that is still
// invisible is not found.
func (t *Tx) Get(typ, id string) (Resource, bool) {
	r, ok := t.find(t.account, typ, id)
	return r, ok && !t.now.Before(r.Visible)
}

// find is Get with the invisible ones, in any account.
func (t *Tx) find(account, typ, id string) (Resource, bool) {
	var r Resource
	if err := readJSON(t.cloud.file(account, typ, id), &r); err != nil || r.Type == "" {
		return Resource{}, false
	}
	return r, true
}

// Exists says whether the name is taken, by an invisible resource too.
func (t *Tx) Exists(typ, id string) bool {
	_, ok := t.find(t.account, typ, id)
	return ok
}

// List gives the account's resources of a type that the API shows by now, sorted
// by time of creation.
func (t *Tx) List(typ string) ([]Resource, error) {
	all, err := t.list(t.account, typ)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(r Resource) bool { return t.now.Before(r.Visible) }), nil
}

// Create stores a new resource of the account.
func (t *Tx) Create(r Resource) error {
	r.Account, r.Created = t.account, t.now
	r.Failed = t.failed && r.Machine()
	r.Ready, r.Visible = t.now.Add(t.ready), t.now.Add(t.visible)
	if err := os.MkdirAll(filepath.Dir(t.cloud.file(t.account, r.Type, r.ID)), 0o700); err != nil {
		return fmt.Errorf("write simulated cloud: %w", err)
	}
	return t.write(Created, r)
}

// Put stores a changed resource of the account.
func (t *Tx) Put(r Resource) error { return t.write(Changed, r) }

func (t *Tx) write(what What, r Resource) error {
	if err := writeJSON(t.cloud.file(t.account, r.Type, r.ID), r); err != nil {
		return err
	}
	return t.record(what, r)
}

// Delete removes a resource of the account; an absent one is no mistake.
func (t *Tx) Delete(typ, id string) error {
	r, exists := t.find(t.account, typ, id)
	if !exists {
		return nil
	}
	if err := os.Remove(t.cloud.file(t.account, typ, id)); err != nil {
		return fmt.Errorf("write simulated cloud: %w", err)
	}
	return t.record(Deleted, r)
}

func (t *Tx) accounts() ([]string, error) {
	names, err := folder(filepath.Join(t.cloud.dir, accountsDir))
	if err != nil {
		return nil, err
	}
	for i, name := range names {
		if names[i], err = url.PathUnescape(name); err != nil {
			return nil, fmt.Errorf("read simulated cloud: account folder %s: %w", name, err)
		}
	}
	return names, nil
}

func (t *Tx) all(account string) ([]Resource, error) {
	types, err := folder(t.cloud.accountDir(account))
	if err != nil {
		return nil, err
	}
	var all []Resource
	for _, typ := range types {
		resources, err := t.list(account, typ)
		if err != nil {
			return nil, err
		}
		all = append(all, resources...)
	}
	return all, nil
}

func (t *Tx) list(account, typ string) ([]Resource, error) {
	dir := filepath.Join(t.cloud.accountDir(account), typ)
	names, err := folder(dir)
	if err != nil {
		return nil, err
	}
	var all []Resource
	for _, name := range names {
		if !strings.HasSuffix(name, ".json") {
			continue // half a file of a process that was killed
		}
		var r Resource
		if err := readJSON(filepath.Join(dir, name), &r); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	slices.SortFunc(all, compareResources)
	return all, nil
}

// machines counts the account's virtual machines, invisible ones included.
func (t *Tx) machines() (int, error) {
	n := 0
	for _, typ := range machineTypes {
		names, err := folder(filepath.Join(t.cloud.accountDir(t.account), typ))
		if err != nil {
			return 0, err
		}
		for _, name := range names {
			if strings.HasSuffix(name, ".json") {
				n++
			}
		}
	}
	return n, nil
}

// folder lists names; an absent folder has none.
func folder(path string) ([]string, error) {
	entries, err := os.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read simulated cloud: %w", err)
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, nil
}

func (c *Cloud) accountDir(account string) string {
	return filepath.Join(c.dir, accountsDir, url.PathEscape(account))
}

// file is where a resource is stored. Azure's identifiers, which are long paths
// and compare without case, are hashed; the file holds the true one.
func (c *Cloud) file(account, typ, id string) string {
	name := url.PathEscape(id)
	if strings.HasPrefix(typ, "azurerm_") || len(name) > 200 {
		sum := sha256.Sum256([]byte(strings.ToLower(id)))
		name = hex.EncodeToString(sum[:16])
	}
	return filepath.Join(c.accountDir(account), typ, name+".json")
}
