package simcloud

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// Kind is what a fault does.
type Kind string

// Kinds of faults. The first group refuses a call before the cloud acts; the
// second acts and then spoils the answer.
const (
	// Quota refuses creations of machines when the account has Limit of them.
	Quota Kind = "quota"
	// NoCapacity refuses creations of machines: none of the kind is to be had at
	// present. OpenStack notices only after it has made the server, which stays in
	// the state ERROR.
	NoCapacity Kind = "no-capacity"
	// Throttle lets Rate calls a second through, refusing the rest.
	Throttle Kind = "throttle"
	// Failure refuses calls with an internal error of the provider.
	Failure Kind = "failure"

	// Delay makes calls take For longer. A creation exists from its beginning on.
	Delay Kind = "delay"
	// Invisible hides created resources from reads and lookups for For.
	Invisible Kind = "invisible"
	// Hang never answers, until the process is stopped or killed.
	Hang Kind = "hang"
	// Crash ends the provider process as kill -9 would, after the cloud has acted.
	Crash Kind = "crash"
	// Lost loses the connection after the cloud has acted: the provider answers
	// with an error and does not know what it made.
	Lost Kind = "lost"
	// Timeout makes the provider give up waiting, after For: the resource exists,
	// and Terraform marks it as tainted.
	Timeout Kind = "timeout"
)

// Operation is what an API call does.
type Operation string

// Operations of resources, and Lookup of data sources.
const (
	Create Operation = "create"
	Read   Operation = "read"
	Update Operation = "update"
	Remove Operation = "delete"
	Lookup Operation = "lookup"
)

// Fault is one way in which calls go wrong. Empty fields select everything: a
// Fault{Kind: Hang} hangs all calls of all providers.
type Fault struct {
	// ID names the fault for [Cloud.Hits]; Inject gives one where it is empty.
	ID   string `json:"id"`
	Kind Kind   `json:"kind"`

	// Which calls: of an account, of a resource type or data source, of machines
	// of a size or in a zone. Operations empty means creations for the kinds Quota,
	// NoCapacity, Invisible, Crash, Lost and Timeout, and all calls for the others.
	Account    string      `json:"account,omitempty"`
	Type       string      `json:"type,omitempty"`
	Size       string      `json:"size,omitempty"`
	Zone       string      `json:"zone,omitempty"`
	Operations []Operation `json:"operations,omitempty"`

	// Of the calls so selected the first Skip pass, then at most Count are hit
	// (0: no limit), each with the probability Share (0: all), drawn with Seed.
	Skip  int     `json:"skip,omitempty"`
	Count int     `json:"count,omitempty"`
	Share float64 `json:"share,omitempty"`
	Seed  uint64  `json:"seed,omitempty"`

	// Limit is Quota's number of machines in the account.
	Limit int `json:"limit,omitempty"`
	// Rate is Throttle's number of calls a second; its bucket holds as many, at least one.
	Rate float64 `json:"rate,omitempty"`
	// For is the duration of Delay, Invisible and Timeout.
	For time.Duration `json:"for,omitempty"`
	// Message stands in place of the provider's usual words.
	Message string `json:"message,omitempty"`
}

// Inject adds faults, for this and all other processes at once, and returns their
// identifiers.
func (c *Cloud) Inject(faults ...Fault) ([]string, error) {
	for _, f := range faults {
		if err := f.check(); err != nil {
			return nil, err
		}
	}
	tx, err := c.begin(true)
	if err != nil {
		return nil, err
	}
	defer tx.end()
	present, err := c.faults()
	if err != nil {
		return nil, err
	}
	var hits map[string]hit
	if err := readJSON(filepath.Join(c.dir, hitsFile), &hits); err != nil {
		return nil, err
	}
	ids := make([]string, len(faults))
	for i, f := range faults {
		for n := len(present) + 1; f.ID == ""; n++ {
			id := string(f.Kind) + "-" + strconv.Itoa(n)
			if _, used := hits[id]; !used && !slices.ContainsFunc(present, func(p Fault) bool { return p.ID == id }) {
				f.ID = id
			}
		}
		if slices.ContainsFunc(present, func(p Fault) bool { return p.ID == f.ID }) {
			return nil, fmt.Errorf("inject fault: there is one named %q already", f.ID)
		}
		present, ids[i] = append(present, f), f.ID
	}
	return ids, writeJSON(filepath.Join(c.dir, faultsFile), present)
}

// Heal takes faults away, all of them where no identifier is given. [Cloud.Hits]
// still knows them.
func (c *Cloud) Heal(ids ...string) error {
	tx, err := c.begin(true)
	if err != nil {
		return err
	}
	defer tx.end()
	present, err := c.faults()
	if err != nil {
		return err
	}
	left := slices.DeleteFunc(present, func(f Fault) bool { return len(ids) == 0 || slices.Contains(ids, f.ID) })
	return writeJSON(filepath.Join(c.dir, faultsFile), left)
}

// Hits is how many calls a fault has hit. A test that injects a fault should see
// that it struck.
func (c *Cloud) Hits(id string) (int, error) {
	tx, err := c.begin(false)
	if err != nil {
		return 0, err
	}
	defer tx.end()
	var hits map[string]hit
	err = readJSON(filepath.Join(c.dir, hitsFile), &hits)
	return hits[id].Hit, err
}

func (c *Cloud) faults() ([]Fault, error) {
	var faults []Fault
	return faults, readJSON(filepath.Join(c.dir, faultsFile), &faults)
}

func (f Fault) check() error {
	switch f.Kind {
	case Quota, NoCapacity, Failure, Hang, Crash, Lost:
	case Throttle:
		if f.Rate <= 0 || math.IsInf(f.Rate, 0) || math.IsNaN(f.Rate) {
			return fmt.Errorf("inject fault: a throttle needs a Rate above 0, got %v", f.Rate)
		}
	case Delay, Invisible, Timeout:
		if f.For < 0 || f.For == 0 && f.Kind != Timeout {
			return fmt.Errorf("inject fault: %s needs a duration For above 0, got %v", f.Kind, f.For)
		}
	default:
		return fmt.Errorf("inject fault: no kind %q is known", f.Kind)
	}
	if !(f.Share >= 0 && f.Share <= 1) || f.Skip < 0 || f.Count < 0 || f.Limit < 0 {
		return fmt.Errorf("inject fault: Share must be from 0 to 1, Skip, Count and Limit not negative: %+v", f)
	}
	return nil
}
