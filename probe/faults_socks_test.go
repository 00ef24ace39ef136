package probe_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// answersSOCKS is a SOCKS5 proxy that answers the request with bytes of its own, and says no more.
func answersSOCKS(answer string) wstest.Script {
	return func(c *wstest.Conn) {
		c.SOCKSMethod(false)
		c.SOCKSRequest()
		c.Raw(answer)
		c.Hold()
	}
}

// wants is a SOCKS5 proxy that connects to a server if it is asked for these words, whatever they are.
func wants(request string, server *wstest.Server) wstest.Script {
	return func(c *wstest.Conn) {
		c.SOCKSMethod(false)
		if got := c.SOCKSRequest(); got != request {
			panic(fmt.Sprintf("asked for %q, want %q", got, request))
		}
		c.Raw(wstest.SOCKSGranted)
		c.Tunnel(server.Addr().String())
	}
}

func TestSOCKSProxy(t *testing.T) {
	t.Parallel()
	b := startBehind(t)
	plain, secure := through("socks5", nil, b.plain), through("socks5", nil, b.secure)
	named := func(scheme, connectTo string) func(*probe.Spec, *wstest.Server) {
		return func(s *probe.Spec, p *wstest.Server) {
			through(scheme, nil, b.plain)(s, p)
			s.ConnectTo = connectTo
		}
	}
	login := func(user *url.Userinfo) func(*probe.Spec, *wstest.Server) { return through("socks5", user, b.secure) }
	wantsLogin := wstest.SOCKS5("olga", "s3cret")
	oddLogin := func(answer string) wstest.Script {
		return func(c *wstest.Conn) {
			c.SOCKSMethod(true)
			c.Take(len("\x01\x04olga\x06s3cret"))
			c.Raw(answer)
			c.Hold()
		}
	}
	oddMethod := func(answer string) wstest.Script {
		return func(c *wstest.Conn) { c.Take(3); c.Raw(answer); c.Hold() }
	}
	rows := []endpoint{
		opensThrough("socks_ws_ok", wstest.SOCKS5("", ""), plain),
		opensThrough("socks_wss_ok", wstest.SOCKS5("", ""), secure),
		opensThrough("socks_login_ok", wantsLogin, login(secretUser)),
		opensThrough("socks_login_not_wanted_ok", wstest.SOCKS5("", ""), login(secretUser)),
		opensThrough("socks_name_ok", wants("name endpoint.example:99", b.plain),
			named("socks5", "endpoint.example:99")),
		opensThrough("socks_name_by_socks5h_ok", wants("name endpoint.example:99", b.plain),
			named("socks5h", "endpoint.example:99")),
		opensThrough("socks_ipv4_ok", wants("192.0.2.7:99", b.plain), named("socks5", "192.0.2.7:99")),
		opensThrough("socks_ipv6_ok", wants("[2001:db8::7]:99", b.plain), named("socks5h", "[2001:db8::7]:99")),
		opensThrough("socks_bound_to_a_name_ok", func(c *wstest.Conn) {
			c.SOCKSMethod(false)
			address := c.SOCKSRequest()
			c.Raw("\x05\x00\x00\x03\x05proxy\x04\x38")
			c.Tunnel(address)
		}, plain),
		failsThrough("socks_login_wrong", "username/password authentication failed", wantsLogin,
			login(url.UserPassword("olga", "guess"))),
		failsThrough("socks_login_missing", "no acceptable authentication methods", wantsLogin, plain),
		failsThrough("socks_login_answer_garbage", "version", oddLogin("\x05\x00"), login(secretUser)),
		failsThrough("socks_method_not_offered",
			"method 1 (GSSAPI), which was not offered: the probe offers no authentication, or user and password",
			func(c *wstest.Conn) { c.Take(4); c.Raw("\x05\x01"); c.Hold() }, login(secretUser)),
		failsThrough("socks_login_not_offered",
			"method 2 (user and password), which was not offered: the probe offers no authentication only",
			oddMethod("\x05\x02"), plain),
		failsThrough("socks_gssapi_not_offered", "method 1 (GSSAPI), which was not offered", oddMethod("\x05\x01"),
			plain),
		failsThrough("socks_unknown_method_not_offered", "method 128, which was not offered", oddMethod("\x05\x80"),
			plain),
		failsThrough("socks_login_not_offered_and_granted", "method 2 (user and password), which was not offered",
			func(c *wstest.Conn) {
				c.Take(3)
				c.Raw("\x05\x02" + wstest.SOCKSGranted)
				c.Hold()
			}, secure),
		failsThrough("socks_method_dripping", "method 3, which was not offered", func(c *wstest.Conn) {
			c.Take(3)
			c.Drip("\x05\x03", time.Millisecond)
			c.Hold()
		}, plain),
		failsThrough("socks_speaks_http", "unexpected protocol version 72",
			oddMethod("HTTP/1.1 400 Bad Request\r\n\r\n"), plain),
		failsThrough("socks_speaks_socks4", "unexpected protocol version 0",
			oddMethod("\x00\x5b\x00\x00\x00\x00\x00\x00"), plain),
		failsThrough("socks_answer_of_another_version", "unexpected protocol version 4",
			answersSOCKS("\x04\x00\x00\x01"), plain),
		failsThrough("socks_answer_reserved", "non-zero reserved field", answersSOCKS("\x05\x00\x01\x01"), plain),
		failsThrough("socks_answer_odd_address", "unknown address type 9", answersSOCKS("\x05\x00\x00\x09"), plain),
		failsThrough("socks_resets", "connection reset", func(c *wstest.Conn) { c.Take(3); c.Reset() }, plain),
		stallsThrough("socks_silent", func(c *wstest.Conn) { c.Hold() }, plain),
		stallsThrough("socks_half_method", oddMethod("\x05"), secure),
		stallsThrough("socks_login_unanswered", oddLogin(""), login(secretUser)),
		stallsThrough("socks_request_unanswered", answersSOCKS(""), plain),
		stallsThrough("socks_half_answer", answersSOCKS(wstest.SOCKSGranted[:9]), secure),
	}
	for code, meaning := range map[byte]string{1: "general SOCKS server failure",
		2: "connection not allowed by ruleset", 3: "network unreachable",
		4: "host unreachable", 5: "connection refused", 6: "TTL expired", 7: "command not supported",
		8: "address type not supported", 9: "unknown code: 9", 255: "unknown code: 255"} {
		name := "socks_" + strings.ReplaceAll(strings.TrimPrefix(meaning, "unknown "), " ", "_")
		rows = append(rows, failsThrough(name, "proxy: SOCKS5: "+meaning,
			answersSOCKS("\x05"+string([]byte{code})+"\x00\x01\x00\x00\x00\x00\x00\x00"), plain))
	}
	flood := failsThrough("socks_floods_behind_the_answer", "malformed", func(c *wstest.Conn) {
		c.SOCKSMethod(false)
		c.SOCKSRequest()
		c.Raw(wstest.SOCKSGranted)
		c.Flood(strings.Repeat("x", 1000))
	}, plain)
	flood.err = reasons.MalformedResponse
	for _, e := range append(rows, flood) {
		e.test(t)
	}
}

