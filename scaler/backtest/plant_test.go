package backtest

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestResponseLaws(t *testing.T) {
	for _, test := range []struct {
		name string
		law  Law
		rho  float64
		want float64 // seconds, worked by hand for 2 cores and 100ms
	}{
		{"idle", LawMMC, 0, 0.1},
		{"Sakasegawa at the load of the default limit: 0.1 (1 + 0.77^1.449 / 0.46)", LawMMC, 0.77, 0.2489},
		{"Sakasegawa at half load: 0.1 (1 + 0.3662/1)", LawMMC, 0.5, 0.13661},
		{"above the law's end it stays what it is there: 0.1 (1 + 0.97115/0.04)", LawMMC, 1.3, 2.5279},
		{"Pollaczek-Khinchine at half load: 0.1 + 0.05 x 1 x 2.5", LawMG1, 0.5, 0.225},
		{"processor sharing at half load: 0.1/0.5", LawPS, 0.5, 0.2},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := DefaultPlant()
			p.Law = test.law
			if got := p.Response(test.rho); math.Abs(got-test.want) > 2e-4 {
				t.Errorf("Response(%g) = %.4f, want %.4f", test.rho, got, test.want)
			}
		})
	}
}

// The exact mean of M/M/2 is S / (1 - rho^2).
func TestTheDefaultLawIsNearTheExactQueue(t *testing.T) {
	p := DefaultPlant()
	for rho := 0.05; rho < 0.96; rho += 0.05 {
		exact := p.ServiceTime.Seconds() / (1 - rho*rho)
		if got := p.Response(rho); math.Abs(got/exact-1) > 0.04 {
			t.Errorf("Response(%.2f) = %.4f, more than 4%% from the exact %.4f", rho, got, exact)
		}
	}
}

func TestANodeCarriesWhatItsLawAllows(t *testing.T) {
	p := DefaultPlant()
	if got := p.Carries(250 * time.Millisecond); math.Abs(got-15.4) > 0.05 {
		t.Errorf("Carries(250ms) = %.3f, want 15.4 requests/s", got)
	}
	if got := p.Carries(90 * time.Millisecond); got != 0 {
		t.Errorf("Carries(90ms) = %g, want 0: an idle node takes 100ms", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		p := DefaultPlant()
		p.Law = rapid.SampledFrom(Laws()).Draw(t, "law")
		p.Cores = rapid.IntRange(1, 16).Draw(t, "cores")
		limit := p.ServiceTime + time.Duration(rapid.IntRange(1, 400).Draw(t, "ms"))*time.Millisecond
		rho := p.Carries(limit) * p.ServiceTime.Seconds() / float64(p.Cores)
		if got := p.Response(rho); got > limit.Seconds()+1e-6 {
			t.Fatalf("a node at Carries(%s) answers in %.4f s", limit, got)
		}
		if got := p.Response(rho + 1e-3); rho < mostLoad-1e-3 && got <= limit.Seconds() {
			t.Fatalf("a node above Carries(%s) still answers in %.4f s", limit, got)
		}
	})
}

func TestAPlantThatMakesNoSenseIsRefused(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Plant)
		want   string
	}{
		{"no tick", func(p *Plant) { p.Tick = 0 }, "tick 0s"},
		{"a boot in the past", func(p *Plant) { p.Boot = -time.Second }, "boot -1s"},
		{"no drift at all", func(p *Plant) { p.Drift = math.NaN() }, "drift is NaN"},
		{"an unknown law", func(p *Plant) { p.Law = "murphy" }, `law is "murphy", must be one of [mmc mg1 ps]`},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := DefaultPlant()
			test.change(&p)
			if err := p.Check(); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Check() = %v, want %q in it", err, test.want)
			}
		})
	}
}
