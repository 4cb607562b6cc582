package api

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// NewServerWithin is NewServer where every limit of time is the given one.
func NewServerWithin(limit time.Duration, handler http.Handler, connected func(context.Context, net.Conn) context.Context) *http.Server {
	return newServer(handler, slog.New(slog.DiscardHandler), connected, limits{limit, limit, limit, limit})
}
