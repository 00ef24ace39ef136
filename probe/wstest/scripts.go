package wstest

import (
	"strings"
	"time"
)

// Echo returns every message as text.
func Echo(c *Conn) {
	c.Accept()
	for {
		c.Send(Text(c.Message()))
	}
}

// Silent opens, answers pings and close frames, and sends no message.
func Silent(c *Conn) {
	c.Accept()
	c.Serve()
}

// Deaf opens, then reads without ever answering, a close frame neither.
func Deaf(c *Conn) {
	c.Accept()
	c.Watch()
}

// Reply answers every message with a text.
func Reply(text string) Script { return SlowReply(0, text) }

// SlowReply is Reply with a pause before each answer.
func SlowReply(after time.Duration, text string) Script {
	return func(c *Conn) {
		c.Accept()
		for {
			c.Message()
			c.Pause(after)
			c.Send(Text(text))
		}
	}
}

// Frames answers the first message with frames, all at once, and goes on as an ordinary server.
func Frames(frames ...Frame) Script {
	return func(c *Conn) {
		c.Accept()
		c.Message()
		c.Send(frames...)
		c.Serve()
	}
}

// Greeting says something in the same segment as the 101, and something else in answer to each message.
func Greeting(greeting, text string) Script {
	return func(c *Conn) {
		c.Raw(c.AcceptHead() + Text(greeting).Bytes())
		for {
			c.Message()
			c.Send(Text(text))
		}
	}
}

// CloseAtOpen closes with a code as soon as it has opened.
func CloseAtOpen(code int, reason string) Script {
	return func(c *Conn) {
		c.Raw(c.AcceptHead() + Close(code, reason).Bytes())
		c.untilClosed()
	}
}

// CloseWith answers the first message with a close frame.
func CloseWith(code int, reason string) Script {
	return func(c *Conn) {
		c.Accept()
		c.Message()
		c.Send(Close(code, reason))
		c.untilClosed()
	}
}

// untilClosed waits for the client's close frame, after which the server closes first (RFC 6455 7.1.1).
func (c *Conn) untilClosed() {
	for c.visit.CloseCode == 0 {
		c.Read()
	}
}

// Drop ends the TCP connection in answer to the first message, without a close frame.
func Drop(c *Conn) {
	c.Accept()
	c.Message()
	c.FIN()
	c.Watch()
}

// Reset resets the TCP connection in answer to the first message.
func Reset(c *Conn) {
	c.Accept()
	c.Message()
	c.Reset()
}

// Flood answers the first message with text messages without end, and never looks at a close frame.
func Flood(text string) Script {
	return func(c *Conn) {
		c.Accept()
		c.Message()
		c.Flood(strings.Repeat(Text(text).Bytes(), 1+4096/(len(text)+2)))
	}
}

// Flood writes the same bytes again and again until the client has gone, then reads what it said.
func (c *Conn) Flood(data string) {
	for {
		if _, err := c.stream.Write([]byte(data)); err != nil {
			c.Watch()
		}
	}
}

// Refuse answers the request with a status other than 101.
func Refuse(status int, body string, lines ...string) Script {
	return func(c *Conn) { c.Refuse(status, body, lines...) }
}

// Redirect answers with 302 to a place.
func Redirect(location string) Script {
	return Refuse(302, "over there\n", "Location: "+location)
}

// StallHandshake reads the request and never answers.
func StallHandshake(c *Conn) {
	c.Request()
	c.Hold()
}

// DripHandshake answers as an ordinary server does, with a pause between the bytes of the 101.
func DripHandshake(gap time.Duration, text string) Script {
	return func(c *Conn) {
		c.Drip(c.AcceptHead(), gap)
		for {
			c.Message()
			c.Send(Text(text))
		}
	}
}

// BadAccept answers with a 101 whose Sec-WebSocket-Accept belongs to another key.
func BadAccept(c *Conn) {
	c.Falsify(AcceptKey(c.Request().Header.Get("Sec-WebSocket-Key")), AcceptKey("another key"))
	c.Serve()
}

// Falsify writes the 101 with one text in it replaced.
func (c *Conn) Falsify(old, with string, lines ...string) {
	c.Raw(strings.Replace(c.AcceptHead(lines...), old, with, 1))
}

// ByPath picks a script by the path of the request, and refuses other paths with 404.
func ByPath(scripts map[string]Script) Script {
	return func(c *Conn) {
		script, found := scripts[c.Request().URL.Path]
		if !found {
			script = Refuse(404, "no such endpoint\n")
		}
		script(c)
	}
}
