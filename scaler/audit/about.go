package audit

import "context"

// About is what the request of the context is about, as far as that was said.
func About(ctx context.Context) Request {
	if about, ok := ctx.Value(requestKey{}).(*Request); ok {
		return *about
	}
	return Request{}
}
