package probe_test

import (
	"crypto/tls"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// advised is a row of an endpoint on whose failure a person must read something, and must not read something else.
type advised struct {
	name      string
	script    wstest.Script
	serve     func(wstest.Script) *wstest.Server
	change    func(*probe.Spec)
	err       reasons.ErrorType
	hint, not string
	detail    string
}

// test runs the row over TCP and, unless its server is a special one, in a bubble.
func (a advised) test(t *testing.T) {
	serve := a.serve
	if serve == nil {
		serve = wstest.Start
		t.Run(a.name+"_in_a_bubble", func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := wstest.Memory(a.script)
				defer s.Close()
				a.check(t, probe.Spec{Opening: probe.Opening{URL: s.URL, Dial: s.Dial}}, 0)
			})
		})
	}
	t.Run(a.name, func(t *testing.T) {
		t.Parallel()
		s := serve(a.script)
		defer s.Close()
		spec := probe.Spec{Opening: probe.Opening{URL: s.URL}}
		if strings.HasPrefix(s.URL, "wss://") {
			spec.TLS = s.ClientTLS()
		}
		a.check(t, spec, brief)
	})
}

// check runs a probe once, with the timeout of the row or at least so much time, and looks at its hint.
func (a advised) check(t *testing.T, spec probe.Spec, least time.Duration) {
	t.Helper()
	spec.Timeout = patient
	if a.change != nil {
		a.change(&spec)
	}
	spec.Timeout = max(spec.Timeout, least)
	r := runOnce(t, spec)
	hint := r.Hint(nil)
	if r.ErrorType != a.err || !strings.Contains(r.Detail, a.detail) {
		t.Errorf("%s, detail %q", r.ErrorType, r.Detail)
	}
	if !strings.Contains(hint, a.hint) || a.not != "" && strings.Contains(hint, a.not) {
		t.Errorf("hint %q, clues %+v", hint, r.Clues)
	}
}

// writes answers the request with these bytes and ends.
func writes(bytes string) wstest.Script {
	return func(c *wstest.Conn) {
		c.Request()
		c.Raw(bytes)
		c.FIN()
		c.Watch()
	}
}

// greets is the same without waiting for a request.
func greets(bytes string) wstest.Script {
	return func(c *wstest.Conn) { c.Raw(bytes); c.FIN(); c.Hold() }
}

func refuses(status int, body string, lines ...string) wstest.Script {
	return func(c *wstest.Conn) { c.Request(); c.Refuse(status, body, lines...) }
}

func sends(text string) func(*probe.Spec) {
	return func(s *probe.Spec) { s.Interpretation, s.Send = probe.RoundTripLatency, text }
}

func header(name, value string) func(*probe.Spec) {
	return func(s *probe.Spec) { s.Headers = map[string]string{name: value} }
}

// otherScheme turns the url of a server of TLS into one without, and back.
func otherScheme(s *probe.Spec) {
	if rest, ok := strings.CutPrefix(s.URL, "wss://"); ok {
		s.URL, s.TLS = "ws://"+rest, nil
	} else {
		s.URL = "wss://" + strings.TrimPrefix(s.URL, "ws://")
	}
}

