package terraform

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/google/renameio/v2"
)

// runsFile lists the terraform processes of a root module that take its lock, from
// before their start until the step is over. One that is there before a step begins
// is left from a scalerd that was killed: its process may still run, which is found by its folder,
// and its lock may still be held.
const runsFile = "terraform.runs.json"

// The operations that take a lock, in the words of terraform's lock information.
const (
	operationPlan  = "OperationTypePlan"
	operationApply = "OperationTypeApply"
	operationPush  = "state-push"
)

// run is one terraform process.
type run struct {
	Operation string    `json:"operation"`
	Begun     time.Time `json:"begun"`
}

// runs are those of one root module, the newest last.
type runs struct {
	dir  string
	list []run
}

// mostRuns bounds what a root module remembers of killed runs.
const mostRuns = 20

// readRuns reads what is left of killed runs. A file that can't be read, as after a
// power cut, counts as none: it only means that a lock is not known as ours.
func readRuns(dir string) runs {
	r := runs{dir: dir}
	text, err := os.ReadFile(filepath.Join(dir, runsFile))
	if err == nil {
		err = json.Unmarshal(text, &r.list)
	}
	if err != nil {
		r.list = nil
	}
	return r
}

// beginRun notes that a process is about to be started.
func beginRun(dir, operation string) error {
	r := readRuns(dir)
	r.list = append(r.list, run{Operation: operation, Begun: time.Now()})
	r.list = r.list[max(0, len(r.list)-mostRuns):]
	return r.write()
}

func (r runs) write() error {
	text, err := json.Marshal(r.list)
	if err != nil {
		return fmt.Errorf("note run of terraform: %w", err)
	}
	if err := renameio.WriteFile(filepath.Join(r.dir, runsFile), text, 0o600); err != nil {
		return fmt.Errorf("note run of terraform: %w", err)
	}
	return nil
}

// endRuns forgets all runs: none runs, and none left a lock behind.
func endRuns(dir string) error {
	if err := os.Remove(filepath.Join(dir, runsFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget runs of terraform: %w", err)
	}
	return nil
}
