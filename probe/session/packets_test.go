package session

import (
	"io"
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// TestPackets holds that the messages of a session over MQTT are packets, however these are cut into WebSocket messages.
func TestPackets(t *testing.T) {
	spec := Spec{
		Opening: probe.Opening{Protocols: []string{"mqtt"}}, MessageFormat: probe.FormatHex, MaxReply: 300,
		Heartbeat:   &Heartbeat{Send: "c0 00", Expectation: Expectation{Expect: "d0 00"}, Interval: 10 * sec, Timeout: 4 * sec},
		Expectation: Expectation{Expect: "00 01 74"}, // a PUBLISH for the topic t
	}
	publish := "\x30\x05\x00\x01tab"
	long := "\x30\x85\x02\x00\x01t" + strings.Repeat("x", 258) // with a length of two bytes
	for name, test := range map[string]struct {
		do   func(*rig)
		want []string
	}{
		"one in several messages": {func(r *rig) {
			r.feed(sec, wstest.Binary("\x30"), wstest.Binary("\x05\x00\x01"), wstest.Binary("tab"))
		}, []string{"1s 7 bytes, gap 1s"}},
		"several in one message": {func(r *rig) { r.feed(sec, wstest.Binary("\xd0\x00"+publish+publish)) },
			[]string{"1s 2 bytes", "1s 7 bytes, gap 1s", "1s 7 bytes, gap 0s"}},
		"across the ends of messages": {func(r *rig) {
			r.feed(sec, wstest.Binary(publish+publish[:3]), wstest.Binary(publish[3:]+long[:2]), wstest.Binary(long[2:]+"\xd0\x00"))
		}, []string{"1s 7 bytes, gap 1s", "1s 7 bytes, gap 0s", "1s 264 bytes, gap 0s", "1s 2 bytes"}},
		"the answer to a heartbeat": {func(r *rig) {
			r.until(10 * sec)
			r.feed(10*sec+5*ms, wstest.Binary("\xd0"), wstest.Binary("\x00"))
			r.until(20 * sec)
		}, []string{"10s say binary \xc0\x00", "10.005s beat 5ms", "10.005s 2 bytes", "20s say binary \xc0\x00"}},
		"a text is no packet": {func(r *rig) { r.feed(sec, wstest.Text("\x30"), wstest.Binary(publish)) },
			[]string{"1s 1 bytes", "1s 7 bytes, gap 1s"}},
		"what is no MQTT": {func(r *rig) { r.feed(sec, wstest.Binary("\xff\xff\xff\xff\xffxxxx"), wstest.Binary(publish)) },
			[]string{"1s 9 bytes", "1s 7 bytes, gap 1s"}},
		"longer than a message may be": {func(r *rig) { r.feed(sec, wstest.Binary("\x30\xff\x7f"), wstest.Binary(publish)) },
			[]string{"1s 3 bytes", "1s 7 bytes, gap 1s"}},
		"empty": {func(r *rig) { r.feed(sec, wstest.Binary(""), wstest.Binary(publish)) }, []string{"1s 7 bytes, gap 1s"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, spec, nil)
			test.do(r)
			r.want(test.want...)
			r.m.gone(&r.w, io.EOF, opened.Add(60*sec))
			r.free()
		})
	}
	t.Run("a beginning that is left gives its memory back", func(t *testing.T) {
		r := newRig(t, spec, nil)
		r.feed(sec, wstest.Binary(publish[:3]))
		if taken := all - r.m.plan.memory.left.Load(); taken <= 0 {
			t.Errorf("it takes %d bytes", taken)
		}
		r.m.gone(&r.w, io.EOF, opened.Add(2*sec))
		r.free()
	})
	t.Run("a flood of packets in one message", func(t *testing.T) {
		flood := spec
		flood.MaxReply = 1 << 20
		r := newRig(t, flood, nil)
		r.m.feed(&r.w, []byte(wstest.Binary(strings.Repeat("\xd0\x00", 400_000)).Bytes()), opened)
		if n := len(r.w.events); n != maxPackets+1 {
			t.Errorf("%d events, want %d", n, maxPackets+1)
		}
	})
}
