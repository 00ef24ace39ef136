package probe_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// answers is an endpoint that opens as it should after its answer to the request was written by hand.
func answers(head func(*wstest.Conn) string) wstest.Script {
	return func(c *wstest.Conn) {
		c.Raw(head(c))
		for {
			c.Message()
			c.Send(wstest.Text(pong))
		}
	}
}

// replaced is the right 101 with one text replaced by another.
func replaced(old, with string) wstest.Script {
	return answers(func(c *wstest.Conn) string {
		head := c.AcceptHead()
		if !strings.Contains(head, old) {
			panic("nothing to replace: " + old)
		}
		return strings.Replace(head, old, with, 1)
	})
}

// says is an endpoint that answers the request with bytes, then closes its side.
func says(text string) wstest.Script {
	return func(c *wstest.Conn) {
		c.Request()
		c.Raw(text)
		c.FIN()
		c.Hold()
	}
}

// saysAndHolds is says without the end.
func saysAndHolds(text string) wstest.Script {
	return func(c *wstest.Conn) {
		c.Request()
		c.Raw(text)
		c.Hold()
	}
}

// refused is a row of an endpoint that never opens.
func refused(name string, err reasons.ErrorType, detail string, script wstest.Script) endpoint {
	return endpoint{name: name, script: script, reason: reasons.OpenFailed, err: err, detail: detail,
		ends: 1500 * time.Millisecond}
}

// violated is a row of an endpoint that answers 101, wrongly.
func violated(name string, err reasons.ErrorType, detail string, script wstest.Script) endpoint {
	e := refused(name, err, detail, script)
	e.status = 101
	return e
}

func TestHandshakeStall(t *testing.T) {
	t.Parallel()
	stalled := func(name string, script wstest.Script) endpoint {
		return endpoint{name: name, script: script, timeout: brief, reason: reasons.HandshakeTimeout,
			err: reasons.UpgradeTimeout, detail: "nothing within " + brief.String()}
	}
	for _, e := range []endpoint{
		stalled("hs_silent_after_request", wstest.StallHandshake),
		stalled("hs_drip_1_byte_per_s", wstest.DripHandshake(100*time.Millisecond, pong)),
		stalled("hs_half_head", saysAndHolds("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n")),
		stalled("hs_half_magic", saysAndHolds("HTT")),
		stalled("hs_interim_then_silence", saysAndHolds("HTTP/1.1 103 Early Hints\r\n\r\n")),
		stalled("hs_never_reads", func(c *wstest.Conn) { c.Hold() }),
		{name: "hs_long_timeout_ms_min", on: onlyBubble, script: wstest.StallHandshake, timeout: probe.MinTimeout,
			ends:   probe.MinTimeout,
			reason: reasons.HandshakeTimeout, err: reasons.UpgradeTimeout, detail: "nothing within 100ms"},
		{name: "hs_drip_fast_ok", script: wstest.DripHandshake(time.Millisecond, pong), timeout: 10 * time.Second},
	} {
		e.test(t)
	}
}

func TestHandshakeCut(t *testing.T) {
	t.Parallel()
	const head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	for _, e := range []endpoint{
		refused("hs_fin_after_request", reasons.UnexpectedEOF, "EOF", says("")),
		refused("hs_fin_mid_magic", reasons.UnexpectedEOF, "unexpected EOF", says("HTT")),
		refused("hs_fin_mid_headers", reasons.UnexpectedEOF, "unexpected EOF", says(head[:60])),
		refused("hs_fin_before_blank_line", reasons.UnexpectedEOF, "unexpected EOF", says(head)),
		refused("hs_fin_after_interim", reasons.UnexpectedEOF, "EOF", says("HTTP/1.1 103 Early Hints\r\n\r\n")),
		refused("hs_reset", reasons.ConnectionReset, "connection reset", func(c *wstest.Conn) {
			c.Request()
			c.Reset()
		}),
		refused("hs_reset_mid_headers", reasons.ConnectionReset, "connection reset", func(c *wstest.Conn) {
			c.Request()
			c.Raw(head)
			c.Pause(30 * time.Millisecond)
			c.Reset()
		}),
		refused("tcp_accept_fin", reasons.UnexpectedEOF, "EOF", func(c *wstest.Conn) { c.FIN(); c.Hold() }),
	} {
		e.test(t)
	}
}

