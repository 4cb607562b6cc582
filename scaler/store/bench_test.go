package store_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scalerd/scalerd/scaler"
	"github.com/scalerd/scalerd/scaler/store"
)

// BenchmarkRecordDecisionWhileOthersSearch is a decision of the loop while four people
// page through 500 decisions of 2 KiB.
func BenchmarkRecordDecisionWhileOthersSearch(b *testing.B) {
	s, err := store.Open(b.Context(), filepath.Join(b.TempDir(), "scalerd.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	if err := s.SaveApplication(b.Context(), scaler.StoredApplication{Name: "shop", Text: []byte("name: shop")}); err != nil {
		b.Fatal(err)
	}
	d := scaler.Decision{Application: "shop", Group: "web", Reasons: []string{strings.Repeat("x", 2<<10)}}
	for range 500 {
		if _, err := s.RecordDecision(b.Context(), d, scaler.StoredGroup{}); err != nil {
			b.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(b.Context())
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for ctx.Err() == nil {
				if _, err := s.DecisionsBefore(ctx, "shop", "", 1<<62, 500); err != nil && ctx.Err() == nil {
					b.Error(err)
				}
			}
		})
	}
	var took []time.Duration
	for b.Loop() {
		begin := time.Now()
		if _, err := s.RecordDecision(b.Context(), d, scaler.StoredGroup{}); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(begin))
	}
	cancel()
	readers.Wait()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}
