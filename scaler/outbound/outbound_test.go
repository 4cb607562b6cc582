package outbound

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/miekg/dns"
	"pgregory.net/rapid"
)

func parse(t *testing.T, allowed ...string) *Policy {
	t.Helper()
	p, err := Parse(allowed)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestHostsAsTheyAreNamed(t *testing.T) {
	for _, tt := range []struct {
		host    string
		allowed []string
		dialled bool
		refused bool
	}{
		{host: "prometheus.internal:9090", dialled: true},
		{host: "127.0.0.1:9090", dialled: true},
		{host: "[::1]:9090", dialled: true},
		{host: "localhost", dialled: true},
		{host: "192.168.1.1", dialled: true},
		{host: "8.8.8.8", dialled: true},
		{host: "169.254.169.254", dialled: true, refused: true},
		{host: "169.254.169.254:80", dialled: true, refused: true},
		{host: "[fe80::1]:80", dialled: true, refused: true},
		{host: "[fe80::1%eth0]:80", dialled: true, refused: true},
		{host: "[fd00:ec2::254]", dialled: true, refused: true},
		{host: "[::ffff:169.254.169.254]:80", dialled: true, refused: true},
		{host: "[::ffff:a9fe:a9fe]", dialled: true, refused: true},
		{host: "[::169.254.169.254]", dialled: true, refused: true},
		{host: "[64:ff9b::a9fe:a9fe]", dialled: true, refused: true},
		{host: "[2002:a9fe:a9fe::1]", dialled: true, refused: true},
		{host: "2852039166", dialled: true, refused: true},
		{host: "0xa9fea9fe", dialled: true, refused: true},
		{host: "0251.0376.0251.0376", dialled: true, refused: true},
		{host: "169.254.43518", dialled: true, refused: true},
		{host: "metadata.google.internal", dialled: true, refused: true},
		{host: "METADATA.google.internal.:80", dialled: true, refused: true},
		{host: "100.100.100.200", dialled: true, refused: true},
		{host: "168.63.129.16", dialled: true, refused: true},
		{host: "255.255.255.255", dialled: true, refused: true},
		{host: "224.0.0.1", dialled: true, refused: true},
		{host: "１６９.２５４.１６９.２５４", dialled: true, refused: true},
		{host: "ｍetadata.google.internal:80", refused: true},
		{host: "169。254。169。254", refused: true},
		{host: "bücher.example", dialled: true, refused: true},
		{host: "xn--bcher-kva.example", dialled: true},
		{host: "a@169.254.169.254", refused: true},
		{host: `evil.example\`, refused: true},
		{host: "some_host", dialled: true},

		{host: "169.254.169.254", allowed: []string{"169.254.169.254"}, dialled: true},
		{host: "169.254.169.253", allowed: []string{"169.254.169.254"}, dialled: true, refused: true},
		{host: "169.254.1.1", allowed: []string{"169.254.0.0/16"}, dialled: true},
		{host: "169.254.169.254", allowed: []string{"0.0.0.0/0"}, dialled: true, refused: true}, // all of IPv4 is no wish for metadata
		{host: "10.1.2.3", allowed: []string{"10.0.0.0/8"}, dialled: true},
		{host: "[::ffff:10.1.2.3]", allowed: []string{"10.0.0.0/8"}, dialled: true},
		{host: "11.1.2.3", allowed: []string{"10.0.0.0/8"}, dialled: true, refused: true},
		{host: "127.0.0.1", allowed: []string{"10.0.0.0/8"}, dialled: true, refused: true},
		{host: "0.0.0.0", allowed: []string{"10.0.0.0/8"}, dialled: true, refused: true},
		{host: "prometheus.internal", allowed: []string{"Prometheus.Internal."}, dialled: true},
		{host: "prometheus.internal", allowed: []string{"prometheus.internal"}},
		{host: "evil.prometheus.internal", allowed: []string{"prometheus.internal"}, dialled: true, refused: true},
		{host: "other.internal", allowed: []string{"10.0.0.0/8"}, dialled: true}, // it may lead there
		{host: "other.internal", allowed: []string{"10.0.0.0/8"}, refused: true}, // nobody would check that
	} {
		err := parse(t, tt.allowed...).Host(tt.host, tt.dialled)
		if (err != nil) != tt.refused || err != nil && !errors.Is(err, ErrRefused) {
			t.Errorf("Host(%s, dialled %v) with %v = %v, want refused %v", tt.host, tt.dialled, tt.allowed, err, tt.refused)
		}
	}
}

func TestWhatIsNoHostIsAMistake(t *testing.T) {
	for _, text := range []string{"", "http://prometheus", "prometheus:9090", "10.0.0.0/33", "*.internal", "a b", "user@host"} {
		if _, err := Parse([]string{text}); err == nil || !strings.Contains(err.Error(), "is no host") {
			t.Errorf("Parse(%q) = %v, want a mistake", text, err)
		}
	}
}

// TestNoSpellingOfAGuardedAddressGetsThrough writes link-local addresses in every way that
// has a meaning.
func TestNoSpellingOfAGuardedAddressGetsThrough(t *testing.T) {
	open, wide := parse(t), parse(t, "0.0.0.0/0", "::/0", "example.com")
	rapid.Check(t, func(t *rapid.T) {
		b := [4]byte{169, 254, rapid.Byte().Draw(t, "b"), rapid.Byte().Draw(t, "b")}
		v4 := netip.AddrFrom4(b)
		for _, ip := range []netip.Addr{
			v4, netip.AddrFrom16(v4.As16()),
			netip.AddrFrom16([16]byte{0, 0x64, 0xff, 0x9b, 12: b[0], b[1], b[2], b[3]}),
			netip.AddrFrom16([16]byte{0x20, 0x02, b[0], b[1], b[2], b[3], 15: 1}),
			netip.AddrFrom16([16]byte{12: b[0], b[1], b[2], b[3]}),
		} {
			for _, p := range []*Policy{open, wide} {
				if p.address(ip) == nil || p.guard(ip) == nil || p.leads("example.com", ip) == nil {
					t.Fatalf("%s is let through", ip)
				}
			}
		}
	})
}

// rebinding is a name server that answers with the next address each time a name is
// asked for; the last one stays.
func rebinding(t *testing.T, answers map[string][]string) (*net.Resolver, map[string]*atomic.Int32) {
	t.Helper()
	l, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	asked := map[string]*atomic.Int32{}
	for name := range answers {
		asked[name] = &atomic.Int32{}
	}
	server := &dns.Server{PacketConn: l, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		answer, name := new(dns.Msg).SetReply(q), q.Question[0].Name
		if list := answers[name]; len(list) > 0 && q.Question[0].Qtype == dns.TypeA {
			n := min(int(asked[name].Add(1)), len(list))
			answer.Answer = append(answer.Answer, &dns.A{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeA, Class: dns.ClassINET}, A: net.ParseIP(list[n-1])})
		}
		_ = w.WriteMsg(answer)
	})}
	ended := make(chan error, 1)
	go func() { ended <- server.ActivateAndServe() }()
	t.Cleanup(func() {
		l.Close()
		if err := <-ended; err != nil && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", l.LocalAddr().String())
	}
	return &net.Resolver{PreferGo: true, Dial: dial}, asked
}

// TestARequestGoesNowhereElse makes requests to a server that is reached, and to what it
// and the name server lead to.
func TestARequestGoesNowhereElse(t *testing.T) {
	var lead atomic.Pointer[string]
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if to := lead.Load(); to != nil && r.URL.Path == "/lead" {
			http.Redirect(w, r, *to, http.StatusTemporaryRedirect)
			return
		}
		fmt.Fprint(w, "reached")
	}))
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	at := func(host, path string) string { return "http://" + net.JoinHostPort(host, port) + path }
	for _, tt := range []struct {
		name    string
		allowed []string
		answers []string // of rebind.example
		url     string
		lead    string // where the server leads
		refused string // what the error says; empty: it is reached
	}{
		{name: "the server itself", url: at("127.0.0.1", "/")},
		{name: "a name of it", answers: []string{"127.0.0.1"}, url: at("rebind.example", "/")},
		{name: "a redirect to itself", url: at("127.0.0.1", "/lead"), lead: "/there"},
		{name: "metadata", url: "http://169.254.169.254/latest/meta-data/", refused: "for one machine alone"},
		{name: "a name that leads to metadata", answers: []string{"169.254.169.254"}, url: at("rebind.example", "/"), refused: "for one machine alone"},
		{name: "a redirect to metadata", url: at("127.0.0.1", "/lead"), lead: "http://169.254.169.254/latest/meta-data/", refused: "for one machine alone"},
		{name: "a redirect to a name of metadata", url: at("127.0.0.1", "/lead"), lead: "http://metadata.google.internal/", refused: "credentials"},
		{name: "a redirect to a name that leads to metadata", answers: []string{"169.254.169.254"}, url: at("127.0.0.1", "/lead"), lead: "http://rebind.example/", refused: "for one machine alone"},
		{name: "a redirect to an address in IPv6", url: at("127.0.0.1", "/lead"), lead: "http://[::ffff:169.254.169.254]/", refused: "for one machine alone"},
		{name: "what is allowed", allowed: []string{"127.0.0.0/8"}, url: at("127.0.0.1", "/")},
		{name: "a name that leads to what is allowed", allowed: []string{"127.0.0.0/8"}, answers: []string{"127.0.0.1"}, url: at("rebind.example", "/")},
		{name: "an allowed name", allowed: []string{"rebind.example"}, answers: []string{"127.0.0.1"}, url: at("rebind.example", "/")},
		{name: "an allowed name that leads to metadata", allowed: []string{"rebind.example"}, answers: []string{"169.254.169.254"}, url: at("rebind.example", "/"), refused: "for one machine alone"},
		{name: "loopback where it is not allowed", allowed: []string{"10.0.0.0/8"}, url: at("127.0.0.1", "/"), refused: "not among the addresses"},
		{name: "a name that leads to loopback where it is not allowed", allowed: []string{"10.0.0.0/8"}, answers: []string{"127.0.0.1"}, url: at("rebind.example", "/"), refused: "not among the addresses"},
		{name: "a redirect from what is allowed to what is not", allowed: []string{"127.0.0.1"}, url: at("127.0.0.1", "/lead"), lead: at("127.0.0.2", "/"), refused: "not among the addresses"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := parse(t, tt.allowed...)
			p.resolver, _ = rebinding(t, map[string][]string{"rebind.example.": tt.answers})
			lead.Store(&tt.lead)
			client := p.Client()
			t.Cleanup(client.CloseIdleConnections)
			res, err := client.Get(tt.url)
			if tt.refused != "" {
				if err == nil {
					res.Body.Close()
				}
				if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), tt.refused) {
					t.Errorf("Get(%s) = %v, want a refusal: %s", tt.url, err, tt.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if body, err := io.ReadAll(res.Body); err != nil || string(body) != "reached" {
				t.Errorf("Get(%s) = %s, %v, want to reach the server", tt.url, body, err)
			}
		})
	}
}

// TestANameThatLeadsElsewhereTheSecondTime is a rebinding: the address that was checked has
// to be the one that is connected to.
func TestANameThatLeadsElsewhereTheSecondTime(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "reached") }))
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	p := parse(t)
	var asked map[string]*atomic.Int32
	p.resolver, asked = rebinding(t, map[string][]string{"rebind.example.": {"127.0.0.1", "169.254.169.254"}})
	client := p.Client()
	get := func() error {
		res, err := client.Get("http://rebind.example:" + port + "/")
		if err == nil {
			res.Body.Close()
		}
		client.CloseIdleConnections()
		return err
	}
	if err := get(); err != nil {
		t.Fatalf("the first time = %v, want to reach the server", err)
	}
	if n := asked["rebind.example."].Load(); n != 1 {
		t.Errorf("the name was looked up %d times for one connection, want once: what is checked is what is used", n)
	}
	if err := get(); !errors.Is(err, ErrRefused) {
		t.Errorf("the second time = %v, want a refusal", err)
	}
}

func TestNodesAreScrapedWhereTheirCloudPutsThem(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	p := parse(t, "prometheus.internal")
	conn, err := p.DialNode(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatalf("a node's address = %v, want a connection: it is no description's", err)
	}
	conn.Close()
	if _, err := p.DialNode(t.Context(), "tcp", "169.254.169.254:80"); !errors.Is(err, ErrRefused) {
		t.Errorf("metadata as a node = %v, want a refusal", err)
	}
}

// TestAProxyIsTheAdminsWord sends requests through a proxy of the environment, which no
// list has to name, and which looks names up by itself.
func TestAProxyIsTheAdminsWord(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "for "+r.Host) }))
	t.Cleanup(proxy.Close)
	at, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	for host, refused := range map[string]bool{"prometheus.internal": false, "10.1.2.3": false, "other.internal": true, "127.0.0.1": true, "169.254.169.254": true} {
		p := parse(t, "prometheus.internal", "10.0.0.0/8")
		inner := &http.Transport{Proxy: http.ProxyURL(at), DialContext: p.Dial}
		client := &http.Client{Transport: &transport{policy: p, next: inner, proxy: http.ProxyURL(at)}}
		res, err := client.Get("http://" + host + "/")
		if (err != nil) != refused || err != nil && !errors.Is(err, ErrRefused) {
			t.Errorf("Get(%s) through the proxy = %v, want refused %v", host, err, refused)
		}
		if err == nil {
			res.Body.Close()
		}
		client.CloseIdleConnections()
	}
}
