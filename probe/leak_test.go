package probe_test

import (
	"html"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// TestReflectedSecrets: endpoints repeat what they were sent, whole, cut, and in the forms of redirects and error
// pages. No text of a result may show it.
func TestReflectedSecrets(t *testing.T) {
	const secret = `zQ"9'<k>&S3cr3t+/==-abcdefghijklmnop`
	cut := secret[:20]
	for name, script := range map[string]wstest.Script{
		"cut in a close reason":  wstest.CloseWith(4001, "invalid token "+cut),
		"cut in a banner":        func(c *wstest.Conn) { c.Request(); c.Raw("ERR token " + cut + " is bad\r\n") },
		"cut in a header":        wstest.Script(func(c *wstest.Conn) { c.Falsify("websocket", "no "+cut); c.Hold() }),
		"in a reason phrase":     func(c *wstest.Conn) { c.Request(); c.Raw("HTTP/1.1 403 " + cut + "\r\n\r\n") },
		"percent-encoded":        wstest.Reply("bad token " + url.QueryEscape(secret)),
		"percent-encoded a path": wstest.Reply("bad token " + url.PathEscape(secret)),
		"HTML":                   wstest.Refuse(401, "<p>bad token "+html.EscapeString(secret)+"</p>"),
		"in capitals":            wstest.Reply("BAD TOKEN " + strings.ToUpper(secret)),
		"cut in a reply":         wstest.Reply("bad token " + cut + " and more"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := wstest.Start(script)
			defer s.Close()
			r := runOnce(t, probe.Spec{
				Opening:        probe.Opening{URL: s.URL, Headers: map[string]string{"X-Token": secret}},
				Interpretation: probe.RoundTripLatency, Timeout: brief, Send: ping, Expect: want,
			})
			if r.Reason == reasons.OK {
				t.Error("the run was ok")
			}
			for _, text := range []string{r.Detail, r.Body, r.CloseReason, r.LastReply} {
				if strings.Contains(strings.ToLower(text), "cr3t") {
					t.Errorf("shown: %q", text)
				}
			}
		})
	}
}

// TestStatusBelow100: what is no status code of HTTP is no interim response to be passed over.
func TestStatusBelow100(t *testing.T) {
	endpoint{name: "status_099", reason: reasons.OpenFailed, err: reasons.MalformedResponse, detail: "099",
		ends:   time.Second,
		script: func(c *wstest.Conn) { c.Request(); c.Raw("HTTP/1.1 099 X\r\n\r\n"); c.Hold() }}.test(t)
}

// TestMessageBegunBeforeTheSend: a message whose first fragment was there before the probe sent cannot answer it.
func TestMessageBegunBeforeTheSend(t *testing.T) {
	endpoint{name: "greeting_in_halves", least: 190 * time.Millisecond, most: 1200 * time.Millisecond,
		script: func(c *wstest.Conn) {
			halves := wstest.Fragments(wstest.OpText, pong[:5], pong[5:])
			c.Raw(c.AcceptHead() + halves[0].Bytes())
			c.Message()
			c.Pause(100 * time.Millisecond)
			c.Send(halves[1])
			c.Pause(100 * time.Millisecond)
			c.Send(wstest.Text(pong))
			c.Serve()
		}}.test(t)
}
