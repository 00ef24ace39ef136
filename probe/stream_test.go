package probe_test

import (
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// stream greets with a message, answers the first one with several, and picks a subprotocol.
func stream(protocol, greeting string, pieces ...wstest.Frame) wstest.Script {
	return func(c *wstest.Conn) {
		head := c.AcceptHead()
		if protocol != "" {
			head = c.AcceptHead("Sec-WebSocket-Protocol: " + protocol)
		}
		if greeting != "" {
			head += wstest.Binary(greeting).Bytes()
		}
		c.Raw(head)
		c.Message()
		c.Send(pieces...)
		c.Serve()
	}
}

// TestStream: in MQTT, and only there, a packet may come in several messages (MQTT 3.1.1 6.0, MQTT-6.0.0-2).
func TestStream(t *testing.T) {
	connack := []wstest.Frame{wstest.Binary("\x20"), wstest.Binary("\x02"), wstest.Binary("\x00\x00")}
	for name, c := range map[string]struct {
		script  wstest.Script
		pattern string
		refused bool
	}{
		"a packet in pieces":          {script: stream("mqtt", "", connack...)},
		"also in MQTT 3.1":            {script: stream("mqttv3.1", "", connack...)},
		"a pattern over pieces":       {script: stream("mqtt", "", connack...), pattern: `^\x20\x02\x00\x00$`},
		"a pattern for one of them":   {script: stream("mqtt", "", connack...), pattern: `^\x02$`},
		"another subprotocol":         {script: stream("chat", "", connack...), refused: true},
		"no subprotocol":              {script: stream("", "", connack...), refused: true},
		"what came before is no part": {script: stream("mqtt", "\x20", connack[1:]...), refused: true},
		"nor is text": {script: stream("mqtt", "", connack[0], wstest.Text("x"), connack[1],
			connack[2]), refused: true},
		"text does not make up a reply": {script: stream("mqtt", "", wstest.Text("\x20"), wstest.Text("\x02"),
			wstest.Text("\x00\x00")), refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			connect := func(s *probe.Spec, _ *wstest.Server) {
				s.Protocols, s.MessageFormat = []string{"mqtt", "mqttv3.1", "chat"}, probe.FormatHex
				s.Send, s.Expect = "10 0c 0004 4d515454 04 02 003c 0000", "20 02 00 00"
				if c.pattern != "" {
					s.Expect, s.ExpectPattern = "", c.pattern
				}
			}
			want := reasons.OK
			if c.refused {
				want = reasons.ReplyMismatch
			}
			inBubble(t, false, c.script, connect, func(r probe.Result, _ time.Duration) {
				if r.Reason != want {
					t.Errorf("%v, %s (%s); want %v", r.Reason, r.ErrorType, r.Detail, want)
				}
			})
		})
	}
}
