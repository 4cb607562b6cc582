package local

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/google/renameio/v2/maybe"
)

// The kinds of process.
const (
	KindNode     = "node"
	KindBalancer = "balancer"
)

// Record is what a process writes about itself once it listens. It stays after
// the process died, until Stop or the next Start: Alive tells the two apart.
type Record struct {
	Name string `json:"name"`
	// Kind is KindNode or KindBalancer.
	Kind string `json:"kind"`
	PID  int    `json:"pid"`
	// Address is host:port, to be dialled as it is.
	Address string `json:"address"`
	Port    int    `json:"port"`
	// StartedAt is when the process began, from which its boot time counts.
	StartedAt time.Time `json:"started_at"`
}

// ReadRecord reads the record of the process of that name. The error is
// fs.ErrNotExist where there is none.
func ReadRecord(dir, name string) (Record, error) {
	path := files{dir, name}.record()
	text, err := os.ReadFile(path)
	if err != nil {
		return Record{}, fmt.Errorf("read record: %w", err)
	}
	var r Record
	if err := json.Unmarshal(text, &r); err != nil {
		return Record{}, fmt.Errorf("read record %s: %w", path, err)
	}
	return r, nil
}

func (r Record) write(path string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("write record %s: %w", path, err)
	}
	if err := maybe.WriteFile(path, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("write record %s: %w", path, err)
	}
	return nil
}
