package monitor

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/scalerd/scalerd/tfgen/spec"
)

// TestEmbeddedKnowsHowOldAValueIs asks at a later instant than that of the last
// scrape: every query that reads the sample is as old as that, and a number has no
// age.
func TestEmbeddedKnowsHowOldAValueIs(t *testing.T) {
	p := newPage(t, "cpu_ratio 1\n")
	a := openEmbedded(t, t.TempDir()).Application("shop", interval)
	watch(t, a, p.target(nil))
	awaitValue(t, a, "count_over_time(cpu_ratio[1m])", func(n float64) bool { return n >= 3 })
	watch(t, a) // the last scrape is over, and staleness comes after two intervals
	now := time.Now()
	// A scrape that began before may be stored later: then all are asked again.
	eventually(t, "every query that reads the sample is as old as it is", func() bool {
		plain := a.Query(t.Context(), "cpu_ratio", now).SampledAt
		if age := now.Sub(plain); plain.IsZero() || age < 0 || age > 10*time.Second {
			return false
		}
		for query, want := range map[string]time.Time{"sum(cpu_ratio) / 2": plain, "max_over_time(cpu_ratio[1m])": plain, "42": {}} {
			if got := a.Query(t.Context(), query, now).SampledAt; !got.Equal(want) {
				return false
			}
		}
		return true
	})
	later := a.Query(t.Context(), "last_over_time(cpu_ratio[1m])", now.Add(20*time.Second)).SampledAt
	if age := now.Add(20 * time.Second).Sub(later); age < 19*time.Second {
		t.Errorf("SampledAt = %v, 20 s after the scraping ended, want it older than 19 s", later)
	}
}

// TestExternalAsksWhenASelectorWasSampled pins which queries are asked about twice.
func TestExternalAsksWhenASelectorWasSampled(t *testing.T) {
	at := time.Unix(1700000000, 0)
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.FormValue("query"))
		value := "1"
		if strings.HasPrefix(r.FormValue("query"), "max(timestamp(") {
			value = "1699999993.5"
		}
		fmt.Fprintf(w, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1700000000,%q]}]}}`, value)
	}))
	defer server.Close()
	e := newExternal(t, spec.Prometheus{URL: server.URL}, "")
	for _, test := range []struct {
		query string
		want  time.Time
		asks  int
	}{
		{`(up{job="a"}) # ours`, time.Unix(1699999993, 5e8), 2},
		{`sum(up)`, time.Time{}, 1},
		{`rate(up[1m])`, time.Time{}, 1},
	} {
		asked = nil
		r := e.Query(t.Context(), test.query, at)
		if r.Value() != 1 || !r.SampledAt.Equal(test.want) || len(asked) != test.asks {
			t.Errorf("Query(%s) = %+v after %q, want it sampled at %v", test.query, r, asked, test.want)
		}
	}
}
