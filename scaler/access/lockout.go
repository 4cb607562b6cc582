package access

import (
	"container/list"
	"net/netip"
	"sync"
	"time"
)

const (
	// freeTries is how often one may be wrong before it costs time; each further
	// failure doubles the time, from a second up to longestLock.
	freeTries   = 5
	longestLock = 15 * time.Minute
	// addressTries is the same for one address with any names.
	addressTries = 30
	// forgetAfter is how long failures are remembered.
	forgetAfter = time.Hour
	// keptFailures bounds what is remembered; the oldest go first.
	keptFailures = 10000
)

// lockout counts failures by user and address. It is safe for concurrent use.
type lockout struct {
	mu    sync.Mutex
	byKey map[string]*list.Element
	order *list.List // of *failures, the longest ago first
}

type failures struct {
	key   string
	count int
	last  time.Time
}

func newLockout() *lockout { return &lockout{byKey: map[string]*list.Element{}, order: list.New()} }

// wait is how long this user from this address, and this address, must wait.
func (l *lockout) wait(user, address string, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(l.locked(pair(user, address), freeTries, now), l.locked(address, addressTries, now))
}

func (l *lockout) locked(key string, free int, now time.Time) time.Duration {
	e, ok := l.byKey[key]
	if !ok {
		return 0
	}
	f := e.Value.(*failures)
	if f.count < free || now.Sub(f.last) > forgetAfter {
		return 0
	}
	lock := longestLock
	if n := f.count - free; n < 20 {
		lock = min(lock, time.Second<<n)
	}
	return max(0, f.last.Add(lock).Sub(now))
}

// failed notes a failure.
func (l *lockout) failed(user, address string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, key := range []string{pair(user, address), address} {
		f := &failures{key: key}
		if e, ok := l.byKey[key]; ok {
			f = e.Value.(*failures)
			l.order.Remove(e)
		}
		if now.Sub(f.last) > forgetAfter {
			f.count = 0
		}
		f.count++
		f.last = now
		l.byKey[key] = l.order.PushBack(f)
	}
	for l.order.Len() > keptFailures {
		oldest := l.order.Front()
		delete(l.byKey, oldest.Value.(*failures).key)
		l.order.Remove(oldest)
	}
}

// succeeded forgets the failures of a user from an address.
func (l *lockout) succeeded(user, address string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e, ok := l.byKey[pair(user, address)]; ok {
		l.order.Remove(e)
		delete(l.byKey, pair(user, address))
	}
}

func pair(user, address string) string { return address + "\x00" + user }

// network is what counts as one address: of IPv6 the /64 that one site has.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is6() {
		if prefix, err := ip.Prefix(64); err == nil {
			return prefix.String()
		}
	}
	return ip.String()
}
