package spec

import (
	"fmt"
	"strings"
)

// Budget bounds what the nodes of a group cost. A group is kept at the largest size
// that it can pay, and never below its min.
type Budget struct {
	// MaxPerHour is the most that all nodes together may cost an hour.
	MaxPerHour float64 `yaml:"max_per_hour,omitempty" jsonschema:"exclusiveMinimum=0" jsonschema_description:"Most that all nodes of the group together cost an hour."`
	// MaxPerMonth is the most that they may cost in a calendar month, in UTC.
	MaxPerMonth float64 `yaml:"max_per_month,omitempty" jsonschema:"exclusiveMinimum=0" jsonschema_description:"Most that they cost in a calendar month (UTC): what was spent and what the rest of the month costs at the present size stay within it."`
	// Currency is what both are in, and the group's price_per_hour.
	Currency string `yaml:"currency,omitempty" jsonschema_description:"Currency of the budget and of price_per_hour. Default that of scalerd's price list, else USD."`
}

// Bounds reports whether the budget is one: without it, or with neither bound, a group
// may cost what it will.
func (b *Budget) Bounds() bool { return b != nil && (b.MaxPerHour > 0 || b.MaxPerMonth > 0) }

// budget checks what the group's nodes cost and may cost. Whether a price is known at
// all depends on the price list, which this package does not have.
func (c *checker) budget(g *Group, path string) {
	amount := func(path string, value float64) {
		if c.fine(path) && value <= 0 {
			c.mistake(path, fmt.Sprintf("is %v", value), "write an amount above 0")
		}
	}
	if g.PricePerHour != nil {
		amount(path+".price_per_hour", *g.PricePerHour)
	}
	b := g.Budget
	if b == nil {
		return
	}
	path += ".budget"
	amount(path+".max_per_hour", b.MaxPerHour)
	amount(path+".max_per_month", b.MaxPerMonth)
	if !c.doc.Has(path+".max_per_hour") && !c.doc.Has(path+".max_per_month") && !c.doc.Wrong(path) {
		c.mistake(path, "has neither max_per_hour nor max_per_month", "add one of them, or both")
	}
	if c.fine(path+".currency") && strings.TrimSpace(b.Currency) == "" {
		c.mistake(path+".currency", "is empty", "write a currency such as USD, or leave it out")
	}
}
