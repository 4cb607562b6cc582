package optimizer

// trainingSet is a copy of complete samples in the order of time.
type trainingSet struct {
	names  []string
	inputs int
	width  int
	at     []int64
	nodes  []int
	values []float64
}

// maxTrainingRows bounds the time and memory of a training: the newest are used.
const maxTrainingRows = 10_000

// trainingSet copies the newest complete samples.
func (o *Optimizer) trainingSet() trainingSet {
	set := trainingSet{names: o.cols.names, inputs: o.cols.inputs, width: len(o.cols.names)}
	n := o.known.len()
	first, count := n, 0
	for first > 0 && count < maxTrainingRows {
		first--
		if o.known.row(first).complete() {
			count++
		}
	}
	set.at, set.nodes = make([]int64, 0, count), make([]int, 0, count)
	set.values = make([]float64, 0, count*set.width)
	for i := first; i < n; i++ {
		if r := o.known.row(i); r.complete() && r.nodes > 0 {
			set.add(r)
		}
	}
	return set
}

func (s *trainingSet) add(r row) {
	s.at, s.nodes = append(s.at, r.at), append(s.nodes, r.nodes)
	s.values = append(s.values, r.values...)
}

func (s trainingSet) len() int                { return len(s.nodes) }
func (s trainingSet) row(i int) []float64     { return s.values[i*s.width : (i+1)*s.width] }
func (s trainingSet) target(i, t int) float64 { return s.values[i*s.width+s.inputs+t] }

// slice returns samples from..to-1, sharing memory.
func (s trainingSet) slice(from, to int) trainingSet {
	s.at, s.nodes, s.values = s.at[from:to], s.nodes[from:to], s.values[from*s.width:to*s.width]
	return s
}

// event is a change of the number of nodes between two samples that follow each other.
type event struct {
	before, after int // positions of the samples compared
	from, to      int // nodes
}

// events returns the changes, each with the sample lag steps after it.
func (s trainingSet) events(lag int) (found []event) {
	for i := 0; i+lag < s.len(); i++ {
		if s.nodes[i] != s.nodes[i+1] {
			found = append(found, event{i, i + lag, s.nodes[i], s.nodes[i+1]})
		}
	}
	return found
}
