package scaler

import (
	"fmt"
	"math"
	"time"

	"github.com/scalerd/scalerd/scaler/policy"
)

// CostChange is what a decision does to the cost of a group.
type CostChange struct {
	Cost
	// PerNode is what one node costs an hour, at the group's present settings.
	PerNode float64 `json:"per_node"`
	// Month is what the group cost since the calendar month began (UTC), and Forecast
	// what it will have cost at the month's end if the size stays as decided.
	Month    float64 `json:"month"`
	Forecast float64 `json:"month_forecast"`
	// MaxPerHour and MaxPerMonth are the group's budget; 0 is no bound.
	MaxPerHour  float64 `json:"max_per_hour,omitempty"`
	MaxPerMonth float64 `json:"max_per_month,omitempty"`
}

// HoursPerMonth is how many hours a month has in the mean: 365 days in 12 months.
const HoursPerMonth = 730

// monthOf is the first instant of an instant's calendar month, in UTC.
func monthOf(t time.Time) time.Time {
	t = t.UTC()
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
}

// restOfMonth is how many hours are left of an instant's calendar month.
func restOfMonth(t time.Time) float64 { return monthOf(t).AddDate(0, 1, 0).Sub(t).Hours() }

// manyNodes is more than any group has, and fits an int everywhere.
const manyNodes = math.MaxInt32

// payable is the largest number of nodes at a price that an amount pays for.
func payable(amount, price float64) int {
	if amount <= 0 {
		return 0
	}
	const slack = 1e-9 // 3 * 0.1 is within 0.3
	return int(min(amount/price*(1+slack), manyNodes))
}

// afford lowers the group's max to the largest size that its budget pays for, but
// not below the min of the description. It wins over a schedule's min.
func (d *deciding) afford(least int) {
	c := d.obs.Cost
	if c == nil || c.MaxPerHour <= 0 && c.MaxPerMonth <= 0 {
		return
	}
	if !c.Known {
		d.lower(least, max(d.obs.Wanted, least), "budget", "nothing says what a node costs, so the group does not grow")
		return
	}
	if c.NodePerHour <= 0 {
		return // nodes that cost nothing
	}
	if c.MaxPerHour > 0 {
		d.lower(least, payable(c.MaxPerHour, c.NodePerHour), "budget max_per_hour",
			fmt.Sprintf("each costs %s an hour, and %s is the most", money(c.NodePerHour), money(c.MaxPerHour)+" "+c.Currency))
	}
	if c.MaxPerMonth > 0 {
		rest := restOfMonth(d.obs.Now)
		d.lower(least, payable(c.MaxPerMonth-c.Spent, c.NodePerHour*rest), "budget max_per_month",
			fmt.Sprintf("%s of %s %s are spent, and each costs %s in the %.0f hours that are left of the month",
				money(c.Spent), money(c.MaxPerMonth), c.Currency, money(c.NodePerHour*rest), rest))
	}
}

// lower puts max down to most, as far as least, and says where that is less than a
// schedule asks for, or more than can be paid.
func (d *deciding) lower(least, most int, by, why string) {
	if most < least {
		d.clampedBy("%s: it pays for %d, and the group keeps its min of %d: %s", by, most, least, why)
		most = least
	}
	if most >= d.obs.Max {
		return
	}
	if most < d.obs.Min {
		d.clampedBy("%s: %d wins over %s of %d: %s", by, most, d.minBy, d.obs.Min, why)
		d.obs.Min, d.minBy = most, by
	}
	d.obs.Max, d.maxBy, d.maxWhy = most, by, ": "+why
}

// costs says what the decision to go to size to does to the cost of the group.
func (d *deciding) costs(to int) *CostChange {
	c := d.obs.Cost
	if c == nil || !c.Known {
		return nil
	}
	after := c.NodePerHour * float64(to)
	return &CostChange{
		Cost:    Cost{Before: c.NodePerHour * float64(d.obs.Wanted), After: after, Currency: c.Currency},
		PerNode: c.NodePerHour, Month: c.Spent, Forecast: forecast(*c, after, d.obs.Now),
		MaxPerHour: c.MaxPerHour, MaxPerMonth: c.MaxPerMonth,
	}
}

// forecast is what a group will have cost at the month's end, if it costs so much an
// hour from now on.
func forecast(c policy.Cost, perHour float64, now time.Time) float64 {
	return c.Spent + perHour*restOfMonth(now)
}

// money writes an amount: to the cent, and small ones to four significant digits.
func money(amount float64) string {
	if size := math.Abs(amount); size > 0 && size < 1 {
		return fmt.Sprintf("%.4g", amount)
	}
	return fmt.Sprintf("%.2f", amount)
}
