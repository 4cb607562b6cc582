package spec

import (
	"fmt"
	"time"

	"github.com/robfig/cron/v3"
)

// Spell is one time that a window of a schedule is open, on the clock of the
// schedule's zone. The clock's readings are kept as times in UTC, which have no
// jumps; Zone tells what they are.
type Spell struct{ From, To time.Time }

// Clock is what the clock of a zone shows at an instant, as a time in UTC.
func Clock(at time.Time, zone *time.Location) time.Time {
	local := at.In(zone)
	return time.Date(local.Year(), local.Month(), local.Day(), local.Hour(), local.Minute(), local.Second(), local.Nanosecond(), time.UTC)
}

// Instant is the first instant at which the clock of a zone shows a time, or has
// passed it where clocks are put forward over it.
func Instant(clock time.Time, zone *time.Location) time.Time {
	in := func(zone *time.Location) time.Time {
		return time.Date(clock.Year(), clock.Month(), clock.Day(), clock.Hour(), clock.Minute(), clock.Second(), clock.Nanosecond(), zone)
	}
	// time.Date does not say which of two instants it chooses: with the offset of
	// before it is the first.
	_, offset := in(zone).Add(-slack).Zone()
	first := in(time.FixedZone("", offset)).In(zone)
	if Clock(first, zone).Equal(clock) {
		return first
	}
	if changed, _ := first.ZoneBounds(); Clock(changed, zone).After(clock) {
		return changed // clocks were put forward over the time
	}
	return in(zone)
}

// slack is more than clocks are ever put forward or back.
const slack = 3 * time.Hour

// SpellAt is the spell of the window that is open at an instant.
func (w Window) SpellAt(at time.Time, zone *time.Location) (Spell, bool) {
	holds := func(s Spell) bool {
		return !at.Before(Instant(s.From, zone)) && at.Before(Instant(s.To, zone))
	}
	if w.Cron == "" {
		s, err := w.once()
		return s, err == nil && holds(s)
	}
	starts, err := cron.ParseStandard(w.Cron)
	if err != nil {
		return Spell{}, false
	}
	clock := Clock(at, zone)
	from := starts.Next(clock.Add(-w.For.AsDuration() - slack))
	for !from.IsZero() && !from.After(clock.Add(slack)) {
		if s := (Spell{from, from.Add(w.For.AsDuration())}); holds(s) {
			return s, true
		}
		from = starts.Next(from)
	}
	return Spell{}, false
}

// once is the spell of a window that happens once.
func (w Window) once() (Spell, error) {
	from, err := time.Parse(WindowTime, w.From)
	if err != nil {
		return Spell{}, fmt.Errorf("from is %q, which is no date and time", w.From)
	}
	to, err := time.Parse(WindowTime, w.To)
	if err != nil {
		return Spell{}, fmt.Errorf("to is %q, which is no date and time", w.To)
	}
	return Spell{from, to}, nil
}

// spells are those of a window between two readings of the clock, of which at most
// so many are looked at.
func (w Window) spells(from, to time.Time, most int) []Spell {
	if w.Cron == "" {
		if s, err := w.once(); err == nil {
			return []Spell{s}
		}
		return nil
	}
	starts, err := cron.ParseStandard(w.Cron)
	if err != nil {
		return nil
	}
	var spells []Spell
	for at := starts.Next(from); !at.IsZero() && at.Before(to) && len(spells) < most; at = starts.Next(at) {
		spells = append(spells, Spell{at, at.Add(w.For.AsDuration())})
	}
	return spells
}
