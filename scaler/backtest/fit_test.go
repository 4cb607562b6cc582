package backtest

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// sampled runs a plant under a load, with a fleet that follows it loosely, and writes
// what it shows as CSV.
func sampled(t *testing.T, p Plant, peak float64, withCPU bool) string {
	t.Helper()
	rates := make([]float64, 2000)
	for i := range rates {
		rates[i] = peak * (0.55 + 0.4*math.Sin(float64(i)/90) + 0.05*math.Sin(float64(i)/17))
	}
	w, err := NewWorld(p, Load{Name: "samples", Rates: rates, Nodes: 12}, 10*time.Second, 7)
	if err != nil {
		t.Fatal(err)
	}
	w.Initial = 6
	path := filepath.Join(t.TempDir(), "samples.csv")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	fmt.Fprint(file, "timestamp,AVG_RR,SUM_RR,CPU,vm_number,AVG_LAT\n")
	w.Run(&writing{file: file, cpu: withCPU})
	return path
}

type writing struct {
	file *os.File
	cpu  bool
	tick int
}

func (w *writing) Name() string { return "writing" }

func (w *writing) Decide(now time.Time, obs Observation) int {
	w.tick++
	cpu := "null"
	if w.cpu {
		cpu = fmt.Sprint(obs.Metrics[MetricCPU])
	}
	fmt.Fprintf(w.file, "%d,%g,%g,%s,%d,%g\n", now.Unix(), obs.Metrics[MetricAvgRequests], obs.Metrics[MetricSumRequests], cpu, obs.Ready, obs.Metrics[MetricLatency])
	return 6 + w.tick/200%4
}

func TestAFitFindsThePlantAgain(t *testing.T) {
	four := DefaultPlant()
	four.Cores, four.ServiceTime, four.BaseLatency = 4, 50*time.Millisecond, 20*time.Millisecond
	even := DefaultPlant()
	even.Cores, even.Imbalance, even.LatencyNoise, even.MetricNoise = 1, 0.02, 0.08, 0.05
	even.ServiceTime = 200 * time.Millisecond
	for _, test := range []struct {
		name  string
		plant Plant
		cpu   bool
		peak  float64
	}{
		{"two cores", DefaultPlant(), true, 125},
		{"four cores and a base latency", four, true, 500},
		{"one core, much noise", even, true, 30},
		{"two cores, without a CPU", DefaultPlant(), false, 125},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, err := ReadRecording(sampled(t, test.plant, test.peak, test.cpu), "")
			if err != nil {
				t.Fatal(err)
			}
			f, err := FitPlant(r, DefaultPlant(), []Law{LawMMC})
			if err != nil {
				t.Fatal(err)
			}
			t.Log(f)
			within := func(what string, got, want, tolerance float64) {
				if math.Abs(got-want) > tolerance {
					t.Errorf("%s = %.4f, want %.4f within %.4f", what, got, want, tolerance)
				}
			}
			want := test.plant
			within("requests/s that a node serves", float64(f.Plant.Cores)/f.Plant.ServiceTime.Seconds(), float64(want.Cores)/want.ServiceTime.Seconds(), 0.08*float64(want.Cores)/want.ServiceTime.Seconds())
			within("cores", float64(f.Plant.Cores), float64(want.Cores), 0)
			within("service time", f.Plant.ServiceTime.Seconds(), want.ServiceTime.Seconds(), 0.1*want.ServiceTime.Seconds())
			within("base latency", f.Plant.BaseLatency.Seconds(), want.BaseLatency.Seconds(), 0.08*want.ServiceTime.Seconds())
			within("latency noise", f.Plant.LatencyNoise, want.LatencyNoise, 0.03)
			within("imbalance", f.Plant.Imbalance, want.Imbalance, 0.08)
			if test.cpu {
				within("metric noise", f.Plant.MetricNoise, want.MetricNoise, 0.02)
			}
			if f.R2 < 0.6 || f.HeldOutError <= 0 || f.HeldOutError > 0.15 {
				t.Errorf("R² %.2f and an error of %.2f on later samples", f.R2, f.HeldOutError)
			}
		})
	}
}

// TestRecordedSamplesAreFitted: those of another simulator, whose nodes have 2 cores
// and a service time of 100 ms.
func TestRecordedSamplesAreFitted(t *testing.T) {
	for name, judge := range map[string]func(Fit) bool{
		"sim_test":              func(f Fit) bool { return f.Plant.Cores == 2 && math.Abs(f.Plant.ServiceTime.Seconds()-0.1) < 0.015 },
		"sim_train_designed300": func(f Fit) bool { return math.Abs(f.Plant.ServiceTime.Seconds()/float64(f.Plant.Cores)-0.05) < 0.005 },
	} {
		r, err := ReadRecording(filepath.Join(repository, "../shared/optimizer-data", name+".csv"), "")
		if errors.Is(err, fs.ErrNotExist) {
			t.Skip("the recorded samples are not there")
		}
		if err != nil {
			t.Fatal(err)
		}
		f, err := FitPlant(r, DefaultPlant(), Laws())
		t.Log(name, f)
		if err != nil || !judge(f) {
			t.Errorf("FitPlant(%s) = %s, %v", name, f, err)
		}
	}
}

func TestSamplesThatTellTooLittleAreRefused(t *testing.T) {
	row := func(nodes int, rate, cpu, latency float64) string {
		return fmt.Sprintf("%d,%g,%g,%g\n", nodes, rate, cpu, latency)
	}
	many := func(one func(i int) string) string {
		var b strings.Builder
		b.WriteString("nodes,requests,cpu,latency_seconds\n")
		for i := range 200 {
			b.WriteString(one(i))
		}
		return b.String()
	}
	for _, test := range []struct{ name, text, want string }{
		{"few", "nodes,requests,cpu,latency\n" + row(1, 10, 50, 0.1), "1 samples have nodes, requests and a latency: at least 50"},
		{"steady", many(func(i int) string { return row(2, 20+float64(i%3), 50+float64(i%3), 0.1) }), "vary only 1.10 times"},
		{"idle", many(func(i int) string { return row(2, 2+float64(i%10), 1+float64(i%10), 0.1) }), "is ever busy"},
		{"CPU of others", many(func(i int) string { return row(2, 10+float64(i%20), 80-float64(i%20), 0.1) }), "does not grow with the requests"},
		{"no latency", "nodes,requests,cpu\n1,2,3\n", "no column of latency"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, err := parseRecording(strings.NewReader(test.text), "")
			if err == nil {
				_, err = FitPlant(r, DefaultPlant(), Laws())
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("FitPlant() = %v, want %q in it", err, test.want)
			}
		})
	}
}
