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
	// Parameters are those that the query of a request may set. An endpoint without any ignores the query.
	Parameters []Parameter
}

// Catalogue returns the ready-made endpoints: the good ones first, those that stay open last. Those that answer say
// text, whatever they were asked. Every script can serve behind [ByPath]. Endpoints that drain count the time from this
// call.
func Catalogue(text string) []Case {
	var all []Case
	for _, family := range [][]Case{goodCases(text), handshakeCases(text), closeCases(text), messageCases(text), heldCases(text)} {
		all = append(all, family...)
	}
	return all
}

// ready is an endpoint without parameters.
func ready(name, does string, script Script) Case {
	return Case{Name: name, Does: does, Script: script}
}

func goodCases(text string) []Case {
	return []Case{
		ready("good", "answers at once", Reply(text)),
		ready("echo", "returns every message", Echo),
		ready("slow", "answers after 400 ms", SlowReply(400*time.Millisecond, text)),
		ready("greeting", "greets first, then answers", Greeting("welcome", text)),
		ready("fragments", "answers in three fragments", Frames(Fragments(OpText, pieces(text, 3)...)...)),
		ready("deflate", "answers compressed, if the client offers that", DeflateReply(text)),
		ready("slow-handshake", "writes the 101 byte by byte, then answers", DripHandshake(4*time.Millisecond, text)),
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
		ready("stall-handshake", "reads the request and never answers", StallHandshake),
		ready("drip-handshake", "writes the 101 one byte a second", DripHandshake(time.Second, text)),
		ready("fin-handshake", "closes without answering the request", func(c *Conn) { c.Request() }),
		ready("reset-handshake", "resets the connection in place of an answer", func(c *Conn) { c.Request(); c.Reset() }),
		ready("http-200", "answers 200", Refuse(200, "hello\n")),
		ready("http-302", "redirects", Redirect("/good")),
		ready("http-401", "wants credentials", Refuse(401, "who are you?\n", `WWW-Authenticate: Bearer`)),
		ready("http-403", "refuses", Refuse(403, "not you\n")),
		ready("http-404", "knows no such path", Refuse(404, "not here\n")),
		ready("http-426", "wants another protocol", Refuse(426, "upgrade\n", "Upgrade: h2c")),
		ready("http-429", "has had enough", Refuse(429, "later\n", "Retry-After: 60")),
		ready("http-503", "is overloaded", Refuse(503, "busy\n")),
		ready("bad-accept", "answers with a wrong Sec-WebSocket-Accept", BadAccept),
		ready("bad-upgrade", "answers 101 for another protocol", falsify("Upgrade: websocket", "Upgrade: h2c")),
		ready("bad-subprotocol", "picks a subprotocol nobody offered", falsify("", "", "Sec-WebSocket-Protocol: nobody.offered")),
		ready("bad-extension", "picks an extension nobody offered", falsify("", "", "Sec-WebSocket-Extensions: nobody-offered")),
		ready("not-http", "answers with something that is not HTTP", func(c *Conn) { c.Request(); c.Raw("SSH-2.0-OpenSSH_9.9\r\n"); c.Hold() }),
		ready("endless-head", "writes header lines without end", func(c *Conn) {
			c.Request()
			c.Raw("HTTP/1.1 101 Switching Protocols\r\n")
			c.Flood("X-More: " + strings.Repeat("x", 1000) + "\r\n")
		}),
	}
}

func closeCases(text string) []Case {
	return []Case{
		ready("close-at-open", "closes with 1008 as soon as it has opened", CloseAtOpen(1008, "go away")),
		ready("close-1000", "closes with 1000 in place of an answer", CloseWith(1000, "bye")),
		ready("close-1011", "closes with 1011 in place of an answer", CloseWith(1011, "internal error")),
		ready("close-1013", "closes with 1013 in place of an answer", CloseWith(1013, "try again later")),
		ready("close-4001", "closes with 4001 in place of an answer", CloseWith(4001, "token expired")),
		ready("close-empty", "closes without a code", CloseWith(1005, "")),
		ready("drop", "ends the TCP connection in place of an answer", Drop),
		ready("reset", "resets the TCP connection in place of an answer", Reset),
		ready("ignores-close", "answers, and never answers a close frame", func(c *Conn) { c.Accept(); c.Message(); c.Send(Text(text)); c.Watch() }),
	}
}

func messageCases(text string) []Case {
	return []Case{
		ready("silent", "opens and never says a thing", Silent),
		ready("mismatch", "answers with another text", Reply("something else")),
		ready("flood", "answers with other messages without end", Flood("something else")),
		ready("huge-frame", "announces a message of 1 GiB", Frames(Frame{Opcode: OpBinary, Payload: "begin", Announce: 1 << 30})),
		ready("deflate-bomb", "answers with a small message that inflates to 512 MiB; wants compression", DeflateBomb(512)),
		ready("masked", "masks its answer, as only clients may", Frames(Frame{Opcode: OpText, Payload: text, Masked: true})),
		ready("reserved-bits", "sets a bit that no extension defines", Frames(Frame{Opcode: OpText, Payload: text, RSV: 2})),
		ready("bad-utf8", "answers with text that is not UTF-8", Frames(Text(text+"\xff"))),
		ready("half-message", "begins its answer and never ends it", Frames(Frame{Opcode: OpText, Payload: text, More: true})),
		ready("pings-only", "pings without end and never answers", func(c *Conn) {
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
		}),
	}
}
