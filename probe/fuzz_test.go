package probe_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// FuzzAfterTheOpen: whatever bytes follow the 101, with or without compression, and whether the connection then ends
// or stays, a run ends in time and with a reason that an open socket can have.
func FuzzAfterTheOpen(f *testing.F) {
	reply := wstest.Text(pong).Bytes()
	for _, seed := range []string{
		"", reply, reply[:5], wstest.Ping("x").Bytes() + reply, "\x89\x05ab", "\xc1",
		"\x81\x7f\x00\x00\x00\x00\x40\x00\x00\x00",
		wstest.Compressed(deflated(pong)).Bytes(), wstest.Compressed(deflated(pong)[:5]).Bytes(),
		wstest.Compressed(pong).Bytes(),
		wstest.Compressed(wstest.Bomb(2)).Bytes(), wstest.Close(1013, "later").Bytes(), wstest.Text("no").Bytes() +
			wstest.Compressed("\xff").Bytes(),
		wstest.Compressed(strings.Repeat("\x03\x00", 100)).Bytes(), inPieces(deflated(pong), 1)[0].Bytes(),
	} {
		for _, how := range []byte{0, 1, 2, 3} {
			f.Add([]byte(seed), how)
		}
	}
	may := append([]reasons.Code{reasons.OK}, reasons.ReplyTimeout, reasons.ClosedEarly, reasons.ReplyMismatch)
	f.Fuzz(func(t *testing.T, stream []byte, how byte) {
		compressed, early, ends := how&1 != 0, how&2 != 0, how&4 != 0
		script := func(c *wstest.Conn) {
			head, said := c.AcceptHead(), string(stream)
			if compressed {
				head = c.AcceptHead(wstest.Deflate)
			}
			if early {
				c.Raw(head + said)
			} else {
				c.Raw(head)
				c.Message()
				c.Raw(said)
			}
			if ends {
				c.FIN()
			}
			c.Watch()
		}
		change := func(s *probe.Spec, _ *wstest.Server) {
			if compressed {
				s.Compression = probe.CompressionOn
			}
		}
		inBubble(t, false, script, change, func(r probe.Result, took time.Duration) {
			if took > 2*time.Second+budget {
				t.Errorf("took %v", took)
			}
			if !slices.Contains(may, r.Reason) || !r.Opened || (r.Reason == reasons.OK) != r.Replied {
				t.Errorf("got %v, %v", r.Reason, r.ErrorType)
			}
			if early && r.Replied {
				t.Error("what was there before the message was taken for the reply")
			}
		})
	})
}