// TestProxyCut ends the connection after every byte of what a proxy says: it is the proxy's failure, until it has
// said everything.
func TestProxyCut(t *testing.T) {
	t.Parallel()
	b := startBehind(t)
	const method, http = "\x05\x00", "HTTP/1.1 200 OK\r\n\r\n"
	row := func(name string, n int, whole bool, script wstest.Script, scheme string) endpoint {
		e := failsThrough(fmt.Sprintf("%s_cut_%d", name, n), "EOF", script, through(scheme, nil, b.plain))
		if whole {
			e.err = reasons.UnexpectedEOF
		}
		return e
	}
	for n := range len(method) + len(wstest.SOCKSGranted) + 1 {
		row("socks", n, n == len(method)+len(wstest.SOCKSGranted), func(c *wstest.Conn) {
			c.Take(3)
			c.Raw(method[:min(n, len(method))])
			if n >= len(method) {
				c.SOCKSRequest()
				c.Raw(wstest.SOCKSGranted[:n-len(method)])
			}
			c.FIN()
			c.Hold()
		}, "socks5").test(t)
	}
	for n := range len(http) + 1 {
		row("http", n, n == len(http), says(http[:n]), "http").test(t)
	}
}

// TestProxyPeer: the endpoint behind a proxy sees what it would see without, and is said goodbye to.
func TestProxyPeer(t *testing.T) {
	t.Parallel()
	for scheme, serve := range map[string]func() *wstest.Server{
		"http":   func() *wstest.Server { return wstest.Start(wstest.Connect) },
		"https":  func() *wstest.Server { return wstest.StartTLS(wstest.Connect, nil) },
		"socks5": func() *wstest.Server { return wstest.Start(wstest.SOCKS5("", "")) },
	} {
		for target, start := range map[string]func(wstest.Script) *wstest.Server{"ws": wstest.Start, "wss": startTLS} {
			t.Run(scheme+"/"+target, func(t *testing.T) {
				t.Parallel()
				// Greetings that match are no reply through a tunnel either.
				server, proxy := start(func(c *wstest.Conn) {
					c.Raw(c.AcceptHead() + wstest.Text(pong).Bytes() + wstest.Text(pong).Bytes())
					c.Message()
					c.Send(wstest.Text("else"), wstest.Close(1000, ""))
					c.Serve()
				}), serve()
				defer server.Close()
				defer proxy.Close()
				spec := probe.Spec{Interpretation: probe.RoundTripLatency, Send: ping, Expect: want}
				through(scheme, nil, server)(&spec, proxy)
				r := runOnce(t, spec)
				if r.Reason != reasons.ReplyMismatch || r.Unmatched != 3 || r.Peer != proxy.Addr().String() {
					t.Errorf("got %+v", r)
				}
				wait(t, server)
				if v := server.Last(); v.CloseCode != 1000 || v.LastMessage != ping || server.Connections() != 1 {
					t.Errorf("the endpoint saw %+v", v)
				}
			})
		}
	}
}
