package scaler_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/scalerd/scalerd/scaler"
)

// recordSpans keeps the spans of the global tracer until the test ends.
func recordSpans(t *testing.T) *tracetest.InMemoryExporter {
	t.Helper()
	exporter := tracetest.NewInMemoryExporter()
	otel.SetTracerProvider(trace.NewTracerProvider(trace.WithSyncer(exporter)))
	t.Cleanup(func() { otel.SetTracerProvider(noop.NewTracerProvider()) })
	return exporter
}

// attributes are a span's, as text.
func attributes(s tracetest.SpanStub) map[string]string {
	all := map[string]string{}
	for _, a := range s.Attributes {
		all[string(a.Key)] = a.Value.String()
	}
	return all
}

// below are the spans whose parent is the given one, as "name application/group".
func below(spans tracetest.SpanStubs, parent tracetest.SpanStub) []string {
	var names []string
	for _, s := range spans {
		if s.Parent.SpanID() == parent.SpanContext.SpanID() && s.SpanContext.TraceID() == parent.SpanContext.TraceID() {
			a := attributes(s)
			names = append(names, strings.TrimSuffix(s.Name+" "+a["application"]+"/"+a["group"], "/"))
		}
	}
	return names
}

func named(spans tracetest.SpanStubs, name string) tracetest.SpanStubs {
	return slices.DeleteFunc(slices.Clone(spans), func(s tracetest.SpanStub) bool { return s.Name != name })
}

func TestATickIsOneTree(t *testing.T) {
	exporter := recordSpans(t)
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.submit(shop + "  - {name: db, cloud: local, min: 0, max: 2, initial: 0}\n")
		pass(5 * time.Second)
		exporter.Reset()
		pass(10 * time.Second)
		ticks := named(exporter.GetSpans(), "tick")
		if len(ticks) != 1 || ticks[0].Parent.IsValid() || ticks[0].Status.Code != codes.Unset {
			t.Fatalf("spans called tick = %+v, want one, a root, without an error", ticks)
		}
		want := []string{"observe shop",
			"propose shop/web", "decide shop/web", "record shop/web",
			"propose shop/db", "decide shop/db", "record shop/db"}
		if diff := cmp.Diff(want, below(exporter.GetSpans(), ticks[0])); diff != "" {
			t.Errorf("below the tick (-want +got):\n%s", diff)
		}
		for _, s := range exporter.GetSpans() {
			if s.StartTime.Before(ticks[0].StartTime) || s.EndTime.After(ticks[0].EndTime) {
				t.Errorf("span %s from %s to %s is not within its tick", s.Name, s.StartTime, s.EndTime)
			}
		}
	})
}

func TestAStepIsASpanWithItsDecision(t *testing.T) {
	exporter := recordSpans(t)
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.submit(shop)
		pass(30 * time.Second)
		exporter.Reset()
		d, err := w.Scale(t.Context(), "shop", "web", 3)
		if err != nil {
			t.Fatal(err)
		}
		pass(5 * time.Second)
		steps := named(exporter.GetSpans(), "step")
		want := map[string]string{"application": "shop", "group": "web", "decision": fmt.Sprint(d.ID)}
		if len(steps) != 1 || steps[0].Status.Code != codes.Unset {
			t.Fatalf("spans called step = %+v, want one without an error", steps)
		}
		if diff := cmp.Diff(want, attributes(steps[0])); diff != "" {
			t.Errorf("attributes of the step (-want +got):\n%s", diff)
		}
		if took := steps[0].EndTime.Sub(steps[0].StartTime); took != time.Second {
			t.Errorf("the step took %s, want what terraform took: 1s", took)
		}
	})
}

func TestAFailedStepIsAFailedSpan(t *testing.T) {
	exporter := recordSpans(t)
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.submit(shop)
		pass(30 * time.Second)
		exporter.Reset()
		w.cloud.failing(func(scaler.Change) bool { return true })
		if _, err := w.Scale(t.Context(), "shop", "web", 3); err != nil {
			t.Fatal(err)
		}
		pass(2 * time.Second)
		steps := named(exporter.GetSpans(), "step")
		if len(steps) == 0 || steps[0].Status.Code != codes.Error {
			t.Fatalf("spans called step = %+v, want one with an error", steps)
		}
		events := steps[0].Events
		if len(events) != 1 || events[0].Name != "exception" || !strings.Contains(fmt.Sprint(events[0].Attributes), "web-0003") {
			t.Errorf("events of the step = %+v, want what failed of web-0003", events)
		}
	})
}

// unwritable is a Store that keeps no decision.
type unwritable struct{ scaler.Store }

func (unwritable) RecordDecision(context.Context, scaler.Decision, scaler.StoredGroup) (int64, error) {
	return 0, errFull
}

func TestTheRecordOfADecisionIsOfItsNumberOrFailed(t *testing.T) {
	for _, fails := range []bool{false, true} {
		exporter := recordSpans(t)
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.meters.set("demand", 20)
			w.submit(shop)
			pass(30 * time.Second)
			if fails {
				w.stop()
				w.wrap = func(s scaler.Store) scaler.Store { return unwritable{s} }
				w.start()
			}
			exporter.Reset()
			w.meters.set("demand", 50)
			pass(12 * time.Second)
			records, steps := named(exporter.GetSpans(), "record"), named(exporter.GetSpans(), "step")
			if len(records) == 0 {
				t.Fatal("no span is called record")
			}
			decision := attributes(records[0])["decision"]
			switch {
			case fails:
				if records[0].Status.Code != codes.Error || decision != "" || len(steps) != 0 {
					t.Errorf("record = %v of decision %q with %d steps, want an error and no step", records[0].Status, decision, len(steps))
				}
			case decision == "" || records[0].Status.Code != codes.Unset || len(steps) == 0 || attributes(steps[0])["decision"] != decision:
				t.Errorf("record = %v of decision %q, steps %v, want steps of the same decision", records[0].Status, decision, steps)
			}
		})
	}
}
