package stream

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/buffer"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/event"
	"github.com/wsprobe/wsprobe/probe/shape"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// TestObserve: events that are not selected count nowhere.
func TestObserve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, peer{}, func(o *Options) { o.Select = event.Selection{Probes: []string{"feed-*"}} })
		defer r.stop()
		r.observe("other", "a")
		r.observe("feed-1", "b")
		r.wait(sec)
		if c := r.stream.Counts(); r.arrived() != "1:b" || c.Events != 1 || c.Sent != 1 {
			t.Errorf("%s, %+v", r.arrived(), c)
		}
	})
}

// TestNew holds that an opening that is not valid is an error.
func TestNew(t *testing.T) {
	if _, err := New(Options{}); err == nil {
		t.Error("no error")
	}
}

// TestKinds: a message holds one encoding only, and a binary one travels in binary messages. An event of an earlier
// encoding keeps it.
func TestKinds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kinds := make(chan byte, 10)
		server := wstest.Memory(func(c *wstest.Conn) {
			c.Accept()
			for {
				f := c.Read()
				switch f.Opcode {
				case wstest.OpPing:
					c.Send(wstest.Pong(f.Payload))
				case wstest.OpText, wstest.OpBinary:
					kinds <- f.Opcode
				}
			}
		})
		r := start(t, peer{}, func(o *Options) { o.Opening.URL, o.Opening.Dial, o.Batch.Events = server.URL, server.Dial, 10 })
		defer server.Close()
		defer r.stop()
		for _, codec := range []string{shape.Msgpack, shape.JSON, shape.JSON} {
			e, encoder := occurrence("p", codec), encoder(t, codec)
			form := encoder.Encode(e)
			r.stream.buffer.Add(buffer.Item{ID: e.ID, Lane: "p", At: e.At, Encoding: encoder.Name(), Text: form.Text, Slot: form.Slot})
		}
		r.wait(3 * sec)
		if len(kinds) != 2 || <-kinds != wstest.OpBinary || <-kinds != wstest.OpText || r.stream.Counts().Sent != 3 {
			t.Errorf("%d messages more, %+v", len(kinds), r.stream.Counts())
		}
	})
}

// TestGather: events that come close together share a write, an event that comes alone does not wait, and none waits
// long.
func TestGather(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, peer{}, nil)
		defer r.stop()
		r.wait(sec)
		for i, wait := range []time.Duration{0, 1, 2, 5, 20} { // ms after the first one
			began := time.Now()
			r.observe("p", "a")
			for r.wait(0); r.count() <= i; r.wait(ms) {
			}
			if took := time.Since(began); wait == 0 && took > 0 || took > gather {
				t.Errorf("event %d took %v", i, took)
			}
			time.Sleep(wait * ms)
		}
	})
}
