package api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/danielgtaylor/huma/v2"
)

// wholeBody reads the body of who may send one, before anything is made of it. What is
// cut off or is no HTTP is the client's mistake, which huma takes for the server's.
func wholeBody(api huma.API) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		most := ctx.Operation().MaxBodyBytes
		if ctx.Operation().RequestBody == nil || most <= 0 {
			next(ctx)
			return
		}
		text, err := io.ReadAll(io.LimitReader(ctx.BodyReader(), most))
		refuse := func(status int, message string) {
			// What was refused already can't be refused better.
			_ = huma.WriteErr(api, ctx, status, message)
		}
		switch {
		case int64(len(text)) >= most:
			refuse(http.StatusRequestEntityTooLarge, fmt.Sprintf("the body has to be smaller than %d bytes", most))
		case errors.Is(err, os.ErrDeadlineExceeded):
			refuse(http.StatusRequestTimeout, "the body did not come in time")
		case err != nil:
			refuse(http.StatusBadRequest, "the body can't be read: "+err.Error())
		default:
			next(&withBody{ctx, bytes.NewReader(text)})
		}
	}
}

// humaContext has another name than its method Context.
type humaContext = huma.Context

// withBody is a request whose body was read.
type withBody struct {
	humaContext
	text io.Reader
}

// BodyReader implements huma.Context.
func (c *withBody) BodyReader() io.Reader { return c.text }