func TestHintsBeforeTheOpen(t *testing.T) {
	t.Parallel()
	const page = "<html><title>400 The plain HTTP request was sent to HTTPS port</title></html>"
	fin := func(c *wstest.Conn) { c.Request(); c.FIN(); c.Watch() }
	reset := func(c *wstest.Conn) { c.Request(); c.Reset() }
	for _, a := range []advised{
		{name: "ws_to_nginx_tls", script: refuses(400, page), err: "http_400", hint: "use wss://"},
		{name: "ws_to_go_tls", script: refuses(400, "Client sent an HTTP request to an HTTPS server.\n"),
			err: "http_400", hint: "use wss://"},
		{name: "ws_to_tls_alert", script: writes("\x15\x03\x01\x00\x02\x02\x46"), err: reasons.MalformedResponse,
			hint: "use wss://", not: "Origin"},
		{name: "ws_to_real_tls", script: wstest.Reply(pong), serve: overTLS(nil), change: otherScheme,
			err: reasons.UnexpectedEOF, hint: "(then wss://)"},
		{name: "wss_to_http", script: greets("HTTP/1.1 400 Bad Request\r\n\r\n"), change: otherScheme,
			err: reasons.TLSHandshake, hint: "use ws://"},
		{name: "wss_to_ssh", script: greets("SSH-2.0-x\r\n"), change: otherScheme, err: reasons.TLSHandshake,
			hint: "SSH"},
		{name: "ends", script: fin, err: reasons.UnexpectedEOF, hint: "path or a subprotocol", not: "crash",
			detail: "waiting for the response to the upgrade, "},
		{name: "ends_behind_tls", script: fin, serve: overTLS(nil), err: reasons.UnexpectedEOF, hint: "terminator",
			not: "wss://"},
		{name: "reset_behind_tls", script: reset, serve: overTLS(nil), err: reasons.ConnectionReset,
			hint: "no server behind it", not: "Origin"},
		{name: "silent", script: wstest.StallHandshake, change: func(s *probe.Spec) {
			s.Timeout = 200 * ms
			s.Protocols = []string{"x"}
		},
			err: reasons.UpgradeTimeout, hint: "knows none of the subprotocols in protocols"},
		{name: "half_a_head", script: writes("HTTP/1.1 101 x\r\nUpg"), err: reasons.UnexpectedEOF,
			hint: "middle of the response's head"},
		{name: "http2", script: writes("\x00\x00\x12\x04\x00\x00\x00\x00\x00"), err: reasons.MalformedResponse,
			hint: "HTTP/2", not: "Origin"},
		{name: "ssh", script: writes("SSH-2.0-OpenSSH_9\r\n"), err: reasons.MalformedResponse, hint: "speaks SSH"},
		{name: "smtp", script: writes("220 mx ESMTP\r\n"), err: reasons.MalformedResponse, hint: "SMTP"},
		{name: "redis", script: writes("-ERR unknown command\r\n"), err: reasons.MalformedResponse, hint: "Redis"},
		{name: "frames_first", script: writes("\x81\x02hi"), err: reasons.MalformedResponse, hint: "without a 101"},
		{name: "npm_ws_path", script: refuses(400, "Bad Request"), err: "http_400", hint: "check the path"},
		{name: "engine_io", script: refuses(400, `{"code":0,"message":"Transport unknown"}`), err: "http_400",
			hint: "EIO=4"},
		{name: "origin_refused", script: refuses(403, "origin https://evil.example is not allowed"),
			change: header("origin", "https://evil.example"),
			err:    "http_403", hint: "the Origin that headers sends is not allowed", not: "none was sent"},
		{name: "origin_wanted", script: refuses(403, ""), err: "http_403", hint: "no Origin was sent"},
		{name: "digest", script: refuses(401, "", `WWW-Authenticate: Digest realm="a, Basic b", nonce="x", Negotiate`),
			err: "http_401", hint: "a scheme that auth does not have", detail: "wants Digest or Negotiate"},
		{name: "basic", script: refuses(401, "", `WWW-Authenticate: Basic realm="x"`), err: "http_401",
			hint: "neither Authorization nor Cookie", detail: "wants Basic"},
		{name: "basic_refused", script: refuses(401, "", `WWW-Authenticate: Basic`),
			change: header("Authorization", "Basic eDp5"), err: "http_401", hint: "were sent and rejected"},
		{name: "to_https", script: refuses(301, "", "Location: https://example.com/"), err: reasons.HTTPRedirect,
			hint: "use wss://"},
		{name: "to_nowhere", script: refuses(302, ""), err: reasons.HTTPRedirect, hint: "says no place"},
		{name: "cdn", script: refuses(521, "Web server is down: origin"), err: "http_521",
			hint: "the CDN in front answers", not: "Origin"},
		{name: "other_refusal", script: refuses(404, ""), change: func(s *probe.Spec) {
			s.ExpectStatus = 401
		}, err: "http_404", hint: "another refusal than expect_status"},
		{name: "extension", script: func(c *wstest.Conn) {
			c.Accept("Sec-WebSocket-Extensions: permessage-deflate")
			c.Watch()
		},
			err: reasons.BadExtension, hint: "offer it with compression", not: "Origin"},
		{name: "picks_unasked", script: func(c *wstest.Conn) {
			c.Accept("Sec-WebSocket-Protocol: x")
			c.Watch()
		}, err: reasons.BadSubprotocol, hint: "although none was offered"},
		{name: "picks_none", script: func(c *wstest.Conn) { c.Accept(); c.Watch() }, change: func(s *probe.Spec) {
			s.Protocols, s.ExpectProtocol = []string{"x"}, "x"
		}, err: reasons.BadSubprotocol, hint: "does not pick what expect_protocol asks for"},
	} {
		a.test(t)
	}
}

