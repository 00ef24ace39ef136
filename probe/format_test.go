package probe_test

import (
	"testing"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// Packets of MQTT 3.1.1: a CONNECT without credentials, the CONNACK that accepts it, and one that refuses it.
const (
	mqttConnect  = "\x10\x13\x00\x04MQTT\x04\x02\x00\x3c\x00\x07wsprobe"
	mqttAccepted = "\x20\x02\x00\x00"
	mqttRefused  = "\x20\x02\x00\x05"
)

// mqtt answers a CONNECT that came as one binary message with a packet, and anything else with silence.
func mqtt(answer string) wstest.Script {
	return func(c *wstest.Conn) {
		c.Accept()
		if f := c.Read(); f.Opcode == wstest.OpBinary && f.Payload == mqttConnect {
			c.Send(wstest.Binary(answer))
		}
		c.Serve()
	}
}

// TestMessageFormat: what is written in hex or base64 goes out as bytes, and is compared as bytes.
func TestMessageFormat(t *testing.T) {
	hex := func(s *probe.Spec, _ *wstest.Server) {
		s.MessageFormat = probe.FormatHex
		s.Send, s.Expect = "10 13 0004 4d515454 04 02 003C 0007 77737072 6f6265", "20 02 00 00"
		if s.Interpretation != probe.RoundTripLatency {
			s.MessageFormat = ""
		}
	}
	base64 := func(s *probe.Spec, _ *wstest.Server) {
		hex(s, nil)
		if s.Interpretation == probe.RoundTripLatency {
			s.MessageFormat = probe.FormatBase64
			s.Send, s.Expect = "EBMABE1RVFQEAgA8AAd3\n  c3Byb2Jl\n", "IAIAAA=="
		}
	}
	endpoint{name: "hex", script: mqtt(mqttAccepted), change: hex}.test(t)
	endpoint{name: "base64", script: mqtt(mqttAccepted), change: base64}.test(t)
	other := unanswered("other_bytes", reasons.ReplyMismatched, mqtt(mqttRefused))
	other.change = hex
	other.test(t)
}

// TestExpectPattern: the whole message is looked at, however it comes, and each message alone.
func TestExpectPattern(t *testing.T) {
	pattern := func(expr string) func(*probe.Spec, *wstest.Server) {
		return func(s *probe.Spec, _ *wstest.Server) {
			if s.Expect = ""; s.Interpretation == probe.RoundTripLatency {
				s.ExpectPattern = expr
			}
		}
	}
	endpoint{name: "matches", script: wstest.Reply(`{"seq":1042}`), change: pattern(`"seq":\d+`)}.test(t)
	endpoint{name: "anchored", script: wstest.Reply("pong 7"), change: pattern(`^pong \d$`)}.test(t)
	endpoint{name: "in_fragments", script: wstest.Frames(wstest.Fragments(wstest.OpText, "po", "", "ng", " 7")...),
		change: pattern(`^pong \d$`)}.test(t)
	endpoint{name: "the_second_message", script: wstest.Frames(wstest.Text("not"), wstest.Text("pong 7")),
		change: pattern(`^pong \d$`)}.test(t)
	endpoint{name: "binary", script: wstest.Frames(wstest.Binary("\x00\x01pong")),
		change: pattern(`^\x00\x01pong`)}.test(t)
	other := unanswered("does_not_match", reasons.ReplyMismatched, wstest.Reply("pong x"))
	other.change = pattern(`^pong \d$`)
	other.test(t)
	parts := unanswered("only_when_joined", reasons.ReplyMismatched,
		wstest.Frames(wstest.Text("po"), wstest.Text("ng")))
	parts.change = pattern("pong")
	parts.test(t)
}
