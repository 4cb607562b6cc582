package outbound

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

// dialTimeout bounds one connection.
const dialTimeout = 10 * time.Second

// proxied marks the context of a request that goes to a proxy.
type proxied struct{}

// Dial connects, as a net.Dialer, to where the policy lets it. What is checked is the
// address that is connected to, after the name was looked up: a name that leads
// elsewhere the second time gains nothing.
func (p *Policy) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return p.dial(ctx, network, address, func(host string, ip netip.Addr) error {
		if err := p.Host(host, true); err != nil {
			return err
		}
		return p.leads(host, ip)
	})
}

// DialNode connects to any address that is not guarded: that of a node is its cloud's
// word, and no description's.
func (p *Policy) DialNode(ctx context.Context, network, address string) (net.Conn, error) {
	return p.dial(ctx, network, address, func(_ string, ip netip.Addr) error { return p.guard(ip) })
}

// dial connects to the addresses that check lets through.
func (p *Policy) dial(ctx context.Context, network, address string, check func(host string, ip netip.Addr) error) (net.Conn, error) {
	d := net.Dialer{Timeout: dialTimeout, Resolver: p.resolver}
	if ctx.Value(proxied{}) == nil {
		d.Control = func(_, resolved string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(resolved)
			if err != nil {
				return err
			}
			return check(bare(address), at.Addr())
		}
	}
	return d.DialContext(ctx, network, address)
}

// Client follows redirects as the policy lets it. The proxy of the environment is
// obeyed, and is the admin's word.
func (p *Policy) Client() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DialContext = p.Dial
	return &http.Client{Transport: p.Transport(transport)}
}

// Transport checks each request, those of redirects too, before the next one makes it,
// whose connections have to be made by Dial.
func (p *Policy) Transport(next http.RoundTripper) http.RoundTripper {
	return &transport{policy: p, next: next, proxy: http.ProxyFromEnvironment}
}

type transport struct {
	policy *Policy
	next   http.RoundTripper
	proxy  func(*http.Request) (*url.URL, error)
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	proxy, err := t.proxy(r)
	if err != nil {
		return nil, err
	}
	// A proxy looks the name up by itself.
	if err := t.policy.Host(r.URL.Host, proxy == nil); err != nil {
		return nil, err
	}
	if proxy != nil {
		r = r.WithContext(context.WithValue(r.Context(), proxied{}, true))
	}
	return t.next.RoundTrip(r)
}

// CloseIdleConnections serves http.Client.
func (t *transport) CloseIdleConnections() {
	if next, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		next.CloseIdleConnections()
	}
}
