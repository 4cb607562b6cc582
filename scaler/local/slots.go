package local

import (
	"container/list"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"sync"
	"time"
)

// queuePerSlot bounds how many requests wait for a node's slots.
const queuePerSlot = 100

// maxLag bounds how much of a timer's lateness is made up for.
const maxLag = 100 * time.Millisecond

var errQueueFull = errors.New("the queue is full")

// slots is the capacity of a node: so many requests are served at a time, the
// others wait in the order of their arrival. It is safe for concurrent use.
type slots struct {
	mu      sync.Mutex
	mean    time.Duration
	random  *rand.Rand
	free    []int // the slot that has been free for longest first
	waiting *list.List
	started time.Time
	// since is when a slot became busy, zero while it is free; busy is what it
	// was busy for before that.
	since []time.Time
	busy  []time.Duration

	loadAt time.Time
	load   float64 // requests in service or waiting, averaged over a minute
	share  float64 // busy slots 0..1, averaged likewise
}

// turn is a request's use of one slot.
type turn struct {
	slot int
	from time.Time
	// until is when the service is complete.
	until time.Time
}

type waiter struct {
	arrived time.Time
	turn    chan turn // buffered, sent to once
}

// newSlots makes n slots, free at now, that requests occupy for exponentially
// distributed times of that mean, drawn from random, which slots keeps.
func newSlots(n int, mean time.Duration, random *rand.Rand, now time.Time) *slots {
	s := &slots{
		mean:    mean,
		random:  random,
		waiting: list.New(),
		started: now,
		since:   make([]time.Time, n),
		busy:    make([]time.Duration, n),
		loadAt:  now,
	}
	for i := range n {
		s.free = append(s.free, i)
	}
	return s
}

// take waits for a slot. The error is errQueueFull, or that of ctx. The caller
// gives the turn back when its time is over.
func (s *slots) take(ctx context.Context) (turn, error) {
	t, w, err := s.takeOrWait()
	if w == nil {
		return t, err
	}
	select {
	case t := <-w.Value.(*waiter).turn:
		return t, nil
	case <-ctx.Done():
		s.leave(w)
		return turn{}, ctx.Err()
	}
}

func (s *slots) takeOrWait() (turn, *list.Element, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.advance()
	if len(s.free) > 0 {
		slot := s.free[0]
		s.free = append(s.free[:0], s.free[1:]...)
		s.since[slot] = now
		return s.begin(slot, now), nil, nil
	}
	if s.waiting.Len() >= queuePerSlot*len(s.busy) {
		return turn{}, nil, errQueueFull
	}
	return turn{}, s.waiting.PushBack(&waiter{now, make(chan turn, 1)}), nil
}

// leave takes a request out of the queue, or passes on the slot that it was
// given at the same moment.
func (s *slots) leave(w *list.Element) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.advance()
	select {
	case t := <-w.Value.(*waiter).turn:
		s.passOn(t.slot, now, now)
	default:
		s.waiting.Remove(w)
	}
}

// give ends a turn, and the request that waits longest gets the slot.
func (s *slots) give(t turn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.passOn(t.slot, t.until, s.advance())
}

// passOn lets the next service begin at the instant at which the last one was
// complete, and not when its timer was heard of: else a busy machine's late
// timers would make every node slower than it says.
func (s *slots) passOn(slot int, complete, now time.Time) {
	front := s.waiting.Front()
	if front == nil {
		s.busy[slot] += now.Sub(s.since[slot])
		s.since[slot] = time.Time{}
		s.free = append(s.free, slot)
		return
	}
	next := s.waiting.Remove(front).(*waiter)
	next.turn <- s.begin(slot, latest(complete, next.arrived, now.Add(-maxLag)))
}

func (s *slots) begin(slot int, from time.Time) turn {
	service := time.Duration(s.random.ExpFloat64() * float64(s.mean))
	return turn{slot: slot, from: from, until: from.Add(service)}
}

// advance brings the averages up to now, which it returns. They decay as a Unix
// load average does, exactly, since what they average is constant between two
// calls. The clock is read under the lock, so that it never runs backwards from
// one caller to the next, and with it no counter.
func (s *slots) advance() time.Time {
	now := time.Now()
	keep := math.Exp(-now.Sub(s.loadAt).Seconds() / 60)
	busy := float64(len(s.busy) - len(s.free))
	s.load = s.load*keep + (busy+float64(s.waiting.Len()))*(1-keep)
	s.share = s.share*keep + busy/float64(len(s.busy))*(1-keep)
	s.loadAt = now
	return now
}

// usage is the state of the slots at one instant.
type usage struct {
	// Up is the time since the start.
	Up time.Duration
	// Busy is for how long each slot was busy since the start.
	Busy []time.Duration
	// Working and Waiting are requests.
	Working, Waiting int
	// Load is the mean number of requests in service or waiting, and Share the
	// mean share of busy slots, 0..1, both over about a minute.
	Load, Share float64
}

func (s *slots) usage() usage {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.advance()
	u := usage{
		Up:      now.Sub(s.started),
		Busy:    make([]time.Duration, len(s.busy)),
		Working: len(s.busy) - len(s.free),
		Waiting: s.waiting.Len(),
		Load:    s.load,
		Share:   s.share,
	}
	for slot, busy := range s.busy {
		if since := s.since[slot]; !since.IsZero() {
			busy += now.Sub(since)
		}
		u.Busy[slot] = busy
	}
	return u
}

func latest(times ...time.Time) time.Time {
	last := times[0]
	for _, t := range times[1:] {
		if t.After(last) {
			last = t
		}
	}
	return last
}
