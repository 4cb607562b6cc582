package main

import (
	"fmt"
	"strings"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/audit"
)

// auditDecisions writes the decisions that change something to the audit log. That one
// can't be written stops no decision: the log tells of it itself.
func auditDecisions(log *audit.Log) func(scaler.Decision) {
	return func(d scaler.Decision) {
		detail := fmt.Sprintf("decision %d: %d -> %d", d.ID, d.From, d.To)
		if len(d.Drop) > 0 {
			detail += ", drop " + strings.Join(d.Drop, ", ")
		}
		if len(d.Reasons) > 0 {
			detail += ": " + strings.Join(d.Reasons, "; ")
		}
		_ = log.Append(audit.Entry{Who: "scalerd", How: "decision", Action: "decide", Target: d.Application + "/" + d.Group, Result: "recorded", Detail: detail})
	}
}
