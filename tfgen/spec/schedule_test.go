package spec

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestSchedulesAreChecked pins what is refused about a schedule, and where.
func TestSchedulesAreChecked(t *testing.T) {
	for _, test := range []struct {
		name     string
		schedule string
		want     string // nothing where the schedule is right
	}{
		{"working hours", `{time_zone: Europe/Budapest, windows: [{cron: "0 8 * * 1-5", for: 10h, min: 2}]}`, ""},
		{"a night over midnight", `{windows: [{cron: "0 22 * * *", for: 8h, max: 2}, {cron: "0 6 * * *", for: 16h, min: 2}], otherwise: {count: 3}}`, ""},
		{"a special day within working hours", `{windows: [{cron: "0 8 * * *", for: 10h, min: 2}, {from: 2028-03-01 09:00, to: 2028-03-02 09:00, count: 5}]}`, ""},
		{"an unknown zone", `{time_zone: Europe/Budapset, windows: [{cron: "0 8 * * *", for: 1h, min: 2}]}`, `time_zone: is "Europe/Budapset", which is no time zone; write an IANA name`},
		{"the machine's zone", `{time_zone: Local, windows: [{cron: "0 8 * * *", for: 1h, min: 2}]}`, `time_zone: is "Local"`},
		{"a cron expression of too few fields", `{windows: [{cron: "0 8 *", for: 1h, min: 2}]}`, `windows[0].cron: is "0 8 *", which is no cron expression`},
		{"an hour that is none", `{windows: [{cron: "0 24 * * *", for: 1h, min: 2}]}`, `windows[0].cron: is "0 24 * * *", which is no cron expression`},
		{"a date that never comes", `{windows: [{cron: "0 8 30 2 *", for: 1h, min: 2}]}`, `windows[0].cron: is "0 8 30 2 *", a date that never comes`},
		{"a leap day comes", `{windows: [{cron: "0 8 29 2 *", for: 1h, min: 2}]}`, ""},
		{"a zone in the expression", `{windows: [{cron: "CRON_TZ=UTC 0 8 * * *", for: 1h, min: 2}]}`, "windows[0].cron: has a time zone of its own"},
		{"an impossible date", `{windows: [{from: 2026-02-30 08:00, to: 2026-03-01 08:00, min: 2}]}`, `windows[0].from: is "2026-02-30 08:00", which is no date and time`},
		{"an end before the beginning", `{windows: [{from: 2026-03-01 08:00, to: 2026-03-01 08:00, min: 2}]}`, "windows[0].to: is \"2026-03-01 08:00\", not after from"},
		{"no end", `{windows: [{from: 2026-03-01 08:00, min: 2}]}`, "windows[0]: has from and no to"},
		{"no length", `{windows: [{cron: "0 8 * * *", min: 2}]}`, "windows[0]: has cron and no for"},
		{"no time", `{windows: [{min: 2}]}`, "windows[0]: has none of cron and from"},
		{"no bound", `{windows: [{cron: "0 8 * * *", for: 1h}]}`, "windows[0]: has none of count, min and max"},
		{"a count and a bound", `{windows: [{cron: "0 8 * * *", for: 1h, count: 2, min: 1}]}`, "windows[0].count: is set together with min or max"},
		{"bounds the wrong way round", `{windows: [{cron: "0 8 * * *", for: 1h, min: 3, max: 2}]}`, "windows[0].min: is 3, more than max 2"},
		{"more than the group may have", `{windows: [{cron: "0 8 * * *", for: 1h, min: 10}]}`, "windows[0].min: is 10, outside min 1 to max 9 of the group"},
		{"a window that overlaps itself", `{windows: [{cron: "0 */2 * * *", for: 3h, min: 2}]}`, "windows[0]: overlaps"},
		{"windows that overlap on Mondays", `{windows: [{cron: "0 8 * * 1", for: 2h, min: 2}, {cron: "30 9 * * *", for: 1h, min: 3}]}`, "windows[1]: overlaps groups[0].policies[0].schedule.windows[0]: both are open at 09:30 on Monday, 3 January 2028"},
		{"windows that overlap once a leap year", `{windows: [{cron: "0 8 29 2 *", for: 2h, min: 2}, {cron: "0 9 29 2 *", for: 1h, min: 3}]}`, "windows[1]: overlaps"},
		{"special days that overlap", `{windows: [{from: 2026-03-01 08:00, to: 2026-03-03 08:00, min: 2}, {from: 2026-03-02 08:00, to: 2026-03-04 08:00, min: 3}]}`, "windows[1]: overlaps"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse("shop.yaml", fmt.Appendf(nil, "name: shop\ngroups:\n  - name: web\n    cloud: local\n    max: 9\n    policies:\n      - schedule: %s\n", test.schedule))
			switch {
			case test.want == "" && err != nil:
				t.Errorf("Parse() = %v, want no mistake", err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("Parse() = %v, want %q", err, test.want)
			}
		})
	}
}