func TestNotHTTP(t *testing.T) {
	t.Parallel()
	const settings = "\x00\x00\x12\x04\x00\x00\x00\x00\x00" +
		"\x00\x03\x00\x00\x00\x64\x00\x04\x00\x01\x00\x00\x00\x05\x00\x00\x40\x00"
	for _, e := range []endpoint{
		refused("hs_http2_settings", reasons.MalformedResponse, "malformed HTTP response", says(settings)),
		refused("hs_http2_settings_held", reasons.MalformedResponse, "malformed HTTP response", saysAndHolds(settings)),
		refused("banner_ssh", reasons.MalformedResponse, "malformed HTTP response", func(c *wstest.Conn) {
			c.Raw("SSH-2.0-OpenSSH_9.9\r\n")
			c.Hold()
		}),
		refused("banner_smtp", reasons.MalformedResponse, `malformed HTTP response "220 mail.example ESMTP"`,
			func(c *wstest.Conn) {
				c.Raw("220 mail.example ESMTP\r\n")
				c.Hold()
			}),
		refused("banner_no_line_end", reasons.MalformedResponse, "malformed HTTP response",
			saysAndHolds("OK MPD 0.23")),
		refused("status_line_garbage", reasons.MalformedResponse, "malformed HTTP",
			saysAndHolds("HTTP/1.1 abc what\r\n\r\n")),
		refused("status_line_short", reasons.MalformedResponse, "malformed HTTP", saysAndHolds("HTTP/1.1\r\n\r\n")),
		refused("version_garbage", reasons.MalformedResponse, "malformed HTTP",
			saysAndHolds("HTTP/x.y 101 Switching Protocols\r\n\r\n")),
		refused("header_no_colon", reasons.MalformedResponse, "malformed",
			saysAndHolds("HTTP/1.1 101 Switching Protocols\r\nUpgrade websocket\r\n\r\n")),
		refused("two_lengths", reasons.MalformedResponse, "malformed",
			saysAndHolds("HTTP/1.1 403 Forbidden\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n")),
		refused("interim_endless", reasons.MalformedResponse, "interim", func(c *wstest.Conn) {
			c.Request()
			c.Flood("HTTP/1.1 103 Early Hints\r\n\r\n")
		}),
		refused("hs_headers_endless", reasons.MalformedResponse, "longer than", func(c *wstest.Conn) {
			c.Request()
			c.Raw("HTTP/1.1 101 Switching Protocols\r\n")
			c.Flood("X-More: " + strings.Repeat("x", 1000) + "\r\n")
		}),
		refused("hs_one_endless_line", reasons.MalformedResponse, "longer than", func(c *wstest.Conn) {
			c.Request()
			c.Raw("HTTP/1.1 101 ")
			c.Flood(strings.Repeat("x", 1000))
		}),
	} {
		e.test(t)
	}
}

func TestHTTPStatus(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 204, 206, 300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 410, 418,
		421, 426, 429, 451, 499, 500, 502, 503, 504, 599} {
		e := refused("http_"+http.StatusText(status), reasons.HTTPStatus(status), "instead of 101",
			wstest.Refuse(status, "no\n"))
		if status == 204 || status == 304 {
			e.script = says("HTTP/1.1 " + map[int]string{204: "204 No Content", 304: "304 Not Modified"}[status] +
				"\r\n\r\n")
		}
		e.name, e.status = "http_"+strings.ReplaceAll(http.StatusText(status), " ", "_"), status
		if http.StatusText(status) == "" {
			e.name, e.detail = "http_unnamed_"+string(reasons.HTTPStatus(status)),
				fmt.Sprintf("answered %d instead of 101", status)
		}
		e.test(t)
	}
	chunks := func(c *wstest.Conn) {
		c.Request()
		c.Raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		c.Flood("400\r\n" + strings.Repeat("x", 0x400) + "\r\n")
	}
	for _, e := range []endpoint{
		{name: "http_302_loop", status: 302, script: wstest.Redirect("/"), err: reasons.HTTPRedirect},
		{name: "http_200_endless_body", status: 200, script: chunks, err: reasons.NotWebSocket},
		{name: "http_200_body_never_comes", status: 200,
			script: saysAndHolds("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"), err: reasons.NotWebSocket},
		{name: "http_403_bad_chunks", status: 403,
			script: saysAndHolds("HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n"),
			err:    "http_403"},
		{name: "http_500_in_1_0", status: 500, script: says("HTTP/1.0 500 oops\r\n\r\nbody"), err: "http_500"},
		{name: "http_503_empty_phrase", status: 503, script: says("HTTP/1.1 503\r\n\r\n"), err: "http_503"},
		{name: "http_503_after_interim", status: 503,
			script: says("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 no\r\n\r\n"), err: "http_503"},
		{name: "http_700", status: 700, script: says("HTTP/1.1 700 what\r\n\r\n"), err: reasons.NotWebSocket},
		{name: "origin_required_403", status: 403, script: needs("Origin", "https://example.com"), err: "http_403"},
		{name: "subproto_required_400", status: 400, err: "http_400", script: func(c *wstest.Conn) {
			if c.Request().Header.Get("Sec-WebSocket-Protocol") == "" {
				c.Refuse(400, "which protocol?\n")
			}
		}},
	} {
		e.reason, e.detail, e.ends = reasons.OpenFailed, "instead of 101", 1500*time.Millisecond
		e.test(t)
	}
}

