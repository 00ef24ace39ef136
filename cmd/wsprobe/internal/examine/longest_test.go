package examine

import (
	"testing"
	"testing/synctest"

	"github.com/wsprobe/wsprobe/probe/session"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// upTo answers messages of at most so many bytes, and does something else with longer ones.
func upTo(most int, otherwise func(*wstest.Conn)) wstest.Script {
	return func(c *wstest.Conn) {
		c.Accept()
		for {
			if m := c.Message(); len(m) > most {
				otherwise(c)
				return
			}
			c.Send(wstest.Text("answer"))
		}
	}
}

// TestLongest holds how the longest message is found, to the byte if it is a round number or next to one.
func TestLongest(t *testing.T) {
	beat := &session.Heartbeat{Send: `{"op":"ping"}`}
	tooBig := func(c *wstest.Conn) { c.Send(wstest.Close(1009, "too big")); c.Serve() }
	fin := func(c *wstest.Conn) { c.FIN(); c.Watch() }
	three := func(c *wstest.Conn) {
		c.Accept()
		for range 3 {
			c.Message()
			c.Send(wstest.Text("answer"))
		}
		c.Message()
		fin(c)
	}
	for name, test := range map[string]struct {
		script wstest.Script
		beat   *session.Heartbeat
		most   int
		want   string
	}{
		"none": {wstest.Echo, beat, 1 << 20,
			`Messages of 1048576 bytes (1 MiB), the longest that were tried, are taken.`},
		"a power of two": {upTo(65536, tooBig), beat, 1 << 20,
			`Messages of up to 65536 bytes (64 KiB) are taken, and those of 65537 bytes end the connection: close frame 1009 "too big".`},
		"below a power of two": {upTo(65535, tooBig), nil, 1 << 20,
			`Messages of up to 65535 bytes are taken, and those of 65536 bytes (64 KiB) end the connection: close frame 1009 "too big".`},
		"a power of ten": {upTo(1_000_000, fin), beat, DefaultLongest,
			`Messages of up to 1000000 bytes are taken, and those of 1000001 bytes end the connection: FIN without a close frame. -> do not look for 1009: a message that is too long looks like a failure of the network`},
		"no round number": {upTo(70_000, tooBig), beat, 1 << 20,
			`Messages of up to 69844 bytes are taken, and those of 70382 bytes end the connection: close frame 1009 "too big".`},
		"reset": {upTo(512, (*wstest.Conn).Reset), beat, 1 << 20,
			`Messages of up to 512 bytes are taken, and those of 513 bytes end the connection: RST without a close frame. -> do not look for 1009: a message that is too long looks like a failure of the network`},
		"not read to the end": {upTo(4096, (*wstest.Conn).Hold), beat, 1 << 20,
			`Messages of up to 4096 bytes (4 KiB) are taken, and those of 4097 bytes are not read to the end.`},
		"not answered": {upTo(10_000, (*wstest.Conn).Serve), beat, 1 << 16,
			`Messages of 65536 bytes (64 KiB), the longest that were tried, are taken. -> do not take a Pong for success: the longest message with an answer had 4096 bytes (4 KiB)`},
		"never answered": {wstest.Silent, beat, 1 << 16,
			`Messages of 65536 bytes (64 KiB), the longest that were tried, are taken.`},
		"no message is taken": {wstest.Drop, nil, 1 << 16,
			`A message of 1 byte ends the connection already: FIN without a close frame. -> give a message that the endpoint understands with --send, for the longest one to be found`},
		"shorter than the first": {wstest.Echo, beat, 5,
			`Messages of 13 bytes, the longest that were tried, are taken.`},
		"a connection takes three messages, of any length": {three, beat, 1 << 20,
			`Messages of 1048576 bytes (1 MiB), the longest that were tried, are taken.`},
		"closes with another code": {upTo(65536, func(c *wstest.Conn) { c.Send(wstest.Close(1000, "")) }), beat, 1 << 20,
			`Messages of up to 65536 bytes (64 KiB) are taken, and those of 65537 bytes end the connection: close frame 1000. -> expect another code than 1009, the one of RFC 6455 for a message that is too long`},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := examined(t, test.script, "", Options{Spec: session.Spec{Heartbeat: test.beat}, For: MinFor, Longest: test.most})
				says(t, r.lines("messages"), test.want)
			})
		})
	}
}
