package backtest

import (
	"fmt"
	"time"
)

// machine is one node of the simulated fleet. Its place in the fleet is its slot
// of the weather.
type machine struct {
	name    string
	created float64 // seconds from the start of the run
	ready   float64
	backlog float64 // requests left over
	waits   bool    // readiness was not shown yet
}

// outcome is what happened in one tick.
type outcome struct {
	arrived, served, dropped float64 // requests
	ready                    int
	busy                     float64 // nodes' worth of work done
	latency                  float64 // seconds, mean over the requests
}

// fleet is the state of a simulated node group. Nodes are a stack: the newest is
// removed first.
type fleet struct {
	plant    Plant
	weather  *weather
	start    time.Time
	drifts   int // the tick from which on the plant has drifted
	machines []machine
	nodes    []Node // as policies see them
	launched int
	lost     float64 // requests that the last node had left over when it was removed
	weights  []float64
}

// launch adds a node at the beginning of a tick.
func (f *fleet) launch(tick int, boots bool) {
	at := float64(tick) * f.plant.Tick.Seconds()
	m := machine{name: fmt.Sprintf("node-%04d", f.launched+1), created: at, ready: at, waits: true}
	if boots {
		m.ready += f.weather.bootSeconds(len(f.machines), tick)
	} else {
		m.ready -= (f.plant.WarmUp + f.plant.SlowStart).Seconds()
		m.created = m.ready
	}
	f.launched++
	f.machines = append(f.machines, m)
	f.nodes = append(f.nodes, Node{Name: m.name, Created: f.instant(m.created)})
}

func (f *fleet) instant(seconds float64) time.Time {
	return f.start.Add(time.Duration(seconds * float64(time.Second)))
}

// resize launches nodes or removes the newest ones at the beginning of a tick. What
// a removed node has left over goes to the others that are ready.
func (f *fleet) resize(tick, n int) {
	for len(f.machines) < n {
		f.launch(tick, true)
	}
	left := 0.0
	for len(f.machines) > n {
		last := len(f.machines) - 1
		left += f.machines[last].backlog
		f.machines, f.nodes = f.machines[:last], f.nodes[:last]
	}
	if n == 0 {
		f.lost += left
		return
	}
	ready := 0
	for i := range f.machines {
		if f.serves(i, tick) {
			ready++
		}
	}
	if ready == 0 {
		f.machines[0].backlog += left // they wait there until a node is ready
	}
	for i := range f.machines {
		if f.serves(i, tick) {
			f.machines[i].backlog += left / float64(ready)
		}
	}
}

func (f *fleet) serves(i, tick int) bool {
	return f.machines[i].ready <= float64(tick)*f.plant.Tick.Seconds()
}

// service is how long a request occupies a core at a tick, and what is added to
// every response, in seconds.
func (f *fleet) service(tick int) (service, extra float64) {
	service = f.plant.ServiceTime.Seconds()
	if tick >= f.drifts {
		return service * f.plant.Drift, f.plant.ExtraLatency.Seconds()
	}
	return service, 0
}

// serve lets arrivals requests come in a tick.
func (f *fleet) serve(tick int, arrivals float64) outcome {
	o := outcome{arrived: arrivals, dropped: f.lost}
	f.lost = 0
	total := f.spread(tick, &o)
	if o.ready == 0 {
		o.dropped, o.latency = o.dropped+arrivals, f.plant.Timeout.Seconds()
		return o
	}
	service, extra := f.service(tick)
	waited := 0.0
	for i := range f.machines {
		if f.weights[i] > 0 {
			share := arrivals * f.weights[i] / total
			waited += f.weights[i] / total * f.work(i, tick, share, service, &o)
		}
	}
	o.latency = min(f.plant.Timeout.Seconds(), (waited+extra)*float64(f.weather.latency[tick]))
	return o
}

// spread notes who is ready, and gives the weights of the balancer and their sum.
func (f *fleet) spread(tick int, o *outcome) float64 {
	now, total := float64(tick)*f.plant.Tick.Seconds(), 0.0
	f.weights = f.weights[:0]
	for i := range f.machines {
		m := &f.machines[i]
		if m.ready > now {
			f.weights = append(f.weights, 0)
			continue
		}
		if m.waits {
			m.waits, f.nodes[i].Ready = false, f.instant(m.ready)
		}
		o.ready++
		weight := float64(f.weather.slot(i).share[tick])
		if slow := f.plant.SlowStart.Seconds(); now-m.ready < slow {
			weight *= 0.5 + 0.5*(now-m.ready)/slow
		}
		f.weights = append(f.weights, weight)
		total += weight
	}
	return total
}

// work lets one node serve its share of a tick's arrivals, and gives its mean
// response time in seconds.
func (f *fleet) work(i, tick int, arrivals, service float64, o *outcome) float64 {
	p, m, row := &f.plant, &f.machines[i], f.weather.slot(i)
	seconds := p.Tick.Seconds()
	speed := float64(row.speed[tick])
	if float64(tick)*seconds-m.ready < p.WarmUp.Seconds() {
		speed *= p.WarmUpSpeed
	}
	service /= speed
	capacity := float64(p.Cores) / service // requests/s
	wait := p.wait(service, arrivals/(capacity*seconds))
	if row.tail != nil {
		wait *= float64(row.tail[tick])
	}
	before := m.backlog
	served := min(before+arrivals, capacity*seconds)
	m.backlog = max(0, before+arrivals-served)
	if most := capacity * p.Timeout.Seconds(); m.backlog > most {
		o.dropped += m.backlog - most
		m.backlog = most
	}
	o.served += served
	o.busy += served / (capacity * seconds)
	return min(p.Timeout.Seconds(), service+wait+(before+m.backlog)/2/capacity)
}