// TestSpellsThroughChangesOfTheClock follows windows through the nights in which
// Budapest's clocks are put forward from 2:00 to 3:00 and back from 3:00 to 2:00.
func TestSpellsThroughChangesOfTheClock(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Budapest")
	if err != nil {
		t.Skip("no time zones here: ", err)
	}
	night := Window{Cron: "0 22 * * *", For: Duration(8 * time.Hour)}
	early := Window{Cron: "30 2 * * *", For: Duration(time.Hour)}
	gap := Window{Cron: "10 2 * * *", For: Duration(20 * time.Minute)}
	for _, test := range []struct {
		name     string
		window   Window
		from, to string // in UTC
	}{
		{"a night is 8 hours", night, "2026-03-27T21:00:00Z", "2026-03-28T05:00:00Z"},
		{"the night in spring is 7 hours", night, "2026-03-28T21:00:00Z", "2026-03-29T04:00:00Z"},
		{"the night in autumn is 9 hours", night, "2026-10-24T20:00:00Z", "2026-10-25T05:00:00Z"},
		{"a window that begins in the hour that is left out begins after it", early, "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"},
		{"a window in the hour that comes twice is open the first time", early, "2026-10-25T00:30:00Z", "2026-10-25T02:30:00Z"},
		{"a window that happens once", Window{From: "2026-03-29 01:00", To: "2026-03-29 04:00"}, "2026-03-29T00:00:00Z", "2026-03-29T02:00:00Z"},
	} {
		t.Run(test.name, func(t *testing.T) {
			from, _ := time.Parse(time.RFC3339, test.from)
			to, _ := time.Parse(time.RFC3339, test.to)
			got := map[string]bool{}
			for name, at := range map[string]time.Time{"before": from.Add(-time.Second), "first": from, "last": to.Add(-time.Second), "after": to} {
				_, got[name] = test.window.SpellAt(at, zone)
			}
			want := map[string]bool{"before": false, "first": true, "last": true, "after": false}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("SpellAt() (-want +got):\n%s", diff)
			}
		})
	}
	for at := time.Date(2026, 3, 29, 0, 0, 0, 0, time.UTC); at.Day() == 29; at = at.Add(time.Minute) {
		if s, ok := gap.SpellAt(at, zone); ok {
			t.Errorf("SpellAt(%v) = %v, want none: the clock never shows these times on this day", at, s)
		}
	}
}

// TestInstantsShowTheirTime checks that every reading of a clock comes at an
// instant that shows it, or was left out.
func TestInstantsShowTheirTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"Europe/Budapest", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns", "UTC", "Africa/Casablanca"}).Draw(t, "zone")
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Skip("no time zones here: ", err)
		}
		clock := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 2*366*24*60).Draw(t, "minute")) * time.Minute)
		at := Instant(clock, zone)
		shown := Clock(at, zone)
		if shown.Before(clock) || shown.After(clock) && !Clock(at.Add(-time.Second), zone).Before(clock) {
			t.Fatalf("Instant(%v) in %s = %v, which shows %v", clock, name, at, shown)
		}
		for _, earlier := range []time.Duration{30 * time.Minute, time.Hour} {
			if Clock(at.Add(-earlier), zone).Equal(clock) {
				t.Fatalf("Instant(%v) in %s = %v, and %v earlier the clock showed it too", clock, name, at, earlier)
			}
		}
	})
}
