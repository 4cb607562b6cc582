package optimizer_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"testing"
	"time"

	"github.com/scalerd/scalerd/scaler/backtest"
)

// TestErrorOfTheDecision prints how far the fleet that each policy asked for was from
// what the plant turned out to need when those nodes came, on the later half of a trace:
// the error that matters, where R² says nothing.
func TestErrorOfTheDecision(t *testing.T) {
	if testing.Short() {
		t.Skip("simulates days")
	}
	const limit = 250 * time.Millisecond
	plant := backtest.DefaultPlant()
	plant.Drift, plant.DriftAt = 1.25, 0.25
	fmt.Printf("%-8s %-16s %12s %12s %10s %12s\n", "trace", "policy", "|error|", "too few", "over", "node-hours")
	for _, w := range backtest.Windows()[:1] {
		tr, err := w.Read(filepath.Join("..", "..", "shared", "traces"))
		if errors.Is(err, fs.ErrNotExist) {
			t.Skip("../shared/traces is not here")
		}
		if err != nil {
			t.Fatal(err)
		}
		load, err := backtest.NewLoad(w.Name, tr, plant, limit, 24, 1)
		if err != nil {
			t.Fatal(err)
		}
		world, err := backtest.NewWorld(plant, load, limit, 1)
		if err != nil {
			t.Fatal(err)
		}
		errorOf := map[string]float64{}
		for _, name := range []string{"auto", "hpa50", "hpa60", "published-2750"} {
			entry, err := backtest.Find(name)
			if err != nil {
				t.Fatal(err)
			}
			r, err := world.Try(entry.Make)
			if err != nil {
				t.Fatal(err)
			}
			absolute, short := decisionError(r, load, plant, limit)
			errorOf[name] = absolute
			fmt.Printf("%-8s %-16s %12.2f %11.1f%% %9.2f%% %12.0f\n", w.Name, name, absolute, 100*short, 100*r.TimeOver, r.NodeHours)
			if name == "auto" && r.TimeOver > 0.01 {
				t.Errorf("auto was over the limit for %.2f %% of the time", 100*r.TimeOver)
			}
		}
		if errorOf["auto"] >= errorOf["hpa50"] {
			t.Errorf("auto's decisions are no better than those of the other that keeps the limit: %v", errorOf)
		}
	}
}

// decisionError is the mean of |asked - needed| in nodes, and the share of the time in
// which too few were asked for, over the later half of a run, needed being what holds the limit without noise a boot later.
func decisionError(r backtest.Result, load backtest.Load, plant backtest.Plant, limit time.Duration) (absolute, short float64) {
	boot := int(plant.Boot / plant.Tick)
	drifted := plant
	drifted.ServiceTime = time.Duration(float64(plant.ServiceTime) * plant.Drift)
	each := drifted.Carries(limit)
	n := 0.0
	for i := len(r.Nodes) / 2; i+boot < len(r.Nodes); i++ {
		e := float64(r.Nodes[i]) - math.Ceil(load.Rates[i+boot]/each)
		absolute += math.Abs(e)
		if e < 0 {
			short++
		}
		n++
	}
	return absolute / n, short / n
}
