package simcloud

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Variable is the environment variable that tells a provider process the folder
// of its simulated cloud.
const Variable = "SIMCLOUD_DIR"

// Cloud is a simulated cloud in a folder. Any number of processes may use the
// same folder at once; a Cloud holds nothing but the folder's name and may be
// used by several goroutines.
type Cloud struct{ dir string }

// New makes an empty simulated cloud in the folder, which is created where it is
// absent. A folder that holds a cloud already is used as it is.
func New(dir string) (*Cloud, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("make simulated cloud: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(dir, accountsDir), 0o700); err != nil {
		return nil, fmt.Errorf("make simulated cloud: %w", err)
	}
	return Open(dir)
}

// Open uses the simulated cloud that [New] made in the folder.
func Open(dir string) (*Cloud, error) {
	if dir == "" {
		return nil, fmt.Errorf("open simulated cloud: no folder is given; set %s to the folder that simcloud.New made", Variable)
	}
	info, err := os.Stat(filepath.Join(dir, accountsDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open simulated cloud: %s holds none; make it with simcloud.New and set %s to it", dir, Variable)
	}
	if err != nil {
		return nil, fmt.Errorf("open simulated cloud: %w", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("open simulated cloud: %s is not a folder", info.Name())
	}
	return &Cloud{dir: dir}, nil
}

// Dir is the cloud's folder, an absolute path when made by [New].
func (c *Cloud) Dir() string { return c.dir }

// Env is the environment entry, as KEY=VALUE, that leads a provider process here.
func (c *Cloud) Env() string { return Variable + "=" + c.dir }

// Resource is one thing that exists in a simulated cloud.
type Resource struct {
	// Account is what the resource belongs to; no account sees another's resources.
	// See [AWSAccount], [OpenStackAccount] and [AzureAccount].
	Account string `json:"account"`
	// Type is Terraform's resource type, such as "aws_instance".
	Type string `json:"type"`
	// ID is the cloud's identifier, which `terraform import` takes.
	ID string `json:"id"`
	// Name is the name in the cloud: the attribute name, or AWS's tag Name.
	Name string `json:"name,omitempty"`
	// Size is the instance type, flavor or VM size of a machine.
	Size string `json:"size,omitempty"`
	// Zone is a machine's availability zone, empty where it has none.
	Zone string `json:"zone,omitempty"`
	// PrivateIP and PublicIP are a machine's addresses, empty where it has none.
	PrivateIP string `json:"private_ip,omitempty"`
	PublicIP  string `json:"public_ip,omitempty"`
	// Tags are AWS's and Azure's tags (AWS with the provider's default tags),
	// OpenStack's metadata.
	Tags map[string]string `json:"tags,omitempty"`
	// Created is when the cloud made the resource.
	Created time.Time `json:"created"`
	// Ready is when a creation is over that the fault Delay slows down.
	Ready time.Time `json:"ready"`
	// Visible is when reads and lookups begin to see the resource; see Invisible.
	Visible time.Time `json:"visible"`
	// Failed is true for an OpenStack server that the cloud found no host for: it
	// exists, in the state ERROR.
	Failed bool `json:"failed,omitempty"`
	// User is the ID of the one resource that uses this one, where that is not an
	// attribute: the interface of an Azure public address.
	User string `json:"user,omitempty"`
	// Attributes are the resource's as JSON, without sensitive ones, which no
	// cloud gives back.
	Attributes json.RawMessage `json:"attributes"`
}

// machineTypes are the resource types that are virtual machines.
var machineTypes = []string{
	"aws_instance",
	"aws_spot_instance_request",
	"azurerm_linux_virtual_machine",
	"azurerm_windows_virtual_machine",
	"openstack_compute_instance_v2",
}

// Machine says whether the resource is a virtual machine.
func (r Resource) Machine() bool { return slices.Contains(machineTypes, r.Type) }

// Attribute decodes one attribute, as Terraform's JSON state shows it. It is nil
// where the resource has none of that name.
func (r Resource) Attribute(name string) any {
	var attributes map[string]any
	if json.Unmarshal(r.Attributes, &attributes) != nil {
		return nil
	}
	return attributes[name]
}

// Machines lists the virtual machines of all accounts, invisible ones included,
// sorted by account, type and time of creation.
func (c *Cloud) Machines() ([]Resource, error) {
	all, err := c.Resources()
	return slices.DeleteFunc(all, func(r Resource) bool { return !r.Machine() }), err
}

// Resources lists everything of all accounts, sorted like [Cloud.Machines].
func (c *Cloud) Resources() ([]Resource, error) {
	tx, err := c.begin(false)
	if err != nil {
		return nil, err
	}
	defer tx.end()
	accounts, err := tx.accounts()
	if err != nil {
		return nil, err
	}
	var all []Resource
	for _, account := range accounts {
		resources, err := tx.all(account)
		if err != nil {
			return nil, err
		}
		all = append(all, resources...)
	}
	slices.SortFunc(all, compareResources)
	return all, nil
}

// compareResources orders by account, type, time of creation, identifier.
func compareResources(a, b Resource) int {
	if c := strings.Compare(a.Account, b.Account); c != 0 {
		return c
	}
	if c := strings.Compare(a.Type, b.Type); c != 0 {
		return c
	}
	if c := a.Created.Compare(b.Created); c != 0 {
		return c
	}
	return strings.Compare(a.ID, b.ID)
}

// Empty says whether nothing at all exists, in any account.
func (c *Cloud) Empty() (bool, error) {
	all, err := c.Resources()
	return err == nil && len(all) == 0, err
}

// Delete removes a resource behind Terraform's back, as somebody with the
// provider's console would, or the provider itself. Faults do not apply.
func (c *Cloud) Delete(r Resource) error {
	return c.behind(func(tx *Tx) error {
		if _, exists := tx.find(r.Account, r.Type, r.ID); !exists {
			return fmt.Errorf("delete %s %s behind Terraform's back: account %s has none", r.Type, r.ID, r.Account)
		}
		tx.account = r.Account
		return tx.Delete(r.Type, r.ID)
	})
}

// Change sets one attribute of a resource behind Terraform's back. The value is
// what the attribute's JSON decodes to, such as a string or a map[string]any.
// Faults do not apply.
func (c *Cloud) Change(r Resource, attribute string, value any) error {
	return c.behind(func(tx *Tx) error {
		stored, exists := tx.find(r.Account, r.Type, r.ID)
		if !exists {
			return fmt.Errorf("change %s %s behind Terraform's back: account %s has none", r.Type, r.ID, r.Account)
		}
		var attributes map[string]json.RawMessage
		if err := json.Unmarshal(stored.Attributes, &attributes); err != nil {
			return fmt.Errorf("change %s %s: %w", r.Type, r.ID, err)
		}
		if _, known := attributes[attribute]; !known {
			return fmt.Errorf("change %s %s: it has no attribute %q", r.Type, r.ID, attribute)
		}
		encoded, err := json.Marshal(value)
		if err != nil {
			return fmt.Errorf("change %s.%s: %w", r.Type, attribute, err)
		}
		attributes[attribute] = encoded
		if stored.Attributes, err = json.Marshal(attributes); err != nil {
			return fmt.Errorf("change %s.%s: %w", r.Type, attribute, err)
		}
		tx.account = r.Account
		return tx.Put(stored)
	})
}

// behind runs a change that no API call made.
func (c *Cloud) behind(change func(*Tx) error) error {
	tx, err := c.begin(true)
	if err != nil {
		return err
	}
	defer tx.end()
	tx.behind = true
	return change(tx)
}

// writeJSON replaces a file in one step: a process killed at any moment leaves
// the old content or the new. It is not synced, unlike what renameio does, for a
// simulated cloud need not survive a power cut and should answer in microseconds.
func writeJSON(path string, value any) error {
	content, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	next := path + ".next" // one writer at a time, under the lock
	if err := os.WriteFile(next, content, 0o600); err != nil {
		return fmt.Errorf("write simulated cloud: %w", err)
	}
	if err := os.Rename(next, path); err != nil {
		return fmt.Errorf("write simulated cloud: %w", err)
	}
	return nil
}

// readJSON decodes a file; an absent one leaves the value as it is.
func readJSON(path string, value any) error {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read simulated cloud: %w", err)
	}
	if err := json.Unmarshal(content, value); err != nil {
		return fmt.Errorf("read simulated cloud %s: %w", path, err)
	}
	return nil
}
