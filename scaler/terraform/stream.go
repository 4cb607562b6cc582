package terraform

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/scalerd/scalerd/scaler"
)

// planned is what a plan's stream said.
type planned struct {
	// anything is false when terraform said that there is nothing to apply, not
	// even an output.
	anything bool
	changes  []scaler.Change
	drift    []scaler.Change
}

// stream reads the lines that `terraform -json` writes: its machine-readable UI,
// https://developer.hashicorp.com/terraform/internals/machine-readable-ui.
// terraform-exec writes it whole lines, from one goroutine.
type stream struct {
	phase       string
	progress    func(scaler.Progress)
	planned     planned
	diagnostics scaler.Diagnostics
	// unread is the first line that could not be read; a plan with such a line
	// can't be trusted.
	unread error
	// results are what was done and not handed on yet; ended is set when terraform
	// told of the end of an apply.
	results []scaler.ResourceResult
	ended   bool
	// failed are the failures by address, until terraform says why.
	failed map[string]scaler.ResourceResult
}

// message is the part of the stream's messages that is used here. terraform-json
// knows no planned_change and no apply_complete.
type message struct {
	Message string `json:"@message"`
	Type    string `json:"type"`
	Change  struct {
		Resource resource `json:"resource"`
		Action   string   `json:"action"`
		// Importing is there where the resource is taken over, whatever the action.
		Importing *struct{} `json:"importing"`
	} `json:"change"`
	Hook struct {
		Resource resource `json:"resource"`
		Action   string   `json:"action"`
		Seconds  float64  `json:"elapsed_seconds"`
	} `json:"hook"`
	Changes struct {
		Operation string `json:"operation"`
	} `json:"changes"`
	Diagnostic struct {
		Severity string `json:"severity"`
		Summary  string `json:"summary"`
		Detail   string `json:"detail"`
		Address  string `json:"address"`
		Range    *struct {
			Filename string `json:"filename"`
			Start    struct {
				Line int `json:"line"`
			} `json:"start"`
		} `json:"range"`
	} `json:"diagnostic"`
}

type resource struct {
	Addr string `json:"addr"`
}

// Write takes one line.
func (s *stream) Write(line []byte) (int, error) {
	text := strings.TrimSpace(string(line))
	if text == "" {
		return len(line), nil
	}
	var m message
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		if s.unread == nil {
			s.unread = fmt.Errorf("terraform %s wrote a line that is not JSON: %.200s", s.phase, text)
		}
		return len(line), nil
	}
	s.take(m)
	return len(line), nil
}

func (s *stream) take(m message) {
	switch m.Type {
	case "planned_change":
		if m.Change.Action == "read" { // a lookup: it changes nothing
			return
		}
		action := scaler.Action(m.Change.Action)
		if m.Change.Importing != nil && action == scaler.ActionUpdate {
			action = scaler.ActionImport
		}
		s.planned.changes = append(s.planned.changes, scaler.Change{Address: m.Change.Resource.Addr, Action: action})
	case "resource_drift":
		s.planned.drift = append(s.planned.drift, scaler.Change{Address: m.Change.Resource.Addr, Action: scaler.Action(m.Change.Action)})
	case "diagnostic":
		s.diagnose(m)
	case "apply_start", "apply_complete", "apply_errored":
		s.note(m)
		s.progress(scaler.Progress{Phase: s.phase, Message: m.Message, Address: m.Hook.Resource.Addr, Done: m.Type == "apply_complete"})
	case "change_summary", "apply_progress":
		s.ended = s.ended || m.Changes.Operation == "apply" || m.Changes.Operation == "destroy"
		s.progress(scaler.Progress{Phase: s.phase, Message: m.Message})
	}
}

// note keeps the end of a resource's change.
func (s *stream) note(m message) {
	if m.Type == "apply_start" || m.Hook.Action == "read" {
		return
	}
	result := scaler.ResourceResult{
		Address: m.Hook.Resource.Addr,
		Action:  m.Hook.Action,
		OK:      m.Type == "apply_complete",
		Seconds: m.Hook.Seconds,
	}
	s.results = append(s.results, result)
	if !result.OK {
		if s.failed == nil {
			s.failed = map[string]scaler.ResourceResult{}
		}
		s.failed[result.Address] = result
	}
}

func (s *stream) diagnose(m message) {
	d := scaler.Diagnostic{
		Severity: m.Diagnostic.Severity,
		Summary:  m.Diagnostic.Summary,
		Detail:   strings.TrimSpace(m.Diagnostic.Detail),
		Address:  m.Diagnostic.Address,
	}
	if r := m.Diagnostic.Range; r != nil {
		d.File, d.Line = r.Filename, r.Start.Line
	}
	s.diagnostics = append(s.diagnostics, d)
	if s.phase == "apply" && d.Severity == "error" && d.Address != "" {
		// It tells why after all that it did.
		result := s.failed[d.Address]
		result.Address, result.Error = d.Address, d.Summary
		s.results = append(s.results, result)
	}
}

// failure turns the end of a terraform process into an error: terraform's own
// words where it had any.
func (s *stream) failure(err error) error {
	errs := s.errors()
	switch {
	case err != nil && len(errs) > 0:
		return &processError{said: errs, process: err}
	case err != nil:
		return err
	case len(errs) > 0:
		return errs
	default:
		return s.unread
	}
}

// errors are the diagnostics that are no warnings.
func (s *stream) errors() scaler.Diagnostics {
	var errs scaler.Diagnostics
	for _, d := range s.diagnostics {
		if d.Severity == "error" {
			errs = append(errs, d)
		}
	}
	return errs
}

// processError reads as terraform's diagnostics and unwraps to the process's end
// too, so that a cancelled process still answers errors.Is(err, context.Canceled).
type processError struct {
	said    scaler.Diagnostics
	process error
}

func (e *processError) Error() string   { return e.said.Error() }
func (e *processError) Unwrap() []error { return []error{e.said, e.process} }
