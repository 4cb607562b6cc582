package local

import (
	"net"
	"sync/atomic"
)

const (
	// segmentBytes is how much of a stream fits into one packet: an Ethernet
	// frame of 1500 bytes less the IP and TCP headers with time stamps.
	segmentBytes = 1448
	// headerBytes is what a packet adds to that: Ethernet, IP and TCP.
	headerBytes = 66
)

// traffic counts what went over a node's connections: the bytes as they were
// really read and written, and the packets that a network would have used for
// them. It is safe for concurrent use.
type traffic struct {
	received, sent flow
}

type flow struct {
	payload, packets atomic.Int64
}

func (f *flow) add(n int) {
	if n > 0 {
		f.payload.Add(int64(n))
		f.packets.Add(int64((n + segmentBytes - 1) / segmentBytes))
	}
}

// bytes is the payload with the headers of its packets.
func (f *flow) bytes() int64 { return f.payload.Load() + headerBytes*f.packets.Load() }

type countingListener struct {
	net.Listener
	traffic *traffic
}

// Accept counts the traffic of the connection that it returns.
func (l countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &countingConn{conn, l.traffic}, nil
}

type countingConn struct {
	net.Conn
	traffic *traffic
}

// Read counts what it read.
func (c *countingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.traffic.received.add(n)
	return n, err
}

// Write counts what it wrote.
func (c *countingConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.traffic.sent.add(n)
	return n, err
}
