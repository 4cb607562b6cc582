package monitor

import (
	"slices"
	"testing"
	"time"

	"github.com/scalerd/scalerd/scaler/policy"
)

// TestApplicationsSeeOnlyTheirOwnSeries asks shop, with one target at 1, for
// bank's series, which are all at 1000.
func TestApplicationsSeeOnlyTheirOwnSeries(t *testing.T) {
	e := openEmbedded(t, t.TempDir())
	shop, bank := e.Application("shop", interval), e.Application("bank", interval)
	watch(t, shop, newPage(t, "load 1\nshop_only 1\n").target(map[string]string{"node": "a"}))
	watch(t, bank, newPage(t, "load 1000\nbank_only 1000\n").target(map[string]string{"node": "b"}))
	awaitValue(t, shop, "count_over_time(load[1m])", between(10, 1000))
	awaitValue(t, bank, "count_over_time(bank_only[1m])", between(10, 1000))
	// One instant for all: on a busy machine a later scrape may fail and end the series.
	var at time.Time
	eventually(t, "shop's load is there, was just before, and at a whole second", func() bool {
		at = time.Now()
		return !slices.ContainsFunc([]string{"load", "load offset 200ms", "max_over_time(sum(load)[1m:1s])"}, func(query string) bool {
			return shop.Query(t.Context(), query, at).Missing != policy.Present
		})
	})

	const none = -1
	tests := []struct {
		name, query string
		want        float64 // or none
	}{
		{"a selector", `load`, 1},
		{"a sum", `sum(load)`, 1},
		{"the other's metric", `bank_only`, none},
		{"the other's label", `load{application="bank"}`, none},
		{"a label that is not mine", `load{application!="shop"}`, none},
		{"any label", `sum(load{application=~".*"})`, 1},
		{"any name", `max({__name__=~"load|.*_only"})`, 1},
		{"a quoted name", `{"bank_only"}`, none},
		{"a range", `max_over_time(load[1m])`, 1},
		{"the other's range", `max_over_time(bank_only[1m])`, none},
		{"a subquery", `max_over_time(sum(load)[1m:1s])`, 1},
		{"the other's subquery", `max_over_time((bank_only > 0)[1m:1s])`, none},
		{"a subquery in a subquery", `max_over_time(max_over_time(sum({__name__=~".*load"})[2s:100ms])[1m:1s])`, 1},
		{"or", `max(load or bank_only)`, 1},
		{"or alone", `bank_only or shop_only`, 1},
		{"and", `load and on() bank_only`, none},
		{"unless", `load unless on() bank_only`, 1},
		{"a join", `load * on() group_left() bank_only`, none},
		{"topk", `topk(1, load)`, 1},
		{"topk of everything", `sum(topk(10, {node=~".+", __name__="load"}))`, 1},
		{"quantile with the other as parameter", `quantile(scalar(bank_only), load) == load`, none},
		{"absent", `absent(bank_only)`, 1},
		{"absent of what both have", `absent(load)`, none},
		{"absent_over_time", `absent_over_time(bank_only[1m])`, 1},
		{"count by application", `count(count by (application) (up))`, 1},
		{"label_replace", `sum(label_replace(load, "application", "bank", "", ""))`, 1},
		{"an offset", `max(load offset 200ms)`, 1},
		{"an instant", `max(max_over_time(load[1m] @ end()))`, 1},
		{"a unary minus", `-(-load)`, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := shop.Query(t.Context(), test.query, at)
			if test.want == none {
				if r.Missing != policy.NoSeries && r.Missing != policy.NaN && r.Missing != policy.Stale {
					t.Errorf("Query(%s) = %+v, want nothing", test.query, r)
				}
				return
			}
			if r.Missing != policy.Present || len(r.Samples) != 1 || r.Value() != test.want {
				t.Errorf("Query(%s) = %+v, want %v", test.query, r, test.want)
			}
		})
	}
}
