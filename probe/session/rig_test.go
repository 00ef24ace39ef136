package session

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/probe/internal/say"
)

// rig drives a machine by a clock of its own, and writes down everything that the machine says and tells.
type rig struct {
	t    *testing.T
	m    machine
	w    work
	ping string // the payload of the last Ping
	log  []string
	ends []End
	now  time.Duration // of the last call
}

// opened is when every machine of a rig opened.
var opened = time.Date(2026, 11, 28, 8, 0, 0, 0, time.UTC)

// all is the memory of all machines of a rig.
const all = 4 << 20

func newRig(t *testing.T, s Spec, agreed *frame.Deflate) *rig {
	t.Helper()
	s.URL = "ws://h"
	s = s.WithDefaults()
	if faults := s.Validate(); faults != nil {
		t.Fatal(faults)
	}
	p, err := newPlan(s, newMemory(all))
	if err != nil {
		t.Fatal(err)
	}
	return &rig{t: t, m: newMachine(p, agreed, opened)}
}

// feed feeds frames at a time after the open.
func (r *rig) feed(at time.Duration, frames ...interface{ Bytes() string }) {
	for _, f := range frames {
		r.m.feed(&r.w, []byte(f.Bytes()), opened.Add(at))
		r.note(at)
	}
}

// pong answers the last Ping.
func (r *rig) pong(at time.Duration) { r.feed(at, raw("\x8a\x08"+r.ping)) }

// raw is a text of bytes.
type raw string

func (b raw) Bytes() string { return string(b) }

// until ticks exactly when the machine wants it, or at once if that time has passed.
func (r *rig) until(end time.Duration) {
	for range 1000 {
		next := r.m.next()
		if next.IsZero() || next.After(opened.Add(end)) {
			return
		}
		r.tick(max(r.now, next.Sub(opened)))
	}
	r.t.Fatal("the machine does not come to rest")
}

// tick ticks once.
func (r *rig) tick(at time.Duration) {
	r.m.tick(&r.w, opened.Add(at), opened.Add(at))
	r.note(at)
}

// note writes down what the last call did.
func (r *rig) note(at time.Duration) {
	r.now = max(r.now, at)
	for _, e := range r.w.events {
		if got := e.At.Sub(opened); got != at {
			r.t.Errorf("an event of %v at %v", got, at)
		}
		r.log = append(r.log, fmt.Sprint(at, " ", describe(e)))
		if e.End != nil {
			r.ends = append(r.ends, *e.End)
		}
	}
	for out := r.w.out; len(out) > 0; {
		opcode, payload, size := unmask(r.t, out)
		text := payload
		switch opcode {
		case frame.Ping:
			r.ping, text = payload, ""
		case frame.Close:
			text = "none"
			if payload != "" {
				text = fmt.Sprint(binary.BigEndian.Uint16([]byte(payload)))
			}
		}
		name := map[byte]string{frame.Text: "text", frame.Binary: "binary", frame.Close: "close", frame.Ping: "ping", frame.Pong: "pong"}[opcode]
		r.log = append(r.log, strings.TrimSpace(fmt.Sprint(at, " say ", name, " ", text)))
		out = out[size:]
	}
	r.w.reset()
}

// describe is an event in words.
func describe(e Event) string {
	switch e.Kind {
	case Ponged:
		return fmt.Sprint("ponged ", e.RTT)
	case Unanswered:
		return "unanswered"
	case Beat:
		return fmt.Sprint("beat ", e.RTT)
	case RenewalDue:
		return "renewal due"
	case Pinged:
		return "pinged"
	case Closed:
		return map[bool]string{true: "closed cleanly", false: "closed"}[e.Clean]
	case Ended:
		end := e.End
		text := fmt.Sprintf("ended by %s: %s %s %d", end.Cause, end.Reason, end.ErrorType, end.Code)
		if end.CloseReason != "" {
			text += " " + end.CloseReason
		}
		return text
	}
	m := e.Message
	text := fmt.Sprintf("%d bytes", m.Size)
	if m.Wanted {
		text += fmt.Sprint(", gap ", m.Gap)
	}
	if m.Dated {
		text += fmt.Sprint(", age ", m.Age)
	}
	if m.Lost > 0 {
		text += fmt.Sprint(", lost ", m.Lost)
	}
	if m.Repeated {
		text += ", repeated"
	}
	if m.Disordered {
		text += ", disordered"
	}
	if m.Late {
		text += ", late"
	}
	return text
}

// unmask reads one frame of a client.
func unmask(t *testing.T, b []byte) (opcode byte, payload string, size int) {
	t.Helper()
	if len(b) < 6 || b[0]&0xf0 != 0x80 || b[1]&0x80 == 0 {
		t.Fatalf("not a whole, masked frame: %x", b)
	}
	n, head := int(b[1]&0x7f), 2
	if n == 126 {
		n, head = int(binary.BigEndian.Uint16(b[2:])), 4
	}
	body := slices.Clone(b[head+4 : head+4+n])
	for i := range body {
		body[i] ^= b[head+i%4]
	}
	return b[0] & 0x0f, string(body), head + 4 + n
}

// want compares what happened.
func (r *rig) want(lines ...string) {
	r.t.Helper()
	if !slices.Equal(r.log, lines) {
		r.t.Errorf("got\n  %s\nwant\n  %s", strings.Join(r.log, "\n  "), strings.Join(lines, "\n  "))
	}
}

// free checks that the machine gave all memory back.
func (r *rig) free() {
	r.t.Helper()
	if left := r.m.plan.memory.left.Load(); left != all || r.m.buffers != nil {
		r.t.Errorf("%d of %d bytes are left, and %v is held", left, all, r.m.buffers)
	}
}

// shown is a sentence without its marks.
func shown(sentence string) string {
	return say.Shown(sentence, 1000, func(s string, _ int) string { return s })
}
