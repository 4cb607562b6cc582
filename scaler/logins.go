package scaler

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/scalerd/scalerd/tfgen/spec"
)

// LoginUse is a group that logs in to its cloud, or to the backend of its states.
type LoginUse struct {
	Application string
	Group       string
	Cloud       spec.Cloud
	// Name is that of the credentials; it is empty for the cloud's default ones.
	Name string
	dir  string
	root Root
}

// LoginUses are those of all groups that have something on disk.
func (s *Service) LoginUses() ([]LoginUse, error) {
	dirs, err := filepath.Glob(filepath.Join(s.config.Data, "apps", "*", "*", groupFile))
	if err != nil {
		return nil, fmt.Errorf("list groups: %w", err)
	}
	var uses []LoginUse
	for _, path := range dirs {
		dir := filepath.Dir(path)
		facts, err := readGroupFacts(dir)
		if err != nil {
			return nil, err
		}
		use := LoginUse{
			Application: filepath.Base(filepath.Dir(dir)), Group: filepath.Base(dir), Cloud: facts.Cloud, Name: facts.Credentials, dir: dir,
			root: Root{Cloud: facts.Cloud, Credentials: facts.Credentials, Backend: facts.Backend},
		}
		uses = append(uses, use)
		if facts.Backend != nil {
			use.Cloud, use.Name = BackendLogin, facts.Backend.Credentials
			uses = append(uses, use)
		}
	}
	return uses, nil
}

// Tried is what a try of credentials came to.
type Tried struct {
	// Application, Group and Shard are where terraform looked at what exists; they are
	// empty where no node uses the credentials.
	Application string `json:"application,omitempty"`
	Group       string `json:"group,omitempty"`
	Shard       string `json:"shard,omitempty"`
	// Message says what was tried.
	Message string `json:"message"`
}

// TryLogin has terraform look at what exists in a shard of a group that uses the
// credentials of these names, as a drift check does, which changes nothing and delays
// no step. Terraform's words are its error.
func (s *Service) TryLogin(ctx context.Context, cloud spec.Cloud, names ...string) (Tried, error) {
	uses, err := s.LoginUses()
	if err != nil {
		return Tried{}, err
	}
	for _, use := range uses {
		if use.Cloud != cloud || !slices.Contains(names, use.Name) {
			continue
		}
		shards, err := shardDirs(use.dir)
		if err != nil {
			return Tried{}, err
		}
		for _, dir := range shards {
			if state, err := s.config.Terraform.State(dir); err != nil || len(state.Resources) == 0 {
				continue
			}
			t := Tried{Application: use.Application, Group: use.Group, Shard: filepath.Base(dir), Message: "terraform logged in and saw what exists"}
			use.root.Dir = dir
			if _, err := s.config.Terraform.Drift(ctx, use.root); err != nil {
				return t, fmt.Errorf("group %s of application %s: %w", use.Group, use.Application, err)
			}
			return t, nil
		}
	}
	return Tried{Message: "no node uses them, so only their form was checked"}, nil
}
