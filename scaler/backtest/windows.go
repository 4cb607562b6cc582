package backtest

import (
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/scalerd/scalerd/scaler/trace"
)

const day = 24 * time.Hour

// Window is a part of a recorded trace.
type Window struct {
	Name string
	// File is the trace's, relative to the folder of traces.
	File string
	// From and To count from the trace's first sample; To 0 is its end.
	From, To time.Duration
	// Smooth is over how much time rates are averaged first; 0 is not at all.
	Smooth time.Duration
	// Diurnal is set where the load follows the time of day, and its noise leaves a
	// forecast something to go by. The figures of these are averaged.
	Diurnal bool
}

// Windows are those that the project's decisions are measured on. The NASA server
// had so few requests that scaling them up multiplies their counting noise, so its
// windows come twice: smoothed over 5 minutes, which leaves waves of some 5 % that come
// and go within a few boots, so that even with a perfect forecast 1 % of the time over
// the limit costs 17 % more than the clairvoyant; and over 15.
func Windows() []Window {
	const wc98, nasa = "worldcup98.csv.gz", "nasa95_jul.csv.gz"
	return []Window{
		{Name: "wc98-a", File: wc98, From: 45 * day, To: 48 * day, Diurnal: true},
		{Name: "wc98-b", File: wc98, From: 57 * day, To: 60 * day, Diurnal: true},
		{Name: "nasa-a", File: nasa, From: 3 * day, To: 7 * day, Smooth: 5 * time.Minute},
		{Name: "nasa-b", File: nasa, From: 17 * day, To: 21 * day, Smooth: 5 * time.Minute},
		{Name: "nasa-a-15m", File: nasa, From: 3 * day, To: 7 * day, Smooth: 15 * time.Minute, Diurnal: true},
		{Name: "nasa-b-15m", File: nasa, From: 17 * day, To: 21 * day, Smooth: 15 * time.Minute, Diurnal: true},
		{Name: "alibaba", File: "alibaba_ms_6d9c26b9.csv"},
		{Name: "elb", File: "aws_elb_nab_5min.csv", From: 2 * day, To: 6 * day},
	}
}

// Read reads the window from the folder of traces. The error is fs.ErrNotExist
// where that has no such file.
func (w Window) Read(folder string) (trace.Trace, error) {
	path := filepath.Join(folder, w.File)
	t, err := trace.Read(path)
	if err != nil {
		return trace.Trace{}, err
	}
	if t, err = t.Window(w.From, w.To); err != nil {
		return trace.Trace{}, fmt.Errorf("trace %s: %w", path, err)
	}
	if w.Smooth > 0 {
		t = t.Smooth(w.Smooth)
	}
	return t, nil
}

// ParseSpan reads the two ends of a part of a trace, such as 45d-48d, 6h-18h30m or
// 2d- for all from there on.
func ParseSpan(text string) (from, to time.Duration, err error) {
	a, b, ok := strings.Cut(text, "-")
	if ok {
		from, err = parseTime(a)
		if err == nil && b != "" {
			to, err = parseTime(b)
		}
	}
	if !ok || err != nil || from < 0 || b != "" && to <= from {
		return 0, 0, fmt.Errorf("window %q: write the two ends from the start of the trace, such as 45d-48d, 6h-18h30m or 2d-", text)
	}
	return from, to, nil
}

// parseTime is a duration as Go writes it, or a number of days with a d.
func parseTime(text string) (time.Duration, error) {
	days, ok := strings.CutSuffix(text, "d")
	if !ok {
		return time.ParseDuration(text)
	}
	v, err := strconv.ParseFloat(days, 64)
	if err != nil || math.IsNaN(v) || math.Abs(v) > 1e5 {
		return 0, fmt.Errorf("%q is no number of days", text)
	}
	return time.Duration(v * float64(day)), nil
}

// ParseInstant reads an instant: 2026-01-05T10:00:00Z, or a time before now such as
// -7d or -6h; "" is now.
func ParseInstant(text string, now time.Time) (time.Time, error) {
	if ago, ok := strings.CutPrefix(text, "-"); ok {
		if d, err := parseTime(ago); err == nil && d >= 0 {
			return now.Add(-d), nil
		}
	}
	if text == "" {
		return now, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("instant %q: write 2026-01-05T10:00:00Z, or a time before now such as -7d or -6h", text)
	}
	return at, nil
}
