package probe_test

import (
	"crypto/tls"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// behind are the endpoints that a proxy leads to.
type behind struct{ plain, secure *wstest.Server }

func startBehind(t *testing.T) behind {
	b := behind{wstest.Start(wstest.Reply(pong)), wstest.StartTLS(wstest.Reply(pong), nil)}
	t.Cleanup(b.plain.Close)
	t.Cleanup(b.secure.Close)
	return b
}

// through leads a probe of the target through the server, which is a proxy.
func through(scheme string, user *url.Userinfo, target *wstest.Server) func(*probe.Spec, *wstest.Server) {
	return func(s *probe.Spec, proxy *wstest.Server) {
		s.Proxy = &url.URL{Scheme: scheme, Host: proxy.Addr().String(), User: user}
		s.URL = target.URL
		if s.TLS = nil; scheme == "https" || target.CA != nil {
			s.TLS = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: wstest.Trust(target.CA, proxy.CA)}
		}
	}
}

// startTLS is wstest.StartTLS as a row wants it.
func startTLS(script wstest.Script) *wstest.Server { return wstest.StartTLS(script, nil) }

var secretUser = url.UserPassword("olga", "s3cret")

// opensThrough is a row of a proxy that does what it is asked for.
func opensThrough(name string, script wstest.Script, change func(*probe.Spec, *wstest.Server)) endpoint {
	return endpoint{name: name, script: script, on: onlyTCP, change: change, saw: []int{0}}
}

// failsThrough is a row of a proxy that does not.
func failsThrough(name, detail string, script wstest.Script, change func(*probe.Spec, *wstest.Server)) endpoint {
	e := refused(name, reasons.Proxy, detail, script)
	e.change, e.on = change, onlyTCP
	return e
}

// stallsThrough is a row of a proxy that lets the time pass.
func stallsThrough(name string, script wstest.Script, change func(*probe.Spec, *wstest.Server)) endpoint {
	return endpoint{name: name, script: script, on: onlyTCP, change: change, timeout: brief,
		detail: "waiting for the proxy to connect", reason: reasons.HandshakeTimeout, err: reasons.ConnectTimeout}
}

// authorized is an HTTP proxy that wants the credentials of secretUser.
func authorized(c *wstest.Conn) {
	if c.Request().Header.Get("Proxy-Authorization") != "Basic b2xnYTpzM2NyZXQ=" {
		c.Refuse(407, "who?\n")
	}
	wstest.Connect(c)
}