// needs is an endpoint that opens only for a header.
func needs(name, value string) wstest.Script {
	return func(c *wstest.Conn) {
		if got := c.Request().Header.Get(name); got != value {
			c.Refuse(403, "no: "+got+"\n")
		}
		wstest.Reply(pong)(c)
	}
}

func TestHandshakeFields(t *testing.T) {
	t.Parallel()
	const accept = "Sec-WebSocket-Accept: "
	for _, e := range []endpoint{
		violated("accept_wrong", reasons.BadAcceptKey, "Sec-WebSocket-Accept", wstest.BadAccept),
		violated("accept_is_key", reasons.BadAcceptKey, "Sec-WebSocket-Accept", answers(func(c *wstest.Conn) string {
			key := c.Request().Header.Get("Sec-WebSocket-Key")
			return strings.Replace(c.AcceptHead(), wstest.AcceptKey(key), key, 1)
		})),
		violated("accept_missing", reasons.BadAcceptKey, "Sec-WebSocket-Accept", replaced(accept, "X-Accept: ")),
		violated("accept_twice", reasons.BadAcceptKey, "Sec-WebSocket-Accept", answers(func(c *wstest.Conn) string {
			return c.AcceptHead(accept + wstest.AcceptKey(c.Request().Header.Get("Sec-WebSocket-Key")))
		})),
		violated("upgrade_h2c", reasons.BadUpgradeHeader, "Upgrade", replaced("Upgrade: websocket", "Upgrade: h2c")),
		violated("upgrade_missing", reasons.BadUpgradeHeader, "Upgrade", replaced("Upgrade: websocket\r\n", "")),
		violated("connection_keepalive", reasons.BadUpgradeHeader, "Connection",
			replaced("Connection: Upgrade", "Connection: keep-alive")),
		violated("connection_missing", reasons.BadUpgradeHeader, "Connection", replaced("Connection: Upgrade\r\n", "")),
		violated("http_1_0_101", reasons.MalformedResponse, "HTTP/1.0", replaced("HTTP/1.1", "HTTP/1.0")),
		violated("http_2_0_101", reasons.MalformedResponse, "HTTP/2.0", replaced("HTTP/1.1", "HTTP/2.0")),
		violated("subproto_unrequested", reasons.BadSubprotocol, "chat",
			answers(func(c *wstest.Conn) string { return c.AcceptHead("Sec-WebSocket-Protocol: chat") })),
		violated("ext_unknown", reasons.BadExtension, "x-made-up",
			answers(func(c *wstest.Conn) string { return c.AcceptHead("Sec-WebSocket-Extensions: x-made-up") })),
		violated("ext_deflate_unoffered", reasons.BadExtension, "permessage-deflate",
			answers(func(c *wstest.Conn) string {
				return c.AcceptHead("Sec-WebSocket-Extensions: permessage-deflate; made_up_param")
			})),
		violated("header_blank_before_colon", reasons.BadUpgradeHeader, "Upgrade",
			replaced("Upgrade: websocket", "Upgrade : websocket")),
		{name: "accept_padded_ok", script: replaced(accept, accept+"  \t ")},
		{name: "accept_folded_ok", script: replaced(accept, accept+"\r\n ")},
		{name: "names_lower_case_ok", script: replaced("Upgrade: websocket\r\nConnection: Upgrade",
			"upgrade: WebSocket\r\nconnection: keep-alive, upgrade")},
		{name: "reason_phrase_empty_ok", script: replaced("101 Switching Protocols", "101 ")},
		{name: "reason_phrase_missing_ok", script: replaced("101 Switching Protocols", "101")},
		{name: "connection_close_too_ok", script: replaced("Connection: Upgrade", "Connection: close, Upgrade")},
		{name: "connection_close_apart_ok",
			script: answers(func(c *wstest.Conn) string {
				return c.AcceptHead("Connection: close", "Content-Length: 0, 0")
			})},
		violated("upgrade_kelvin", reasons.BadUpgradeHeader, "Upgrade", replaced("websocket", "websoc\u212aet")),
		{name: "content_length_0_ok", script: answers(func(c *wstest.Conn) string {
			return c.AcceptHead("Content-Length: 0")
		})},
		{name: "early_hints_ok", script: answers(func(c *wstest.Conn) string {
			return "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + c.AcceptHead()
		})},
		{name: "continue_ok", script: answers(func(c *wstest.Conn) string {
			return "HTTP/1.1 100 Continue\r\n\r\n" + c.AcceptHead()
		})},
		{name: "lf_only_ok", script: answers(func(c *wstest.Conn) string {
			return strings.ReplaceAll(c.AcceptHead(), "\r\n", "\n")
		})},
		{name: "hs_headers_8k_ok", script: answers(func(c *wstest.Conn) string {
			return c.AcceptHead("Set-Cookie: a=" + strings.Repeat("x", 8<<10))
		})},
		{name: "extensions_empty_ok", script: answers(func(c *wstest.Conn) string {
			return c.AcceptHead("Sec-WebSocket-Extensions: ")
		})},
	} {
		e.test(t)
	}
}

