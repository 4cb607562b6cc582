package main

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/scalerd/scalerd/scaler/access"
	"github.com/scalerd/scalerd/scaler/store"
)

// listening hears where the API listens.
type listening chan string

// Write implements io.Writer.
func (l listening) Write(line []byte) (int, error) {
	var said struct {
		Listen string `json:"api_listen"`
		TLS    *bool  `json:"tls"`
	}
	if json.Unmarshal(line, &said) == nil && said.TLS != nil {
		l <- said.Listen
	}
	return len(line), nil
}

// TestNetworksThatAreNotAllowedHoldNoConnection connects and says nothing.
func TestNetworksThatAreNotAllowedHoldNoConnection(t *testing.T) {
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "access.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	at := make(listening, 1)
	log := slog.New(slog.NewJSONHandler(at, nil))
	c := apiConfig{Listen: "127.0.0.1:0", Plain: true, Networks: []string{"10.0.0.0/8"}}
	noted := make(chan access.Notice, 1)
	guard, err := c.guard(t.Context(), db, func(n access.Notice) {
		select {
		case noted <- n:
		default:
		}
	}, log)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := guard.PutUser(t.Context(), "anna", "correct horse battery", access.Admin); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := c.serve(ctx, guard, t.TempDir(), http.NotFoundHandler(), log); err != nil {
			t.Error(err)
		}
	})
	defer serving.Wait()
	defer cancel()
	conn, err := net.Dial("tcp", <-at)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil { // less than the time for headers
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("a connection from 127.0.0.1: %v, want that it is closed before anything is said", err)
	}
	select {
	case n := <-noted:
		if n.Action != "connect" || n.From != "127.0.0.1" || n.Refused == nil {
			t.Errorf("noted %+v, want a connection that was refused", n)
		}
	case <-time.After(5 * time.Second):
		t.Error("nothing is noted")
	}
}