func TestHTTPProxy(t *testing.T) {
	t.Parallel()
	b := startBehind(t)
	plain, secure := through("http", secretUser, b.plain), through("http", secretUser, b.secure)
	fails := func(name, detail string, status int, script wstest.Script) endpoint {
		e := failsThrough(name, detail, script, secure)
		e.status = status
		return e
	}
	gone := fails("proxy_refused", "connection refused", 0, wstest.Silent)
	gone.unreached, gone.change = true, func(s *probe.Spec, p *wstest.Server) { secure(s, p); p.Close() }
	unknown := fails("proxy_name_unknown", "no such host", 0, wstest.Silent)
	unknown.unreached, unknown.change = true, func(s *probe.Spec, p *wstest.Server) {
		s.Proxy = &url.URL{Scheme: "http", Host: "proxy.example:3128"}
		s.Resolve = resolver(0, &net.DNSError{Err: "no such host", IsNotFound: true})
	}
	nowhere := fails("proxy_tunnel_to_nowhere", "", 0, says("HTTP/1.1 200 OK\r\n\r\n"))
	nowhere.err = reasons.TLSHandshake
	nowherePlain := fails("proxy_tunnel_to_nowhere_plain", "", 0, says("HTTP/1.1 200 OK\r\n\r\n"))
	nowherePlain.err, nowherePlain.change = reasons.UnexpectedEOF, plain
	banner := fails("proxy_with_a_banner_behind", "malformed HTTP response \"SSH-2.0-x\"", 0,
		saysAndHolds("HTTP/1.1 200 OK\r\n\r\nSSH-2.0-x\r\n"))
	banner.err, banner.change = reasons.MalformedResponse, plain
	bannerTLS := fails("proxy_with_a_banner_behind_tls", "does not look like a TLS handshake", 0,
		saysAndHolds("HTTP/1.1 200 OK\r\n\r\nSSH-2.0-x\r\n"))
	bannerTLS.err = reasons.TLSHandshake
	const granted = "HTTP/1.1 200 Connection established\r\nX: y\r\n\r\n"
	for _, e := range []endpoint{
		opensThrough("proxy_ws_connect_ok", wstest.Connect, plain),
		opensThrough("proxy_wss_connect_ok", authorized, secure),
		opensThrough("proxy_200_with_a_length_ok", answersConnect("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
			plain),
		opensThrough("proxy_204_ok", answersConnect("HTTP/1.1 204 Fine\r\n\r\n"), plain),
		opensThrough("proxy_interim_ok", answersConnect("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 OK\r\n\r\n"),
			secure),
		fails("proxy_wss_407", "407", 407, wstest.Refuse(407, "who?\n", "Proxy-Authenticate: Basic")),
		fails("proxy_403", "403", 403, wstest.Refuse(403, "not there\n")),
		fails("proxy_502", "502", 502, wstest.Refuse(502, "no route\n")),
		fails("proxy_302", "302", 302, wstest.Redirect("http://login.example/")),
		fails("proxy_101", "101", 101, func(c *wstest.Conn) { c.Accept(); c.Hold() }),
		fails("proxy_closes", "proxy: EOF", 0, says("")),
		fails("proxy_resets", "connection reset", 0, func(c *wstest.Conn) { c.Request(); c.Reset() }),
		fails("proxy_not_http", "SSH-2.0", 0, saysAndHolds("SSH-2.0-OpenSSH\r\n")),
		fails("proxy_speaks_socks", "malformed", 0, saysAndHolds("\x05\xff")),
		fails("proxy_head_endless", "longer than", 0, func(c *wstest.Conn) {
			c.Request()
			c.Raw("HTTP/1.1 200 OK\r\n")
			c.Flood("X-More: " + strings.Repeat("x", 1000) + "\r\n")
		}),
		stallsThrough("proxy_wss_stall", wstest.StallHandshake, secure),
		stallsThrough("proxy_half_head", saysAndHolds(granted[:30]), plain),
		stallsThrough("proxy_drips", func(c *wstest.Conn) {
			c.Request()
			c.Drip(granted, 100*time.Millisecond)
		}, plain),
		gone, unknown, nowhere, nowherePlain, banner, bannerTLS,
	} {
		e.on = onlyTCP
		e.test(t)
	}
}

// TestProxyRefusalIsNotTheEndpoints: a probe of an endpoint that must stay shut is not content with a proxy that is.
func TestProxyRefusalIsNotTheEndpoints(t *testing.T) {
	t.Parallel()
	b := startBehind(t)
	shut := wstest.Start(wstest.Refuse(403, "not you\n"))
	defer shut.Close()
	for name, test := range map[string]struct {
		proxy  wstest.Script
		target *wstest.Server
		want   reasons.ErrorType
	}{
		"the proxy refuses":    {wstest.Refuse(403, "not there\n"), b.plain, reasons.Proxy},
		"the endpoint refuses": {wstest.Connect, shut, ""},
		"nobody refuses":       {wstest.Connect, b.plain, reasons.UnexpectedlyOpen},
	} {
		proxy := wstest.Start(test.proxy)
		spec := probe.Spec{ExpectStatus: 403}
		through("http", nil, test.target)(&spec, proxy)
		if r := runOnce(t, spec); r.ErrorType != test.want {
			t.Errorf("%s: %v, %q (%s), want %q", name, r.Reason, r.ErrorType, r.Detail, test.want)
		}
		proxy.Close()
	}
}

// answersConnect is an HTTP proxy that connects and says so in its own words.
func answersConnect(answer string) wstest.Script {
	return func(c *wstest.Conn) {
		host := c.Request().Host
		c.Raw(answer)
		c.Tunnel(host)
	}
}

func TestHTTPSProxy(t *testing.T) {
	t.Parallel()
	b := startBehind(t)
	row := func(e endpoint) endpoint { e.serve = startTLS; return e }
	plain, secure := through("https", secretUser, b.plain), through("https", secretUser, b.secure)
	// A configuration for the endpoint says nothing about the proxy but whom to trust.
	distrust := func(s *probe.Spec, p *wstest.Server) {
		secure(s, p)
		s.TLS = &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true, ServerName: "endpoint.example"}
	}
	otherName := func(s *probe.Spec, p *wstest.Server) {
		secure(s, p)
		s.Proxy.Host = strings.Replace(s.Proxy.Host, "127.0.0.1", "proxy.example", 1)
		s.Resolve = resolver(0, nil, "127.0.0.1")
	}
	notSecured := stallsThrough("https_proxy_silent", func(c *wstest.Conn) { c.Hold() }, plain)
	noTLS := failsThrough("https_proxy_speaks_plainly", "does not look like a TLS handshake", func(c *wstest.Conn) {
		c.Raw("HTTP/1.1 400 Bad Request\r\n\r\n")
		c.Hold()
	}, plain)
	cut := failsThrough("https_proxy_cut_in_the_tls_handshake", "proxy: ", func(c *wstest.Conn) {
		c.Take(20)
		c.BelowTLS("\x16\x03\x03\x00\x7a\x02")
		c.FIN()
		c.Hold()
	}, plain)
	status := row(failsThrough("https_proxy_407", "407", wstest.Refuse(407, "who?\n"), secure))
	status.status = 407
	for _, e := range []endpoint{
		row(opensThrough("https_proxy_ws_ok", authorized, plain)),
		row(opensThrough("https_proxy_wss_ok", authorized, secure)),
		row(failsThrough("https_proxy_untrusted",
			"proxy: tls: failed to verify certificate: x509: certificate signed by unknown", authorized, distrust)),
		row(failsThrough("https_proxy_of_another_name", "not proxy.example", authorized, otherName)),
		row(failsThrough("https_proxy_closes", "EOF", says(""), secure)),
		row(failsThrough("https_proxy_not_http", "malformed", saysAndHolds("220 mail\r\n"), plain)),
		row(stallsThrough("https_proxy_stall", wstest.StallHandshake, secure)),
		status, notSecured, noTLS, cut,
	} {
		e.on = onlyTCP
		e.test(t)
	}
}
