package optimizer

import (
	"math"
	"time"
)

// knowledge holds samples within bounds: the newest all, older ones thinned by novelty.
// It is column-flat so that 100,000 samples take some ten megabytes.
type knowledge struct {
	retain Retention
	width  int // values a row
	older  table
	recent table
	start  int // index of the first row of recent that is still recent
	cells  map[uint64]int
	perCell,
	dropped int
	scale []cellScale // per column: what a cell of its logarithm is
}

// table is rows of samples, one slice a column of facts and one flat slice of values.
type table struct {
	at           []int64 // nanoseconds since 1970
	nodes, total []int32
	values       []float64
}

// row is one stored sample; values is a window into the table.
type row struct {
	at           int64
	nodes, total int
	values       []float64
}

func newKnowledge(retain Retention, width int) *knowledge {
	return &knowledge{retain: retain, width: width, cells: map[uint64]int{}, perCell: firstPerCell, scale: make([]cellScale, width)}
}

func (k *knowledge) len() int { return len(k.older.at) + len(k.recent.at) - k.start }

// row returns the i-th oldest sample kept.
func (k *knowledge) row(i int) row {
	if n := len(k.older.at); i < n {
		return k.older.row(i, k.width)
	} else {
		return k.recent.row(i-n+k.start, k.width)
	}
}

func (t *table) row(i, width int) row {
	return row{t.at[i], int(t.nodes[i]), int(t.total[i]), t.values[i*width : (i+1)*width]}
}

func (t *table) append(r row) {
	t.at = append(t.at, r.at)
	t.nodes = append(t.nodes, int32(r.nodes))
	t.total = append(t.total, int32(r.total))
	t.values = append(t.values, r.values...)
}

func (k *knowledge) append(r row) {
	k.recent.append(r)
	for len(k.recent.at)-k.start > k.retain.Recent {
		k.retire(k.recent.row(k.start, k.width))
		k.start++
	}
	if k.start > len(k.recent.at)/2 && k.start > 1024 {
		k.recent.drop(k.start, k.width)
		k.start = 0
	}
}

// drop removes the first n rows.
func (t *table) drop(n, width int) {
	t.at = t.at[:copy(t.at, t.at[n:])]
	t.nodes = t.nodes[:copy(t.nodes, t.nodes[n:])]
	t.total = t.total[:copy(t.total, t.total[n:])]
	t.values = t.values[:copy(t.values, t.values[n*width:])]
}

// retire moves a row among the older ones if it is novel: if fewer than perCell like
// it are kept.
func (k *knowledge) retire(r row) {
	k.observeScale(r)
	cell := k.cell(r)
	if k.retain.Older == 0 || k.cells[cell] >= k.perCell {
		k.dropped++
		return
	}
	k.cells[cell]++
	k.older.append(r)
	if len(k.older.at) > k.retain.Older {
		k.thin()
	}
}

// thin halves what is kept per cell, oldest first, until an eighth is free.
func (k *knowledge) thin() {
	keep := k.retain.Older - k.retain.Older/8
	for len(k.older.at) > keep {
		before := len(k.older.at)
		k.perCell = max(1, k.perCell/2)
		excess := map[uint64]int{}
		clear(k.cells)
		for i := range k.older.at {
			excess[k.cell(k.older.row(i, k.width))]++
		}
		mustGo := 0
		if k.perCell == 1 { // all different: the oldest goes
			mustGo = before - keep
		}
		var kept table
		for i := range k.older.at {
			r := k.older.row(i, k.width)
			cell := k.cell(r)
			if excess[cell] > k.perCell {
				excess[cell]--
				mustGo--
				continue
			}
			kept.append(r)
			k.cells[cell]++
		}
		k.older = kept
		if k.perCell == 1 && mustGo > 0 {
			k.older.drop(min(mustGo, len(k.older.at)), k.width)
			k.recount()
		}
		k.dropped += before - len(k.older.at)
	}
}

func (k *knowledge) recount() {
	clear(k.cells)
	for i := range k.older.at {
		k.cells[k.cell(k.older.row(i, k.width))]++
	}
}

const (
	firstPerCell = 64
	cellsPerE    = 4 // cells per factor of e of a value
)

// cellScale is the smallest magnitude at which a column's values are told apart.
type cellScale struct{ floor float64 }

func (k *knowledge) observeScale(r row) {
	for i, v := range r.values {
		if a := math.Abs(v); a > 0 && !math.IsNaN(v) && a*1e-3 > k.scale[i].floor && k.scale[i].floor == 0 {
			k.scale[i].floor = a * 1e-3
		}
	}
}

// cell is a hash (FNV-1a) of the node count and the rounded logarithms of the values.
func (k *knowledge) cell(r row) uint64 {
	h := uint64(14695981039346656037)
	mix := func(v int64) {
		for range 8 {
			h = (h ^ uint64(v&0xff)) * 1099511628211
			v >>= 8
		}
	}
	mix(int64(r.nodes))
	for i, v := range r.values {
		switch floor := k.scale[i].floor; {
		case math.IsNaN(v):
			mix(math.MinInt64)
		case floor == 0 || math.Abs(v) < floor:
			mix(0)
		default:
			mix(int64(math.Copysign(1+math.Round(cellsPerE*math.Log(math.Abs(v)/floor)), v)))
		}
	}
	return h
}

func (r row) time() time.Time { return time.Unix(0, r.at).UTC() }

// complete says whether every value is there.
func (r row) complete() bool {
	for _, v := range r.values {
		if math.IsNaN(v) {
			return false
		}
	}
	return true
}
