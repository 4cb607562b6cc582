package monitor

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
)

// TestEmbeddedScrapesThroughItsDialer has a dialer that refuses: nothing else may connect.
func TestEmbeddedScrapesThroughItsDialer(t *testing.T) {
	var asked atomic.Int32
	refused := errors.New("refused")
	e, err := OpenEmbedded(t.TempDir(), EmbeddedOptions{Dial: func(context.Context, string, string) (net.Conn, error) {
		asked.Add(1)
		return nil, refused
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	a := e.Application("shop", interval)
	page := newPage(t, "cpu_ratio 1\n")
	watch(t, a, page.target(nil))
	awaitValue(t, a, "sum(up)", equals(0))
	if asked.Load() == 0 {
		t.Error("the dialer was not asked")
	}
}
