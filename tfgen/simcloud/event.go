package simcloud

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// What tells the kinds of [Event] apart.
type What string

// What can happen to a resource.
const (
	Created What = "created"
	Changed What = "changed"
	Deleted What = "deleted"
)

// Event is something that happened in a cloud. With the events a test can prove
// that no machine was made twice and which one was deleted.
type Event struct {
	Time    time.Time `json:"time"`
	What    What      `json:"what"`
	Account string    `json:"account"`
	Type    string    `json:"type"`
	ID      string    `json:"id"`
	Name    string    `json:"name,omitempty"`
	// Behind is true for what [Cloud.Delete] and [Cloud.Change] did.
	Behind bool `json:"behind,omitempty"`
	// Process is the number of the provider process, or of the test.
	Process int `json:"process"`
}

func (t *Tx) record(what What, r Resource) error {
	file, err := os.OpenFile(filepath.Join(t.cloud.dir, eventsFile), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("write simulated cloud's events: %w", err)
	}
	defer file.Close()
	line, err := json.Marshal(Event{
		Time: t.now, What: what, Account: t.account, Type: r.Type, ID: r.ID, Name: r.Name,
		Behind: t.behind, Process: os.Getpid(),
	})
	if err != nil {
		return fmt.Errorf("write simulated cloud's events: %w", err)
	}
	if _, err := file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("write simulated cloud's events: %w", err)
	}
	return nil
}

// Events lists what happened so far, oldest first.
func (c *Cloud) Events() ([]Event, error) {
	tx, err := c.begin(false)
	if err != nil {
		return nil, err
	}
	defer tx.end()
	file, err := os.Open(filepath.Join(c.dir, eventsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read simulated cloud's events: %w", err)
	}
	defer file.Close()
	var events []Event
	for decoder := json.NewDecoder(file); decoder.More(); {
		var e Event
		if err := decoder.Decode(&e); err != nil {
			return nil, fmt.Errorf("read simulated cloud's events: %w", err)
		}
		events = append(events, e)
	}
	return events, nil
}
