package terraform

// AroundMoves puts something around each change that a move of a state makes.
func (r *Runner) AroundMoves(around func(change string, do func() error) error) {
	r.around = func(c moveChange, do func() error) error { return around(string(c), do) }
}
