package optimizer

type ensemble struct{}

func (e *ensemble) logError(row, int, *scratch) float64 { return 0 }
