package spec

import "time"

// TargetQuery is one of several queries of a target, of which the one that needs
// the most nodes wins.
type TargetQuery struct {
	// Query names the query.
	Query string `yaml:"query" jsonschema:"required" jsonschema_description:"Name of the query."`
	// Value is what the query should be, in the query's unit.
	Value float64 `yaml:"value" jsonschema:"required,exclusiveMinimum=0" jsonschema_description:"What the query should be; above 0."`
	// Kind says how the query depends on the number of nodes.
	Kind TargetKind `yaml:"kind" jsonschema:"enum=average,enum=total" jsonschema_description:"average: a mean over nodes. total: a sum over the group, of which value is one node's share. Default average."`
}

// Schedule bounds or sets the size by the time of day and the date. Outside its
// windows it has no opinion, or Otherwise.
type Schedule struct {
	// TimeZone is an IANA name; all times of the schedule are read in it.
	TimeZone string `yaml:"time_zone" jsonschema_description:"IANA name of the zone in which the times are meant, such as Europe/Budapest. Default UTC."`
	// Windows do not overlap.
	Windows []Window `yaml:"windows" jsonschema:"required,minItems=1" jsonschema_description:"When the schedule is in force; windows do not overlap."`
	// Otherwise is in force outside of all windows.
	Otherwise *Bounds `yaml:"otherwise" jsonschema_description:"What is in force outside of all windows; without it the schedule has no opinion then."`
}

// Bounds are what a schedule says about the size: Count alone, or Min, Max or both.
type Bounds struct {
	// Count is an exact size.
	Count *int `yaml:"count" jsonschema:"minimum=0" jsonschema_description:"Exact number of nodes."`
	// Min is the fewest nodes.
	Min *int `yaml:"min" jsonschema:"minimum=0" jsonschema_description:"Fewest nodes."`
	// Max is the most nodes.
	Max *int `yaml:"max" jsonschema:"minimum=0" jsonschema_description:"Most nodes."`
}

// Window is a time in which a schedule is in force: one that returns, given by Cron
// and For, or one that does not, given by From and To.
type Window struct {
	// Cron says when the window begins: minute, hour, day of month, month, day of
	// week.
	Cron string `yaml:"cron,omitempty" jsonschema_description:"When the window begins: minute, hour, day of month, month, day of week; 0 8 * * 1-5 is 8:00 on working days."`
	// For is the length on the clock of the schedule's zone: a window of 8h from 22:00
	// ends at 6:00 also in the night in which clocks change.
	For Duration `yaml:"for,omitempty" jsonschema_description:"How long the window lasts, on the clock: 8h from 22:00 ends at 6:00 also when clocks change in between."`
	// From and To are dates and times of a window that happens once.
	From string `yaml:"from,omitempty" jsonschema_description:"Begin of a window that happens once, as 2006-01-02 15:04."`
	// To is the end, which is not part of the window.
	To string `yaml:"to,omitempty" jsonschema_description:"End of a window that happens once, as 2006-01-02 15:04."`
	// Count, Min and Max are what is in force; see Bounds.
	Count *int `yaml:"count" jsonschema:"minimum=0" jsonschema_description:"Exact number of nodes."`
	// Min is the fewest nodes.
	Min *int `yaml:"min" jsonschema:"minimum=0" jsonschema_description:"Fewest nodes."`
	// Max is the most nodes.
	Max *int `yaml:"max" jsonschema:"minimum=0" jsonschema_description:"Most nodes."`
}

// Bounds are what is in force in the window.
func (w Window) Bounds() Bounds { return Bounds{Count: w.Count, Min: w.Min, Max: w.Max} }

// WindowTime is how From and To of a Window are written.
const WindowTime = "2006-01-02 15:04"

// Deadline finishes a queue of jobs by a time.
type Deadline struct {
	// Jobs names the query of how many jobs are left, those at work included.
	Jobs string `yaml:"jobs" jsonschema:"required" jsonschema_description:"Name of the query of how many jobs are left."`
	// JobTime names the query of the mean time of a job, in seconds.
	JobTime string `yaml:"job_time,omitempty" jsonschema_description:"Name of the query of the mean time of one job, in seconds."`
	// JobTakes is the mean time of a job where no query tells it.
	JobTakes Duration `yaml:"job_takes,omitempty" jsonschema_description:"Mean time of one job, in place of job_time; with it, until job_time has a value."`
	// Slots is how many jobs a node works on at once.
	Slots int `yaml:"slots" jsonschema:"minimum=1" jsonschema_description:"Jobs that a node works on at once. Default 1."`
	// By is when all jobs must be done, in RFC 3339.
	By string `yaml:"by,omitempty" jsonschema_description:"When all jobs must be done, as 2026-12-01T18:00:00Z."`
	// Remaining names a query of the seconds that are left, in place of By.
	Remaining string `yaml:"remaining,omitempty" jsonschema_description:"Name of a query of the seconds that are left, in place of by."`
}

