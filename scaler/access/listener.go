package access

import (
	"net"
	"net/netip"
	"slices"
)

// Listener closes connections from networks that are not allowed before anything of them
// is read, so that they hold no connection of those who are.
func (g *Guard) Listener(l net.Listener) net.Listener { return &listener{l, g} }

type listener struct {
	net.Listener
	guard *Guard
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from := host(conn.RemoteAddr().String())
		if l.guard.mayConnect(from) {
			return conn, nil
		}
		_ = conn.Close() // who is refused need not hear of it
		l.guard.note(Notice{Action: "connect", From: from}, errNetwork)
	}
}

// mayConnect reports whether an address is in a network that is allowed.
func (g *Guard) mayConnect(address string) bool {
	if len(g.options.Networks) == 0 {
		return true
	}
	ip, err := netip.ParseAddr(address)
	ip = ip.Unmap().WithZone("")
	return err == nil && slices.ContainsFunc(g.options.Networks, func(n netip.Prefix) bool { return n.Contains(ip) })
}