func TestHintsAfterTheOpen(t *testing.T) {
	t.Parallel()
	ends := func(c *wstest.Conn) { c.Accept(); c.Read(); c.FIN(); c.Watch() }
	pings := func(s *probe.Spec) { s.Interpretation, s.PingMode = probe.RoundTripLatency, probe.PingFrame }
	expects := func(change func(*probe.Spec)) func(*probe.Spec) {
		return func(s *probe.Spec) { sends("x")(s); s.Timeout = 300 * ms; change(s) }
	}
	text := func(want string) func(*probe.Spec) { return expects(func(s *probe.Spec) { s.Expect = want }) }
	object := func(path string, want any) func(*probe.Spec) {
		return expects(func(s *probe.Spec) { s.ExpectJSON = map[string]any{path: want} })
	}
	for _, a := range []advised{
		{name: "ends_at_the_ping", script: ends, change: pings, err: reasons.UnexpectedEOF,
			hint: "right after the Ping", detail: "ms after the Ping was sent"},
		{name: "ends_at_the_message", script: ends, change: sends("hi"), err: reasons.UnexpectedEOF,
			hint: "binary messages", detail: "ms after the message was sent"},
		{name: "closed_1003", script: wstest.CloseWith(1003, ""), change: sends("hi"), err: reasons.CloseFrame,
			hint: "wants binary messages", not: "1008"},
		{name: "closed_1009", script: wstest.CloseWith(1009, ""), change: sends("hi"), err: reasons.CloseFrame,
			hint: "too long for the server"},
		{name: "closed_4406", script: wstest.CloseWith(4406, ""), change: sends("hi"), err: reasons.CloseFrame,
			hint: "set protocols"},
		{name: "pattern", script: wstest.Reply("y"), change: expects(func(s *probe.Spec) {
			s.ExpectPattern = "z"
		}), err: reasons.ReplyMismatched, hint: "expect_pattern", not: "expect_message"},
		{name: "line_break", script: wstest.Reply(`"op":"pong"`), change: text("\"op\":\"pong\"\n"),
			err: reasons.ReplyMismatched, hint: "|-", detail: "without the line break"},
		{name: "case", script: wstest.Reply("PONG"), change: text("pong"), err: reasons.ReplyMismatched,
			hint: "upper and lower case", detail: "in other letter case"},
		{name: "blanks", script: wstest.Reply(`{"op": "pong"}`), change: text(`"op":"pong"`),
			err: reasons.ReplyMismatched, hint: "blanks"},
		{name: "no_json", script: wstest.Reply("42[\"pong\"]"), change: object("op", "pong"),
			err: reasons.ReplyMismatched, hint: "whole JSON document", detail: "is no JSON but a packet of Socket.IO"},
		{name: "no_path", script: wstest.Reply(`{"a":1}`), change: object("b.c", 1), err: reasons.ReplyMismatched,
			hint: "nothing stands at the path", detail: "nothing at b.c"},
		{name: "other_type", script: wstest.Reply(`{"a":"1"}`), change: object("a", 1), err: reasons.ReplyMismatched,
			hint: "another type", detail: `a is "1", not 1`},
		{name: "other_value", script: wstest.Reply(`{"a":false}`), change: object("a", true),
			err: reasons.ReplyMismatched, hint: "another value", detail: "a is false, not true"},
		{name: "taken", script: conversation("<hello", ">x"), change: func(s *probe.Spec) {
			s.Exchange, s.Timeout = []probe.Step{hears("hello"), tells("x"), hears("ell")}, 300*ms
		}, err: reasons.ReplyTimedOut, hint: "an earlier step read",
			detail: "step 1 took a message that this one waits for"},
		{name: "early", script: atOnce("pong"), change: func(s *probe.Spec) {
			sends("ping")(s)
			s.Expect, s.Timeout = "pong", 300*ms
		}, err: reasons.ReplyMismatched, hint: "before send_message was sent", detail: "was there before"},
		{name: "no_greeting", script: wstest.Silent, change: func(s *probe.Spec) {
			s.Exchange, s.Timeout = []probe.Step{hears("hello")}, 300*ms
		},
			err: reasons.ReplyTimedOut, hint: "does it greet"},
		{name: "step_words", script: wstest.Reply("PONG"), change: func(s *probe.Spec) {
			s.Interpretation, s.Exchange, s.Timeout = probe.RoundTripLatency, []probe.Step{asks("x", "pong")}, 300*ms
		}, err: reasons.ReplyMismatched, hint: "matches expect but", not: "expect_message"},
	} {
		a.test(t)
	}
}

