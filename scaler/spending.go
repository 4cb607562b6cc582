package scaler

import (
	"fmt"
	"time"

	"github.com/scalerd/scalerd/scaler/policy"
	"github.com/scalerd/scalerd/tfgen/price"
	"github.com/scalerd/scalerd/tfgen/spec"
	"github.com/scalerd/scalerd/tfgen/strictyaml"
)

// Spending is the account of a group: what its nodes cost in the calendar month of
// UTC that At lies in. Since At the nodes are the same, so that it needs writing only
// when they change, and loses nothing while the daemon is down: nodes cost on.
type Spending struct {
	At time.Time `json:"at,omitzero"`
	// Nodes exist since At, and cost PerHour together.
	Nodes    int     `json:"nodes,omitempty"`
	PerHour  float64 `json:"per_hour,omitempty"`
	Currency string  `json:"currency,omitempty"`
	// Cost and NodeHours are those of the month until At.
	Cost      float64 `json:"cost,omitempty"`
	NodeHours float64 `json:"node_hours,omitempty"`
}

// until is the account settled at an instant. One before At, as after the clock was
// set back, changes nothing.
func (s Spending) until(now time.Time) Spending {
	if s.At.IsZero() {
		s.At = now
	}
	if now.Before(s.At) {
		return s
	}
	from := s.At
	if month := monthOf(now); from.Before(month) {
		from, s.Cost, s.NodeHours = month, 0, 0
	}
	hours := now.Sub(from).Hours()
	s.Cost += s.PerHour * hours
	s.NodeHours += float64(s.Nodes) * hours
	s.At = now
	return s
}

// with is the account from now on with other nodes; one with the same is left as it
// is. Amounts of another currency can't be added, so the month's node-hours are
// charged anew then, at the price of a node.
func (s Spending) with(now time.Time, nodes int, perHour float64, node price.Price) Spending {
	if s.Nodes == nodes && s.PerHour == perHour && s.Currency == node.Currency && !s.At.IsZero() && !s.At.Before(monthOf(now)) {
		return s
	}
	s = s.until(now)
	if s.Currency != node.Currency {
		s.Cost = s.NodeHours * node.PerHour
	}
	s.Nodes, s.PerHour, s.Currency = nodes, perHour, node.Currency
	return s
}

// NodePrice is what a node of the group costs: what the group, or the offering that it
// prefers, says, else what the list says. It is false where neither does. The list may be nil.
func NodePrice(list *price.List, g *spec.Group) (price.Price, bool) {
	if len(g.Offerings) > 0 {
		if o := g.Offerings[0]; o.PricePerHour > 0 {
			return ownPrice(list, g, o.PricePerHour), true
		} else if g.PricePerHour == nil {
			return list.Node(g.With(o))
		}
	}
	if g.PricePerHour == nil {
		return list.Node(g)
	}
	return ownPrice(list, g, *g.PricePerHour), true
}

// ownPrice is a price of the description, in the currency of the budget or the list.
func ownPrice(list *price.List, g *spec.Group, perHour float64) price.Price {
	p := price.Price{PerHour: perHour, Currency: "USD"}
	if list != nil {
		p.Currency = list.Currency
	}
	if g.Budget != nil && g.Budget.Currency != "" {
		p.Currency = g.Budget.Currency
	}
	return p
}

// priceOf is what a node costs by the settings that it was created with: those of an
// older description may be another offering. Otherwise it costs what the group's do.
func priceOf(list *price.List, g *spec.Group, n FleetNode, usual price.Price) price.Price {
	for _, o := range g.Offerings {
		if o.Name == n.Offered && o.PricePerHour > 0 {
			return ownPrice(list, g, o.PricePerHour)
		}
	}
	if n.Offering.Name == "" || n.Offering == price.Of(g) {
		return usual
	}
	if own, known := list.Offering(n.Offering); known && (own.Currency == usual.Currency || usual.Currency == "") {
		return own
	}
	return usual
}

// cost brings the group's account up to date, and says what the nodes cost. It is nil
// where nothing says what a node costs and no budget asks for it.
func (g *group) cost(now time.Time) *policy.Cost {
	node, known := NodePrice(g.prices, g.spec)
	b := g.spec.Budget
	if !known && !b.Bounds() {
		return nil
	}
	c := &policy.Cost{NodePerHour: node.PerHour, Known: known, Currency: node.Currency}
	if b != nil {
		c.MaxPerHour, c.MaxPerMonth = b.MaxPerHour, b.MaxPerMonth
	}
	if !known {
		return c
	}
	fleet := g.actuator.Fleet()
	account := g.row.Remembered.Spending
	nodes, perHour := account.Nodes, account.PerHour // as before, where they are unknown
	if fleet.Unknown == "" {
		nodes, perHour = 0, 0
		for _, n := range fleet.Nodes {
			if n.Presence != Creating {
				nodes++
				perHour += priceOf(g.prices, g.spec, n, node).PerHour
			}
		}
	}
	g.account = account.with(now, nodes, perHour, node)
	c.PerHour, c.Spent = perHour, g.account.until(now).Cost
	return c
}

