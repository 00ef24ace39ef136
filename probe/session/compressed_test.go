package session

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unsafe"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

const machineSize = unsafe.Sizeof(machine{})

// agreed is a compression with parameters.
func agreed(t testing.TB, params string) *frame.Deflate {
	t.Helper()
	d, problem := frame.AcceptDeflate([]string{"permessage-deflate" + params}, true)
	if problem != "" {
		t.Fatal(problem)
	}
	return d
}

// TestCompressed holds that compressed messages are judged inflated, that only a takeover keeps a window, and that a
// bomb ends the session.
func TestCompressed(t *testing.T) {
	spec := Spec{Expectation: Expectation{Expect: "needle"}}
	for name, test := range map[string]struct {
		params string
		window bool
	}{"takeover": {"", true}, "no takeover": {"; server_no_context_takeover", false}} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, spec, agreed(t, test.params))
			d := wstest.NewDeflater()
			first := d.Message("a needle")
			if !test.window {
				d = wstest.NewDeflater()
			}
			second := d.Message("a needle")
			r.feed(sec, wstest.Compressed(first), wstest.Text("a needle"), wstest.Compressed(second), wstest.Compressed(wstest.NewDeflater().Message("hay")))
			r.want("1s 8 bytes, gap 1s", "1s 8 bytes, gap 0s", "1s 8 bytes, gap 0s", "1s 3 bytes")
			if got := r.m.buffers != nil && r.m.buffers.window != nil; got != test.window {
				t.Errorf("window: %t", got)
			}
			r.m.stop(&r.w, ByStop, opened.Add(sec))
			r.free()
		})
	}
	t.Run("bomb", func(t *testing.T) {
		r := newRig(t, spec, agreed(t, ""))
		r.feed(sec, wstest.Compressed(wstest.Bomb(16)))
		r.want("1s ended by breach: ws_closed_early message_too_big 1009", "1s say close 1009")
		r.free()
	})
	t.Run("no memory for the window that the open left", func(t *testing.T) {
		r := newRig(t, spec, agreed(t, ""))
		r.m.plan.memory.take(all - 100)
		r.m.adopt(&r.w, &frame.Left{Window: make([]byte, 101), Parser: r.m.parser}, opened)
		r.note(0)
		r.want("0s ended by memory: ws_reply_timeout local_resources 1009", "0s say close 1009")
		r.m.plan.memory.give(all - 100)
		r.free()
	})
	t.Run("corrupt", func(t *testing.T) {
		r := newRig(t, spec, agreed(t, ""))
		r.feed(sec, wstest.Compressed("\xff\xff"))
		r.want("1s ended by breach: ws_closed_early protocol_error 1007", "1s say close 1007")
	})
}

// FuzzMachine: however a stream is cut, a session tells the same.
func FuzzMachine(f *testing.F) {
	d := wstest.NewDeflater()
	for _, frames := range [][]wstest.Frame{
		{wstest.Text(`{"n":1,"ch":"x"}`), wstest.Text(`{"n":3,"ch":"x"}`), wstest.Ping("x"), wstest.Pong("y"), wstest.Close(1000, "bye")},
		{{Opcode: wstest.OpText, Payload: "h\xc3", More: true}, wstest.Ping("in between"), {Payload: "\xa9llo"}, wstest.Binary("ask")},
		{wstest.Compressed(d.Message("ho")), wstest.Compressed(d.Message("ho ho")), {Opcode: 11}},
		{wstest.Text("\xff")}, {{Opcode: wstest.OpText, Announce: 1 << 40}}, {wstest.Text("")},
		{wstest.Close(1001, "alone")},
	} {
		var stream string
		for _, frame := range frames {
			stream += frame.Bytes()
		}
		f.Add([]byte(stream), []byte{1, 2, 1}, byte(3))
	}
	f.Fuzz(func(t *testing.T, stream, cuts []byte, how byte) {
		told := func(cuts []byte) string {
			spec := Spec{MaxReply: 4096}
			if how&1 != 0 {
				spec.Expectation, spec.Sequence = Expectation{Expect: "ch"}, "n"
				spec.Answers = []Answer{{Expectation: Expectation{Expect: "ask"}, Send: "a"}}
				spec.Heartbeat = &Heartbeat{Send: "hi", Expectation: Expectation{Expect: "ho"}}
			}
			var compression *frame.Deflate
			if how&2 != 0 {
				compression = agreed(t, "")
			}
			r := newRig(t, spec, compression)
			r.until(30 * sec)
			var b bytes.Buffer
			for _, chunk := range wstest.Chunks(stream, cuts) {
				r.m.feed(&r.w, chunk, opened.Add(31*sec))
				for _, e := range r.w.events {
					if e.End != nil { // bytes behind a breach count in the chunk that has it
						e.End.Totals.BytesIn = 0
						fmt.Fprintf(&b, "%+v\n", *e.End)
					}
					if e.Kind != Pinged { // one tells of several Pings that came together
						fmt.Fprintln(&b, describe(e))
					}
				}
				r.w.reset()
			}
			r.m.stop(&r.w, ByStop, opened.Add(32*sec))
			r.free()
			return b.String()
		}
		if whole, cut := told(nil), told(cuts); hide(whole) != hide(cut) {
			t.Fatalf("%x\nwhole %s\ncut %s", stream, whole, cut)
		}
	})
}

// hide removes the marks of sentences, which differ from process to process only.
func hide(s string) string { return strings.ToValidUTF8(s, "?") }

// BenchmarkPing is a Ping and its Pong, without I/O.
func BenchmarkPing(b *testing.B) {
	s := Spec{PingInterval: 10 * sec}
	s.URL = "ws://h"
	p, err := newPlan(s.WithDefaults(), newMemory(all))
	if err != nil {
		b.Fatal(err)
	}
	m, w := newMachine(p, nil, opened), work{}
	pong := []byte("\x8a\x0812345678")
	b.ReportAllocs()
	for b.Loop() {
		at := m.next()
		m.tick(&w, at, at)
		copy(pong[2:], m.ping[:])
		m.feed(&w, pong, at.Add(ms))
		w.reset()
	}
	b.ReportMetric(float64(machineSize), "B/machine")
}
