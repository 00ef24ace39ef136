package wstest

import (
	"strings"
	"time"
)

// Case is a ready-made endpoint.
type Case struct {
	// Name is unique, in lower case with hyphens: fit for a path.
	Name string
	// Does says what the endpoint does, as a phrase.
	Does   string
	Script Script
}

// Catalogue returns the ready-made endpoints, good ones first. Those that answer say text, whatever they
// were asked. Every script can serve behind [ByPath].
func Catalogue(text string) []Case {
	var all []Case
	for _, family := range [][]Case{goodCases(text), handshakeCases(text), closeCases(text), messageCases(text)} {
		all = append(all, family...)
	}
	return all
}

func goodCases(text string) []Case {
	return []Case{
		{"good", "answers at once", Reply(text)},
		{"echo", "returns every message", Echo},
		{"slow", "answers after 400 ms", SlowReply(400*time.Millisecond, text)},
		{"greeting", "greets first, then answers", Greeting("welcome", text)},
		{"fragments", "answers in three fragments", Frames(Fragments(OpText, pieces(text, 3)...)...)},
		{"deflate", "answers compressed, if the client offers that", DeflateReply(text)},
		{"slow-handshake", "writes the 101 byte by byte, then answers", DripHandshake(4*time.Millisecond, text)},
	}
}

// pieces cuts a text into n.
func pieces(text string, n int) []string {
	out := make([]string, n)
	for i := range n {
		out[i] = text[i*len(text)/n : (i+1)*len(text)/n]
	}
	return out
}

func handshakeCases(text string) []Case {
	falsify := func(old, with string, lines ...string) Script {
		return func(c *Conn) {
			c.Falsify(old, with, lines...)
			c.Serve()
		}
	}
	return []Case{
		{"stall-handshake", "reads the request and never answers", StallHandshake},
		{"drip-handshake", "writes the 101 one byte a second", DripHandshake(time.Second, text)},
		{"fin-handshake", "closes without answering the request", func(c *Conn) { c.Request() }},
		{"reset-handshake", "resets the connection in place of an answer", func(c *Conn) { c.Request(); c.Reset() }},
		{"http-200", "answers 200", Refuse(200, "hello\n")},
		{"http-302", "redirects", Redirect("/good")},
		{"http-401", "wants credentials", Refuse(401, "who are you?\n", `WWW-Authenticate: Bearer`)},
		{"http-403", "refuses", Refuse(403, "not you\n")},
		{"http-404", "knows no such path", Refuse(404, "not here\n")},
		{"http-426", "wants another protocol", Refuse(426, "upgrade\n", "Upgrade: h2c")},
		{"http-429", "has had enough", Refuse(429, "later\n", "Retry-After: 60")},
		{"http-503", "is overloaded", Refuse(503, "busy\n")},
		{"bad-accept", "answers with a wrong Sec-WebSocket-Accept", BadAccept},
		{"bad-upgrade", "answers 101 for another protocol", falsify("Upgrade: websocket", "Upgrade: h2c")},
		{"bad-subprotocol", "picks a subprotocol nobody offered", falsify("", "", "Sec-WebSocket-Protocol: nobody.offered")},
		{"bad-extension", "picks an extension nobody offered", falsify("", "", "Sec-WebSocket-Extensions: nobody-offered")},
		{"not-http", "answers with something that is not HTTP", func(c *Conn) { c.Request(); c.Raw("SSH-2.0-OpenSSH_9.9\r\n"); c.Hold() }},
		{"endless-head", "writes header lines without end", func(c *Conn) {
			c.Request()
			c.Raw("HTTP/1.1 101 Switching Protocols\r\n")
			c.Flood("X-More: " + strings.Repeat("x", 1000) + "\r\n")
		}},
	}
}

func closeCases(text string) []Case {
	return []Case{
		{"close-at-open", "closes with 1008 as soon as it has opened", CloseAtOpen(1008, "go away")},
		{"close-1000", "closes with 1000 in place of an answer", CloseWith(1000, "bye")},
		{"close-1011", "closes with 1011 in place of an answer", CloseWith(1011, "internal error")},
		{"close-1013", "closes with 1013 in place of an answer", CloseWith(1013, "try again later")},
		{"close-4001", "closes with 4001 in place of an answer", CloseWith(4001, "token expired")},
		{"close-empty", "closes without a code", CloseWith(1005, "")},
		{"drop", "ends the TCP connection in place of an answer", Drop},
		{"reset", "resets the TCP connection in place of an answer", Reset},
		{"ignores-close", "answers, and never answers a close frame", func(c *Conn) { c.Accept(); c.Message(); c.Send(Text(text)); c.Watch() }},
	}
}

func messageCases(text string) []Case {
	return []Case{
		{"silent", "opens and never says a thing", Silent},
		{"mismatch", "answers with another text", Reply("something else")},
		{"flood", "answers with other messages without end", Flood("something else")},
		{"huge-frame", "announces a message of 1 GiB", Frames(Frame{Opcode: OpBinary, Payload: "begin", Announce: 1 << 30})},
		{"deflate-bomb", "answers with a small message that inflates to 512 MiB; wants compression", DeflateBomb(512)},
		{"masked", "masks its answer, as only clients may", Frames(Frame{Opcode: OpText, Payload: text, Masked: true})},
		{"reserved-bits", "sets a bit that no extension defines", Frames(Frame{Opcode: OpText, Payload: text, RSV: 2})},
		{"bad-utf8", "answers with text that is not UTF-8", Frames(Text(text + "\xff"))},
		{"half-message", "begins its answer and never ends it", Frames(Frame{Opcode: OpText, Payload: text, More: true})},
		{"pings-only", "pings without end and never answers", func(c *Conn) {
			c.Accept()
			c.Message()
			for {
				c.Send(Ping("still here"))
				if c.Read().Opcode == OpClose {
					c.Send(Close(1000, ""))
					return
				}
				c.Pause(100 * time.Millisecond)
			}
		}},
	}
}