func TestSubprotocol(t *testing.T) {
	t.Parallel()
	offer := func(s *probe.Spec, _ *wstest.Server) { s.Protocols = []string{"a", "b"} }
	picks := func(lines ...string) wstest.Script {
		return answers(func(c *wstest.Conn) string { return c.AcceptHead(lines...) })
	}
	all := []endpoint{
		{name: "subproto_second_ok", script: picks("Sec-WebSocket-Protocol: b"), protocol: "b"},
		{name: "subproto_none_ok", script: picks()},
		violated("subproto_two_chosen", reasons.BadSubprotocol, "a, b", picks("Sec-WebSocket-Protocol: a, b")),
		violated("subproto_two_lines", reasons.BadSubprotocol, "more than one",
			picks("Sec-WebSocket-Protocol: a", "Sec-WebSocket-Protocol: b")),
		violated("subproto_other_case", reasons.BadSubprotocol, "not offered", picks("Sec-WebSocket-Protocol: B")),
	}
	for _, e := range all {
		e.change = offer
		e.test(t)
	}
}

func TestRequest(t *testing.T) {
	t.Parallel()
	header := func(name, value string) func(*probe.Spec, *wstest.Server) {
		return func(s *probe.Spec, _ *wstest.Server) { s.Headers = map[string]string{name: value} }
	}
	for _, e := range []endpoint{
		{name: "auth_bearer_ok", change: header("Authorization", "Bearer sesame"),
			script: needs("Authorization", "Bearer sesame")},
		{name: "origin_ok", change: header("Origin", "https://example.com"),
			script: needs("Origin", "https://example.com")},
		{name: "host_override_ok", change: header("host", "tenant-7.example"), script: func(c *wstest.Conn) {
			if host := c.Request().Host; host != "tenant-7.example" {
				c.Refuse(404, host)
			}
			wstest.Reply(pong)(c)
		}},
		{name: "path_and_query_ok", script: func(c *wstest.Conn) {
			if uri := c.Request().RequestURI; uri != "/a%2Fb/?x=%20&y=a+b&z" {
				c.Refuse(404, uri)
			}
			wstest.Reply(pong)(c)
		}, change: func(s *probe.Spec, _ *wstest.Server) { s.URL += "a%2Fb/?x=%20&y=a+b&z" }},
	} {
		e.test(t)
	}
}