// Activation takes a group from zero nodes and keeps it from going there: while a
// query is above a value the group has nodes.
type Activation struct {
	// Query names the query.
	Query string `yaml:"query" jsonschema:"required" jsonschema_description:"Name of the query."`
	// Above is the value that the query must exceed.
	Above float64 `yaml:"above" jsonschema_description:"The group is active while the query is above this. Default 0."`
	// Nodes is the least size of an active group.
	Nodes int `yaml:"nodes" jsonschema:"minimum=1" jsonschema_description:"Fewest nodes of the group while it is active. Default 1."`
}

// Answer is what a policy does where a query of its has no value.
type Answer string

const (
	// AnswerHold keeps the group from shrinking for as long as hold_for, and proposes
	// the floor from then on.
	AnswerHold Answer = "hold"
	// AnswerFloor proposes the floor at once.
	AnswerFloor Answer = "floor"
	// AnswerAbstain has no opinion.
	AnswerAbstain Answer = "abstain"
	// AnswerZero takes the value for 0.
	AnswerZero Answer = "zero"
)

// Missing says what a policy does where a query of its has no value, by the reason
// for it. A policy without it holds for two hours, then goes to the floor.
type Missing struct {
	// NoSeries: the query answers with nothing, and has done so for a while.
	NoSeries Answer `yaml:"no_series" jsonschema:"enum=hold,enum=floor,enum=abstain,enum=zero" jsonschema_description:"Where the query has no series. Default hold."`
	// NaN: the value is not a number.
	NaN Answer `yaml:"nan" jsonschema:"enum=hold,enum=floor,enum=abstain,enum=zero" jsonschema_description:"Where the value is not a number. Default hold."`
	// Stale: the query had a value lately.
	Stale Answer `yaml:"stale" jsonschema:"enum=hold,enum=floor,enum=abstain,enum=zero" jsonschema_description:"Where the query had a value lately and has none now. Default hold."`
	// Error: the monitoring refuses the query.
	Error Answer `yaml:"error" jsonschema:"enum=hold,enum=floor,enum=abstain,enum=zero" jsonschema_description:"Where the monitoring refuses the query. Default hold."`
	// Unreachable: the monitoring does not answer.
	Unreachable Answer `yaml:"unreachable" jsonschema:"enum=hold,enum=floor,enum=abstain,enum=zero" jsonschema_description:"Where the monitoring does not answer. Default hold."`
	// HoldFor is the longest hold; 0 is forever.
	HoldFor Duration `yaml:"hold_for" jsonschema_description:"Longest hold; after it the policy proposes the floor. 0s is forever. Default 2h."`
	// Floor is the size to go to. Other policies may ask for more.
	Floor *int `yaml:"floor" jsonschema:"minimum=0" jsonschema_description:"Size that is proposed after the hold; other policies may ask for more. Default the group's initial, and never less than the group has."`
}

// DefaultHoldFor is how long a policy without Missing holds.
const DefaultHoldFor = Duration(2 * time.Hour)

// DefaultMissing is what a policy without Missing does.
func DefaultMissing() Missing {
	return Missing{NoSeries: AnswerHold, NaN: AnswerHold, Stale: AnswerHold, Error: AnswerHold, Unreachable: AnswerHold, HoldFor: DefaultHoldFor}
}

// Victims says which nodes go when a group shrinks.
type Victims struct {
	// Order is by which the nodes go.
	Order VictimOrder `yaml:"order" jsonschema:"enum=newest,enum=oldest,enum=least_busy,enum=zone_balance,enum=price" jsonschema_description:"newest, oldest, least_busy by query, zone_balance: from the zone with the most nodes, or price: the dearest first. Default newest."`
	// Query is how busy each node is: a series for each, with the label node.
	Query string `yaml:"query,omitempty" jsonschema_description:"Name of a query with a series for each node, by its label node: how busy it is. For least_busy."`
	// Protected are nodes that never go.
	Protected []string `yaml:"protected,omitempty" jsonschema_description:"Names of nodes that never go, such as web-0007."`
}

// VictimOrder says which nodes go first.
type VictimOrder string

const (
	// VictimsNewest go from the newest node on.
	VictimsNewest VictimOrder = "newest"
	// VictimsOldest go from the oldest node on.
	VictimsOldest VictimOrder = "oldest"
	// VictimsLeastBusy go from the node with the least value of a query on.
	VictimsLeastBusy VictimOrder = "least_busy"
	// VictimsZoneBalance go from the zone with the most nodes, the newest first.
	VictimsZoneBalance VictimOrder = "zone_balance"
	// VictimsPrice go from the dearest node on, the newest first.
	VictimsPrice VictimOrder = "price"
)
