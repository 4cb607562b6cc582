package scaler

import (
	"context"
	"log/slog"
	"time"
)

// stepWatch is what a step's terraform tells of itself to; it journals each phase.
// It is used by the step's goroutine alone. The seams of a step are here and in
// finish, in this order:
//
//   - Planned, after the plan did what was decided: what else may refuse it, and
//     what must be done before something is deleted;
//   - Applying, right before terraform is started with the plan;
//   - finish, in the actuator's goroutine, after the state was read back.
type stepWatch struct {
	record   StepRecord
	store    Journal
	log      *slog.Logger
	progress func(Progress)
	// policies asks the user's checks about the plan.
	policies func(context.Context, SavedPlan) error
}

var _ Watcher = (*stepWatch)(nil)

// Progress implements Watcher.
func (w *stepWatch) Progress(p Progress) { w.progress(p) }

// Planned implements Watcher.
func (w *stepWatch) Planned(ctx context.Context, plan SavedPlan) error {
	w.record.Plan = planRecord(plan)
	if err := w.policies(ctx, plan); err != nil {
		return err
	}
	return w.enter(ctx, PhasePlanned)
}

// Applying implements Watcher.
func (w *stepWatch) Applying(ctx context.Context) error { return w.enter(ctx, PhaseApplying) }

func (w *stepWatch) enter(ctx context.Context, p Phase) error {
	w.record.enter(p, time.Now())
	return w.store.SaveStep(ctx, w.record)
}

// Results implements Watcher. What can't be journalled is only logged: terraform
// works already, and its state tells of the same.
func (w *stepWatch) Results(results []ResourceResult) {
	if err := w.store.AddResults(context.Background(), w.record.ID, results); err != nil {
		w.log.Warn("journal results", "step", w.record.ID, "error", err)
	}
}
