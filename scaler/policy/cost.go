package policy

// Cost is what a group's nodes cost, and what they may.
type Cost struct {
	// NodePerHour is what one more node costs an hour. It means nothing unless Known is
	// set.
	NodePerHour float64
	Known       bool
	Currency    string
	// PerHour is what the nodes that exist cost an hour, together.
	PerHour float64
	// Spent is what the group's nodes cost since the calendar month began, in UTC.
	Spent float64
	// MaxPerHour and MaxPerMonth are the group's budget; 0 is no bound.
	MaxPerHour, MaxPerMonth float64
}
