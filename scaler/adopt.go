package scaler

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/scalerd/scalerd/tfgen"
)

// nodeAddress is the address of a node's resource of a type.
func nodeAddress(kind, node string) string { return fmt.Sprintf("%s.node[%q]", kind, node) }

// writeAdopts makes the shard's next step take over resources too, by address.
func (s *shard) writeAdopts(ids map[string]string) error {
	all := maps.Clone(s.adopts)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, ids)
	text, err := tfgen.Adopt(all)
	if err != nil {
		return err
	}
	if err := s.disk.writeFile(filepath.Join(s.dir, tfgen.AdoptFile), text); err != nil {
		return err
	}
	s.adopts = all
	return nil
}

// readAdopts reads what a step that was interrupted was to take over.
func (s *shard) readAdopts() error {
	text, err := os.ReadFile(filepath.Join(s.dir, tfgen.AdoptFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err == nil {
		s.adopts, err = tfgen.DecodeAdopt(text)
	}
	if err != nil {
		return fmt.Errorf("read %s of %s: %w", tfgen.AdoptFile, s.name, err)
	}
	return nil
}

// finishAdopts takes the end of a step that was to take something over.
func (a *actuator) finishAdopts(s *shard, err error) {
	if len(s.adopts) == 0 || s.stateErr != nil {
		return
	}
	var refused *PlanRefusedError
	for _, address := range sortedKeys(s.adopts) {
		id := s.adopts[address]
		if s.state.IDs[address] == id {
			a.metrics.adopted.WithLabelValues(a.app, a.group).Inc()
			a.log.Info("adopted", "shard", s.name, "address", address, "id", id)
			a.lookup.forget(id)
		} else if errors.As(err, &refused) {
			a.lookup.refused[key(id)] = refused.Error()
		}
	}
	s.adopts = nil
	if rmErr := s.disk.remove(filepath.Join(s.dir, tfgen.AdoptFile)); rmErr != nil {
		a.note(fmt.Errorf("remove import blocks: %w", rmErr))
	}
	if err != nil {
		now := time.Now()
		s.suspect = &suspicion{since: now, until: now}
	}
}

// existing is how azurerm refuses to create what is there already.
var existing = regexp.MustCompile(`A resource with the ID "([^"]+)" already exists`)

// adoptExisting makes the shard adopt what a creation found to be there already and
// no lookup finds, because it has no tags: an association of a node's interface, told
// by that interface, which is in the state.
func (a *actuator) adoptExisting(s *shard, err error) {
	var said Diagnostics
	if !errors.As(err, &said) {
		return
	}
	ours := map[string]bool{}
	for _, id := range s.state.IDs {
		ours[key(id)] = true
	}
	ids := map[string]string{}
	for _, d := range said {
		m := existing.FindStringSubmatch(d.Summary + " " + d.Detail)
		if m == nil {
			continue
		}
		node, _ := tfgen.AddressNode(d.Address)
		part, _, joined := strings.Cut(m[1], "|")
		if joined && ours[key(part)] && slices.Contains(a.module.Addresses(node), d.Address) {
			ids[d.Address] = m[1]
		}
	}
	if len(ids) == 0 {
		return
	}
	if err := s.writeAdopts(ids); err != nil {
		a.note(err)
	}
}
