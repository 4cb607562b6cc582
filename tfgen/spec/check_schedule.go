package spec

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

func (c *checker) schedule(g *Group, s *Schedule, path string) {
	if c.fine(path + ".time_zone") {
		if _, err := time.LoadLocation(s.TimeZone); err != nil || s.TimeZone == "Local" || s.TimeZone == "" {
			c.mistake(path+".time_zone", fmt.Sprintf("is %q, which is no time zone", s.TimeZone), "write an IANA name such as Europe/Budapest or UTC")
		}
	}
	sound := len(s.Windows) > 0
	for i, w := range s.Windows {
		sound = c.window(g, w, strictyaml.JoinIndex(path+".windows", i)) && sound
	}
	if s.Otherwise != nil {
		c.bounds(g, *s.Otherwise, path+".otherwise")
	}
	if sound {
		c.overlaps(s.Windows, path+".windows")
	}
}

// bounds checks what is in force, and reports whether it found no mistake.
func (c *checker) bounds(g *Group, b Bounds, path string) bool {
	before := len(c.mistakes)
	switch {
	case b.Count == nil && b.Min == nil && b.Max == nil && !c.doc.Wrong(path):
		c.mistake(path, "has none of count, min and max", "add count, or min, max or both")
	case b.Count != nil && (b.Min != nil || b.Max != nil):
		c.mistake(path+".count", "is set together with min or max", "keep count, or min and max")
	case b.Min != nil && b.Max != nil && *b.Min > *b.Max:
		c.mistake(path+".min", fmt.Sprintf("is %d, more than max %d", *b.Min, *b.Max), "lower min or raise max")
	}
	for _, bound := range []struct {
		key   string
		value *int
	}{{"count", b.Count}, {"min", b.Min}, {"max", b.Max}} {
		if bound.value != nil {
			c.within(g, path+"."+bound.key, *bound.value)
		}
	}
	return len(c.mistakes) == before
}

// window checks one window, and reports whether it found no mistake.
func (c *checker) window(g *Group, w Window, path string) bool {
	before := len(c.mistakes)
	c.bounds(g, w.Bounds(), path)
	var has []string
	for _, key := range []string{"cron", "from"} {
		if c.doc.Has(path + "." + key) {
			has = append(has, key)
		}
	}
	c.exactlyOne(path, has, "cron and from")
	if len(has) == 1 && has[0] == "cron" {
		c.returning(w, path)
	}
	if len(has) == 1 && has[0] == "from" {
		c.once(w, path)
	}
	return len(c.mistakes) == before && len(has) == 1 && !c.doc.Wrong(path)
}

// reference is from when on windows are looked through: it begins a leap year.
var reference = time.Date(2028, 1, 1, 0, 0, 0, 0, time.UTC)

func (c *checker) returning(w Window, path string) {
	if c.doc.Has(path + ".to") {
		c.mistake(path+".to", "is for a window with from", "write for: how long the window lasts")
	}
	if !c.fine(path + ".cron") {
		return
	}
	starts, err := cron.ParseStandard(w.Cron)
	switch {
	case err != nil || strings.HasPrefix(w.Cron, "@every"):
		c.mistake(path+".cron", fmt.Sprintf("is %q, which is no cron expression", w.Cron), "write minute, hour, day of month, month and day of week, such as 0 8 * * 1-5")
	case strings.Contains(w.Cron, "TZ="):
		c.mistake(path+".cron", "has a time zone of its own", "use time_zone of the schedule")
	case starts.Next(reference).IsZero():
		c.mistake(path+".cron", fmt.Sprintf("is %q, a date that never comes", w.Cron), "mend the day or the month")
	case !c.doc.Has(path + ".for"):
		c.mistake(path, "has cron and no for", "write how long the window lasts")
	case w.For.AsDuration() < time.Minute && c.fine(path+".for"):
		c.mistake(path+".for", fmt.Sprintf("is %s, less than a minute", w.For), "write 1m or more")
	}
}

func (c *checker) once(w Window, path string) {
	if c.doc.Has(path + ".for") {
		c.mistake(path+".for", "is for a window with cron", "write to: when the window ends")
	}
	if !c.doc.Has(path+".to") && !c.doc.Wrong(path) {
		c.mistake(path, "has from and no to", "write when the window ends")
		return
	}
	sound := true
	for _, at := range []struct{ key, value string }{{"from", w.From}, {"to", w.To}} {
		if _, err := time.Parse(WindowTime, at.value); err != nil && c.fine(path+"."+at.key) {
			c.mistake(path+"."+at.key, fmt.Sprintf("is %q, which is no date and time", at.value), "write it as 2026-11-27 08:00")
			sound = false
		}
	}
	if s, err := w.once(); sound && err == nil && !s.From.Before(s.To) {
		c.mistake(path+".to", fmt.Sprintf("is %q, not after from %q", w.To, w.From), "let the window end after it begins")
	}
}

// looked is the part of the calendar in which overlaps are looked for: a leap year
// and the years around it, but no more than so many spells of a window.
const (
	lookedYears = 2
	lookedMost  = 3000
)

// overlaps reports two windows that are open at once. Those that happen once win
// over the others, so that a special day needs no hole in a weekly plan; among
// themselves they must not overlap either.
func (c *checker) overlaps(windows []Window, path string) {
	type open struct {
		Spell
		window int
	}
	for _, returning := range []bool{true, false} {
		var all []open
		for i, w := range windows {
			if (w.Cron != "") != returning {
				continue
			}
			for _, s := range w.spells(reference.AddDate(0, 0, -1), reference.AddDate(lookedYears, 0, 0), lookedMost) {
				all = append(all, open{s, i})
			}
		}
		slices.SortStableFunc(all, func(a, b open) int {
			return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.window, b.window))
		})
		told := map[[2]int]bool{}
		for i := 1; i < len(all); i++ {
			a, b := all[i-1], all[i]
			pair := [2]int{min(a.window, b.window), max(a.window, b.window)}
			if !b.From.Before(a.To) || told[pair] {
				continue
			}
			told[pair] = true
			c.mistake(strictyaml.JoinIndex(path, pair[1]),
				fmt.Sprintf("overlaps %s: both are open at %s", strictyaml.JoinIndex(path, pair[0]), b.From.Format("15:04 on Monday, 2 January 2006")), "shorten or move one of them")
		}
	}
}