// GroupCost is what a group costs.
type GroupCost struct {
	Currency string `json:"currency"`
	// PerNode is what one node costs an hour, PerHour what all that exist do.
	PerNode float64 `json:"per_node"`
	PerHour float64 `json:"per_hour"`
	// Month is the cost since the calendar month began (UTC), and Forecast what it will
	// be at the month's end with the size that is wanted now.
	Month    float64 `json:"month"`
	Forecast float64 `json:"month_forecast"`
	// MaxPerHour and MaxPerMonth are the budget; 0 is no bound.
	MaxPerHour  float64 `json:"max_per_hour,omitempty"`
	MaxPerMonth float64 `json:"max_per_month,omitempty"`
}

// costStatus is what the group cost at the last tick.
func (g *group) costStatus() *GroupCost {
	if g.seen == nil || g.seen.Cost == nil || !g.seen.Cost.Known {
		return nil
	}
	c := *g.seen.Cost
	return &GroupCost{
		Currency: c.Currency, PerNode: c.NodePerHour, PerHour: c.PerHour, Month: c.Spent,
		Forecast:   forecast(c, c.NodePerHour*float64(g.row.Wanted), g.seen.Now),
		MaxPerHour: c.MaxPerHour, MaxPerMonth: c.MaxPerMonth,
	}
}

// CheckPrices finds the budgets that nothing can be told about with a price list,
// which may be nil, and those that do not pay for their group's min.
func CheckPrices(list *price.List) spec.Check {
	return func(app *spec.Application, doc *strictyaml.Document) strictyaml.Mistakes {
		var mistakes strictyaml.Mistakes
		for i := range app.Groups {
			g, path := &app.Groups[i], fmt.Sprintf("groups[%d].budget", i)
			if !g.Budget.Bounds() || doc.Wrong(path) {
				continue
			}
			if what, fix := wrongBudget(list, g); what != "" {
				mistakes = append(mistakes, doc.Mistake(path, what, fix))
			}
		}
		return mistakes
	}
}

// shortestMonth is how many hours February has.
const shortestMonth = 28 * 24

func wrongBudget(list *price.List, g *spec.Group) (what, fix string) {
	b := g.Budget
	node, known := NodePrice(list, g)
	least := node.PerHour * float64(g.Min)
	switch {
	case !known:
		return "needs the price of a node, and nothing says it" + offeringText(g), "write price_per_hour in the group, or give scalerd a price list that has it with --prices"
	case b.Currency != "" && b.Currency != node.Currency:
		return fmt.Sprintf("is in %s, and the price list in %s", b.Currency, node.Currency), "write both in one currency"
	case b.MaxPerHour > 0 && payable(b.MaxPerHour, node.PerHour) < g.Min:
		return fmt.Sprintf("pays for %s %s an hour, and min %d nodes cost %s", money(b.MaxPerHour), node.Currency, g.Min, money(least)), "raise max_per_hour or lower min"
	case b.MaxPerHour > 0 && payable(b.MaxPerHour, node.PerHour) < g.Initial:
		return fmt.Sprintf("pays for %s %s an hour, and initial %d nodes cost %s", money(b.MaxPerHour), node.Currency, g.Initial, money(node.PerHour*float64(g.Initial))), "raise max_per_hour or lower initial"
	case b.MaxPerMonth > 0 && payable(b.MaxPerMonth, node.PerHour*shortestMonth) < g.Min:
		return fmt.Sprintf("pays for %s %s a month, and min %d nodes cost %s in the shortest", money(b.MaxPerMonth), node.Currency, g.Min, money(least*shortestMonth)), "raise max_per_month or lower min"
	}
	return "", ""
}

func offeringText(g *spec.Group) string {
	o := price.Of(g)
	if o.Name == "" {
		return ""
	}
	text := fmt.Sprintf(" (%s %s", o.Cloud, o.Name)
	if o.Region != "" {
		text += " in " + o.Region
	}
	return text + ")"
}

// pricesByNode are the prices of the nodes an hour, as far as they are known.
func (g *group) pricesByNode() map[string]float64 {
	usual, known := NodePrice(g.prices, g.spec)
	if !known && g.prices == nil {
		return nil
	}
	prices := map[string]float64{}
	for _, n := range g.actuator.Fleet().Nodes {
		prices[n.Name] = priceOf(g.prices, g.spec, n, usual).PerHour
	}
	return prices
}
