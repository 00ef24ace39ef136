package probe_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// TestOwnWordsAreLegible: a secret that has a word of the probe in it hides that word in what the endpoint says, and
// nowhere else.
func TestOwnWordsAreLegible(t *testing.T) {
	t.Parallel()
	headers := map[string]string{"X-A": "connection-key-1", "X-B": "websocket", "X-C": "malformed HTTP response",
		"X-D": "instead of websocket",
		"X-E": "the server answered", "X-F": "nothing within", "X-G": "close frame", "X-H": "with Upgrade"}
	for name, test := range map[string]struct {
		script wstest.Script
		want   string
	}{
		"upgrade": {func(c *wstest.Conn) {
			c.Falsify("Upgrade: websocket", "Upgrade: connection-key-1")
		}, `101 with Upgrade "[redacted]" instead of websocket`},
		"status": {func(c *wstest.Conn) {
			c.Request()
			c.Raw("HTTP/1.1 403 connection-key-1\r\nContent-Length: 0\r\n\r\n")
		}, "the server answered 403 [redacted] instead of 101"},
		"no HTTP": {func(c *wstest.Conn) {
			c.Request()
			c.Raw("SSH-2.0-connection-key-1\r\n\r\n")
		}, `malformed HTTP response "SSH-2.0-[redacted]"`},
		"close": {func(c *wstest.Conn) {
			c.Accept()
			c.Message()
			c.Send(wstest.Close(4001, "connection-key-1"))
			c.Watch()
		}, `close frame 4001 "[redacted]" before the reply`},
		"marks": {func(c *wstest.Conn) {
			c.Accept()
			c.Message()
			c.Send(wstest.Close(4001, "\x02\x00connection-key-1\x01"))
			c.Watch()
		}, `close frame 4001 "\x02\x00[redacted]\x01" before the reply`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := wstest.Start(test.script)
			defer s.Close()
			r := runOnce(t, probe.Spec{Opening: probe.Opening{URL: s.URL, Headers: headers},
				Interpretation: probe.RoundTripLatency, Send: ping, Expect: "never"})
			if got, _, _ := strings.Cut(r.Detail, ", "); got != test.want {
				t.Errorf("got %s, want %s", r.Detail, test.want)
			}
		})
	}
}

// TestPlacesAndNamesAreLegible: what a refusal says of an Origin, a host, a client or a parameter is what people need.
func TestPlacesAndNamesAreLegible(t *testing.T) {
	t.Parallel()
	const body = `Origin https://app.example.com of Mozilla/5.0 at chat.example.com is not allowed; ` +
		`channel=orders-7, transport=websocket, token`
	s := wstest.Start(func(c *wstest.Conn) {
		c.Request()
		c.Refuse(403, body)
	})
	defer s.Close()
	r := runOnce(t, probe.Spec{Opening: probe.Opening{
		URL: s.URL + "?EIO=4&transport=websocket&channel=orders-7&token=query-secret-1",
		Headers: map[string]string{"Origin": "https://app.example.com", "User-Agent": "Mozilla/5.0",
			"Host": "chat.example.com", "X-Version": "4"},
	}})
	if want := strings.ReplaceAll(body, "orders-7", "[redacted]"); r.Body != want {
		t.Errorf("got %s, want %s", r.Body, want)
	}
}

// TestLongSubprotocolsAreHidden: what is longer than a name is a token, in every place.
func TestLongSubprotocolsAreHidden(t *testing.T) {
	t.Parallel()
	token := "base64url.bearer." + base64.RawURLEncoding.EncodeToString([]byte("a-token-of-a-cluster"))
	s := wstest.Start(func(c *wstest.Conn) { c.Accept("Sec-WebSocket-Protocol: " + token) })
	defer s.Close()
	r := runOnce(t, probe.Spec{Opening: probe.Opening{URL: s.URL, Protocols: []string{"v4.channel.example", token}},
		Interpretation: probe.ConnectionSuccess})
	if r.Subprotocol != "[redacted]" {
		t.Errorf("got %q", r.Subprotocol)
	}
	s = wstest.Start(func(c *wstest.Conn) {
		c.Request()
		c.Refuse(403, "no "+token+", but v4.channel.example: a-token-of-a-cluster")
	})
	defer s.Close()
	r = runOnce(t, probe.Spec{Opening: probe.Opening{URL: s.URL, Protocols: []string{"v4.channel.example", token}}})
	if want := "no [redacted], but v4.channel.example: [redacted]"; r.Body != want {
		t.Errorf("got %q, want %q", r.Body, want)
	}
}

// TestWordsOfOthersAreNoOwnWords has endpoints say first what marks, or marked, a sentence of the probe.
func TestWordsOfOthersAreNoOwnWords(t *testing.T) {
	t.Parallel()
	for _, begin := range []string{"\x00", "\x00\x01", "\x01", "\x02\x00"} {
		s := wstest.Start(writes(begin + "connection-key-1 \x1b[2J\r\n"))
		r := runOnce(t, probe.Spec{Opening: probe.Opening{URL: s.URL,
			Headers: map[string]string{"X-Key": "connection-key-1"}}})
		if strings.Contains(r.Detail, "connection-key-1") || strings.ContainsAny(r.Detail, "\x00\x01\x02\x1b") ||
			!strings.Contains(r.Detail, "[redacted]") {
			t.Errorf("%q: detail %q", begin, r.Detail)
		}
		s.Close()
	}
}