// TestHintsOnRealAlerts has crypto/tls refuse the handshake in all the ways that it knows.
func TestHintsOnRealAlerts(t *testing.T) {
	t.Parallel()
	ca := wstest.NewCA()
	cert := []tls.Certificate{ca.Issue(wstest.Cert{})}
	trusting := func(s *probe.Spec) { s.TLS = &tls.Config{RootCAs: ca.Pool(), MinVersion: tls.VersionTLS12} }
	showing := func(s *probe.Spec) {
		trusting(s)
		s.TLS.Certificates = []tls.Certificate{wstest.NewCA().Issue(wstest.Cert{})}
	}
	for name, row := range map[string]struct {
		config *tls.Config
		change func(*probe.Spec)
		hint   string
	}{
		"old_versions": {&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, trusting,
			"tls.min_version"},
		"other_alpn": {&tls.Config{NextProtos: []string{"mqtt"}}, trusting, "takes no HTTP/1.1"},
		"cipher_suite": {&tls.Config{MaxVersion: tls.VersionTLS12,
			CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}}, trusting, "no cipher suite"},
		"required_13": {&tls.Config{ClientAuth: tls.RequireAnyClientCert}, trusting, "set tls.cert_file"},
		"required_12": {&tls.Config{ClientAuth: tls.RequireAnyClientCert, MaxVersion: tls.VersionTLS12}, trusting,
			"tls.cert_file"},
		"unknown_ca": {&tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool()}, showing,
			"the client certificate in tls.cert_file"},
		"no_name": {&tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			return nil, fmt.Errorf("no such name")
		}}, trusting, "tls.server_name"},
	} {
		row.config.Certificates = cert
		advised{name: name, script: wstest.Reply(pong), serve: overTLS(row.config), change: row.change,
			err: reasons.TLSHandshake, hint: row.hint, not: "no TLS"}.test(t)
	}
}

// TestHintOnEveryAlert sends every alert there can be, as a server does.
func TestHintOnEveryAlert(t *testing.T) {
	for alert := 1; alert < 256; alert++ {
		inBubble(t, false, func(c *wstest.Conn) {
			c.Raw("\x15\x03\x03\x00\x02\x02" + string([]byte{byte(alert)}))
			c.FIN()
			c.Watch()
		}, func(s *probe.Spec, _ *wstest.Server) { otherScheme(s) }, func(r probe.Result, _ time.Duration) {
			if r.ErrorType != reasons.TLSHandshake || r.Clues.AlertBy != reasons.ByServer ||
				int(r.Clues.Alert) != alert {
				t.Errorf("alert %d: %s, %+v", alert, r.ErrorType, r.Clues)
			}
		})
	}
}
