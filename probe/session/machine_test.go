package session

import (
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

const (
	ms  = time.Millisecond
	sec = time.Second
)

// TestPings holds when Pings are sent, what answers them and when they end the session.
func TestPings(t *testing.T) {
	pings := func(timeout time.Duration) Spec { return Spec{PingInterval: 10 * sec, PingTimeout: timeout} }
	for name, test := range map[string]struct {
		spec Spec
		do   func(*rig)
		want []string
	}{
		"answered": {pings(3 * sec), func(r *rig) {
			r.until(12 * sec)
			r.pong(10*sec + 7*ms)
			r.until(20 * sec)
		}, []string{"10s say ping", "10.007s ponged 7ms", "20s say ping"}},
		"none in time": {pings(3 * sec), func(r *rig) { r.until(13 * sec) },
			[]string{"10s say ping", "13s ended by ping: ws_reply_timeout pong_timeout 1000", "13s say close 1000"}},
		"timeout beyond the interval: no second Ping before the answer": {pings(25 * sec), func(r *rig) {
			r.until(34 * sec)
			r.pong(34 * sec)
			r.until(50 * sec)
		}, []string{"10s say ping", "34s ponged 24s", "34s say ping"}},
		"timeout beyond the interval, no answer": {pings(25 * sec), func(r *rig) { r.until(35 * sec) },
			[]string{"10s say ping", "35s ended by ping: ws_reply_timeout pong_timeout 1000", "35s say close 1000"}},
		"another Pong is a sign of life and no round trip": {pings(3 * sec), func(r *rig) {
			r.until(11 * sec)
			r.feed(11*sec, wstest.Pong("other"))
			r.until(20 * sec)
		}, []string{"10s say ping", "13s unanswered", "20s say ping"}},
		"the answer may come behind another Pong": {pings(3 * sec), func(r *rig) {
			r.until(11 * sec)
			r.feed(11*sec, wstest.Pong(""))
			r.pong(12 * sec)
			r.until(15 * sec)
		}, []string{"10s say ping", "12s ponged 2s"}},
		"a Pong before the Ping is no answer": {pings(3 * sec), func(r *rig) {
			r.feed(9*sec, wstest.Pong("early"))
			r.until(13 * sec)
		}, []string{"10s say ping", "13s ended by ping: ws_reply_timeout pong_timeout 1000", "13s say close 1000"}},
		"a message is no Pong": {pings(3 * sec), func(r *rig) {
			r.until(11 * sec)
			r.feed(11*sec, wstest.Text("x"))
			r.until(13 * sec)
		}, []string{"10s say ping", "11s 1 bytes, gap 11s", "13s ended by ping: ws_reply_timeout pong_timeout 1000", "13s say close 1000"}},
		"what came before a late tick counts": {pings(3 * sec), func(r *rig) {
			r.until(10 * sec)
			r.pong(11 * sec)
			r.tick(30 * sec)
		}, []string{"10s say ping", "11s ponged 1s", "30s say ping"}},
		"a tick that is late sends one Ping, not three": {pings(3 * sec), func(r *rig) {
			r.tick(31 * sec)
			r.pong(31*sec + ms)
			r.until(42 * sec)
		}, []string{"31s say ping", "31.001s ponged 1ms", "41s say ping"}},
		"the server's": {Spec{}, func(r *rig) { r.feed(sec, wstest.Ping("a"), wstest.Ping("")) },
			[]string{"1s pinged", "1s say pong a", "1s pinged", "1s say pong"}},
		"the server's, ignored": {Spec{IgnorePings: true}, func(r *rig) { r.feed(sec, wstest.Ping("a")) }, []string{"1s pinged"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, test.spec, nil)
			test.do(r)
			r.want(test.want...)
		})
	}
}

// TestHeartbeats holds the round trips of messages.
func TestHeartbeats(t *testing.T) {
	spec := Spec{Heartbeat: &Heartbeat{Send: "hi", Expectation: Expectation{Expect: "ho"}, Interval: 10 * sec, Timeout: 4 * sec}}
	for name, test := range map[string]struct {
		do   func(*rig)
		want []string
	}{
		"answered": {func(r *rig) {
			r.until(10 * sec)
			r.feed(10*sec+5*ms, wstest.Text("other"), wstest.Text("ho"))
			r.until(20 * sec)
		}, []string{"10s say text hi", "10.005s 5 bytes, gap 10.005s", "10.005s beat 5ms", "10.005s 2 bytes", "20s say text hi"}},
		"not answered": {func(r *rig) { r.until(14 * sec) },
			[]string{"10s say text hi", "14s ended by heartbeat: ws_reply_timeout reply_timeout 1000", "14s say close 1000"}},
		"not answered, but Pongs come": {func(r *rig) {
			r.until(10 * sec)
			r.feed(11*sec, wstest.Pong(""))
			r.until(14 * sec)
		}, []string{"10s say text hi", "14s ended by heartbeat: ws_reply_timeout reply_timeout_pong_ok 1000", "14s say close 1000"}},
		"what nobody asked for is no answer": {func(r *rig) {
			r.feed(sec, wstest.Text("ho"))
			r.until(10 * sec)
		}, []string{"1s 2 bytes, gap 1s", "10s say text hi"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, spec, nil)
			test.do(r)
			r.want(test.want...)
		})
	}
}

// TestFreshHeartbeats holds that each heartbeat has a nonce of its own, and that the answer to an earlier one is none.
func TestFreshHeartbeats(t *testing.T) {
	for name, expectation := range map[string]Expectation{
		"text":    {Expect: "got {{nonce}}"},
		"pattern": {ExpectPattern: `got {{nonce}}$`},
		"JSON":    {ExpectJSON: map[string]any{"n": "{{nonce}}"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, Spec{Heartbeat: &Heartbeat{Send: "{{nonce}}", Expectation: expectation, Interval: 10 * sec, Timeout: 4 * sec}}, nil)
			answer := func(nonce string) wstest.Frame {
				if name == "JSON" {
					return wstest.Text(`{"n":"` + nonce + `"}`)
				}
				return wstest.Text("got " + nonce)
			}
			r.until(10 * sec)
			first := strings.TrimPrefix(r.log[0], "10s say text ")
			if r.log = nil; len(first) != 26 {
				t.Fatal(first)
			}
			r.feed(10*sec+5*ms, answer(first))
			r.until(20 * sec)
			second := r.log[len(r.log)-1]
			r.feed(21*sec, answer(first))
			if r.until(24 * sec); strings.HasSuffix(second, first) || r.m.talk != nil {
				t.Errorf("second heartbeat: %s, after %s", second, first)
			}
			size := len(answer(first).Payload)
			r.want("10.005s beat 5ms", fmt.Sprintf("10.005s %d bytes", size), second, fmt.Sprintf("21s %d bytes, gap 21s", size),
				"24s ended by heartbeat: ws_reply_timeout reply_timeout 1000", "24s say close 1000")
			r.free()
		})
	}
}

// TestSilence holds that only the third clock ends a session: Pongs, answers and other messages do not stop it.
func TestSilence(t *testing.T) {
	spec := Spec{Expectation: Expectation{ExpectJSON: map[string]any{"ch": "trades"}}, MaxSilence: 30 * sec, PingInterval: 20 * sec,
		Answers: []Answer{{Expectation: Expectation{ExpectPattern: "^2$"}, Send: "3"}}}
	r := newRig(t, spec, nil)
	r.feed(5*sec, wstest.Text(`{"ch":"trades"}`))
	r.until(20 * sec)
	r.pong(20 * sec)
	r.feed(34*sec, wstest.Text(`{"ch":"other"}`), wstest.Text("2"))
	r.until(40 * sec)
	r.want("5s 15 bytes, gap 5s", "20s say ping", "20s ponged 0s", "34s 14 bytes", "34s 1 bytes", "34s say text 3",
		"35s ended by silence: ws_reply_timeout stale 1000", "35s say close 1000", "35.5s closed")
	end := r.ends[0]
	if end.Lifetime != 35*sec || end.IdleIn != sec || end.IdleOut != sec || end.SinceMessage != sec || end.SinceWanted != 30*sec || end.InFlight != (InFlight{}) {
		t.Errorf("%+v", end)
	}
	if want := (Totals{BytesIn: 17 + 10 + 16 + 3, BytesOut: 14 + 7, Messages: 3, Wanted: 1, Pings: 1, Pongs: 1}); end.Totals != want {
		t.Errorf("%+v, want %+v", end.Totals, want)
	}
	if got := shown(end.Detail); got != "no wanted message came for 30s" {
		t.Error(got)
	}
}

// TestNumbers holds gaps, repeats, disorder and ages.
func TestNumbers(t *testing.T) {
	r := newRig(t, Spec{Sequence: "n", SentAt: "t"}, nil)
	for i, text := range []string{
		`{"n":7,"t":"2026-11-28T08:00:00Z"}`, `{"n":8,"t":1795852800}`, `{"n":12,"t":1795852801500}`, `{"n":10}`, `{"n":10}`, `{"n":12}`,
		`{"n":"13"}`, `no number`, `{"n":14,"t":"1795852806000000"}`, `{"n":3}`, `{"n":15,"t":1795852810.5}`,
	} {
		r.feed(time.Duration(i+1)*sec, wstest.Text(text))
	}
	r.want("1s 34 bytes, gap 1s, age 1s", "2s 22 bytes, gap 1s, age 2s", "3s 26 bytes, gap 1s, age 1.5s, lost 3", "4s 8 bytes, gap 1s, disordered, late",
		"5s 8 bytes, gap 1s, repeated", "6s 8 bytes, gap 1s, repeated", "7s 10 bytes, gap 1s", "8s 9 bytes, gap 1s", "9s 31 bytes, gap 1s, age 3s",
		"10s 7 bytes, gap 1s, disordered", "11s 25 bytes, gap 1s, age 500ms")
	if n := r.m.totals; n.Lost != 2 || n.Repeated != 2 || n.Disordered != 2 {
		t.Errorf("%+v", n)
	}
}

// TestEnds holds who ended a session, and the closing handshake.
func TestEnds(t *testing.T) {
	held := Spec{PingInterval: 10 * sec, MaxLifetime: 60 * sec}
	before := held
	before.Renew = RenewBefore
	for name, test := range map[string]struct {
		spec Spec
		do   func(*rig)
		want []string
	}{
		"close frame": {held, func(r *rig) {
			r.feed(sec, wstest.Close(1012, "again"), wstest.Text("x"))
			r.m.gone(&r.w, io.EOF, opened.Add(2*sec))
			r.note(2 * sec)
		}, []string{"1s ended by close: ws_closed_early close_frame 1012 again", "1s say close 1012", "2s closed cleanly"}},
		"close frame without a code, connection stays": {held, func(r *rig) {
			r.feed(sec, wstest.Frame{Opcode: wstest.OpClose})
			r.until(9 * sec)
		}, []string{"1s ended by close: ws_closed_early close_frame 1005", "1s say close none", "1.5s closed"}},
		"FIN": {held, func(r *rig) {
			r.m.gone(&r.w, io.EOF, opened.Add(7*sec))
			r.note(7 * sec)
		}, []string{"7s ended by fin: ws_closed_early unexpected_eof 1006", "7s closed"}},
		"RST": {held, func(r *rig) {
			r.m.gone(&r.w, &netError{syscall.ECONNRESET}, opened.Add(7*sec))
			r.note(7 * sec)
		}, []string{"7s ended by reset: ws_closed_early connection_reset 1006", "7s closed"}},
		"the kernel gave up": {held, func(r *rig) {
			r.m.gone(&r.w, &netError{syscall.ETIMEDOUT}, opened.Add(7*sec))
			r.note(7 * sec)
		}, []string{"7s ended by network: ws_closed_early connection_failed 1006", "7s closed"}},
		"stop": {held, func(r *rig) {
			r.m.stop(&r.w, ByStop, opened.Add(sec))
			r.note(sec)
			r.feed(sec+ms, wstest.Text("late"), wstest.Ping("late"), wstest.Close(1001, ""))
			r.m.gone(&r.w, io.EOF, opened.Add(sec+2*ms))
			r.note(sec + 2*ms)
			r.m.gone(&r.w, io.EOF, opened.Add(2*sec))
			r.m.stop(&r.w, ByStop, opened.Add(2*sec))
		}, []string{"1s ended by stop: ok  1001", "1s say close 1001", "1.002s closed cleanly"}},
		"stop of a mute server": {held, func(r *rig) {
			r.m.stop(&r.w, ByStop, opened.Add(sec))
			r.note(sec)
			r.until(9 * sec)
		}, []string{"1s ended by stop: ok  1001", "1s say close 1001", "1.5s closed"}},
		"renewal, close then open": {Spec{MaxLifetime: 60 * sec}, func(r *rig) { r.until(60 * sec) },
			[]string{"1m0s ended by lifetime: ok  1000", "1m0s say close 1000"}},
		"renewal, open then close": {Spec{MaxLifetime: 60 * sec, Renew: RenewBefore}, func(r *rig) {
			r.until(100 * sec)
			r.m.stop(&r.w, ByLifetime, opened.Add(100*sec))
			r.note(100 * sec)
		}, []string{"1m0s renewal due", "1m40s ended by lifetime: ok  1000", "1m40s say close 1000"}},
		"unknown opcode": {held, func(r *rig) {
			r.feed(sec, wstest.Frame{Opcode: 11}, wstest.Text("x"))
			r.m.gone(&r.w, io.EOF, opened.Add(2*sec))
			r.note(2 * sec)
		}, []string{"1s ended by breach: ws_closed_early protocol_error 1002", "1s say close 1002", "2s closed"}},
		"text that is not UTF-8, over two frames": {held, func(r *rig) {
			r.feed(sec, wstest.Frame{Opcode: wstest.OpText, Payload: "\xc3", More: true}, wstest.Frame{Payload: "x"})
		}, []string{"1s ended by breach: ws_closed_early protocol_error 1007", "1s say close 1007"}},
		"a frame of 256 MiB is refused by its header": {held, func(r *rig) {
			r.feed(sec, wstest.Frame{Opcode: wstest.OpBinary, Announce: 256 << 20})
		}, []string{"1s ended by breach: ws_closed_early message_too_big 1009", "1s say close 1009"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, test.spec, nil)
			test.do(r)
			r.want(test.want...)
			r.free()
			if len(r.ends) != 1 {
				t.Errorf("%d ends", len(r.ends))
			}
		})
	}
}

// netError is an error of the connection.
type netError struct{ error }

func (e *netError) Unwrap() error { return e.error }

// TestIdleAtTheEnd holds the times and the things in flight at an end.
func TestIdleAtTheEnd(t *testing.T) {
	r := newRig(t, Spec{PingInterval: 40 * sec, PingTimeout: 90 * sec, Heartbeat: &Heartbeat{Send: "x", Interval: 50 * sec, Timeout: 90 * sec}}, nil)
	r.feed(5*sec, wstest.Binary("data"))
	r.until(50 * sec)
	r.feed(60*sec, wstest.Frame{Opcode: wstest.OpText, Payload: "begun", More: true})
	r.m.gone(&r.w, io.EOF, opened.Add(110*sec))
	end := *r.w.events[0].End
	want := End{At: opened.Add(110 * sec), Cause: ByFIN, Reason: "ws_closed_early", ErrorType: "unexpected_eof", Code: 1006, Lifetime: 110 * sec, IdleIn: 50 * sec,
		IdleOut: 60 * sec, SinceMessage: 105 * sec, SinceWanted: 105 * sec, LongestIdle: 35 * sec, InFlight: InFlight{Ping: true, Heartbeat: true, Message: true},
		Totals: Totals{BytesIn: 13, BytesOut: 21, Messages: 1, Wanted: 1, Pings: 1}}
	if end != want || end.Idle() != 50*sec {
		t.Errorf("got  %+v\nwant %+v", end, want)
	}
}

// TestIdleBeforeClose holds that the time without traffic lasts until a close frame, which may be there because of it.
func TestIdleBeforeClose(t *testing.T) {
	for name, test := range map[string]struct {
		last          []interface{ Bytes() string } // what comes after 70 s
		idle, longest time.Duration
	}{
		"alone":            {[]interface{ Bytes() string }{wstest.Close(1000, "")}, 60 * sec, 10 * sec},
		"behind a message": {[]interface{ Bytes() string }{raw(wstest.Text("bye").Bytes() + wstest.Close(1000, "").Bytes())}, 0, 60 * sec},
		"behind a Ping":    {[]interface{ Bytes() string }{wstest.Ping(""), wstest.Close(1000, "")}, 0, 60 * sec},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, Spec{}, nil)
			r.feed(10*sec, wstest.Text("data"))
			r.feed(70*sec, test.last...)
			if len(r.ends) != 1 || r.ends[0].Idle() != test.idle || r.ends[0].LongestIdle != test.longest {
				t.Errorf("got %+v", r.ends)
			}
		})
	}
}

// TestEarlyMessages holds that messages that came before the session began count with their bytes.
func TestEarlyMessages(t *testing.T) {
	r := newRig(t, Spec{}, nil)
	early := wstest.Text("hello").Bytes() + wstest.Binary("INFO").Bytes()
	r.m.adopt(&r.w, &frame.Left{Early: []byte(early), Parser: r.m.parser}, opened.Add(sec))
	if got := r.m.totals; got.Messages != 2 || got.BytesIn != uint64(len(early)) {
		t.Errorf("got %+v, want 2 messages of %d bytes", got, len(early))
	}
}

// TestBounds holds that no endpoint takes more memory than it may, alone or together with others.
func TestBounds(t *testing.T) {
	t.Run("of a flood of Pings, the last one is answered", func(t *testing.T) {
		r := newRig(t, Spec{Answers: []Answer{{Expectation: Expectation{Expect: "q"}, Send: "a"}}}, nil)
		r.m.feed(&r.w, []byte(wstest.Text("q").Bytes()+strings.Repeat(wstest.Ping("p").Bytes(), 100_000)+wstest.Ping("last").Bytes()), opened.Add(sec))
		said := len(r.w.out)
		r.note(sec)
		if n := len(r.log); n != 1+1+1+maxPongs+1 || r.log[2] != "1s say text a" || r.log[n-1] != "1s say pong last" {
			t.Error(r.log)
		}
		if got := r.m.totals.BytesOut; got != uint64(said) {
			t.Errorf("%d bytes are counted, %d were said", got, said)
		}
	})
	t.Run("a message that needs no look is not kept", func(t *testing.T) {
		r := newRig(t, Spec{}, nil)
		r.feed(sec, wstest.Frame{Opcode: wstest.OpText, Payload: strings.Repeat("x", 1<<19), More: true})
		r.free()
		r.feed(2*sec, wstest.Frame{Payload: strings.Repeat("x", 1<<19)})
		r.want("2s 1048576 bytes, gap 2s")
	})
	t.Run("fragments without end", func(t *testing.T) {
		r := newRig(t, Spec{Expectation: Expectation{Expect: "y"}}, nil)
		r.feed(sec, wstest.Frame{Opcode: wstest.OpText, More: true})
		for range 2000 {
			r.feed(sec, wstest.Frame{Payload: strings.Repeat("x", 1000), More: true})
		}
		r.want("1s ended by breach: ws_closed_early message_too_big 1009", "1s say close 1009")
		r.free()
	})
	t.Run("all together", func(t *testing.T) {
		r := newRig(t, Spec{MaxReply: 64 << 20, Expectation: Expectation{Expect: "y"}}, nil)
		r.m.feed(&r.w, []byte(wstest.Frame{Opcode: wstest.OpText, Payload: strings.Repeat("x", all+1), More: true}.Bytes()), opened.Add(sec))
		r.note(sec)
		r.want("1s ended by memory: ws_reply_timeout local_resources 1009", "1s say close 1009")
		r.free()
	})
}

// TestMachineSize says what a session costs beside its connection.
func TestMachineSize(t *testing.T) {
	if n := machineSize; n > 640 {
		t.Errorf("a machine has %d bytes", n)
	}
	t.Logf("a machine has %d bytes", machineSize)
}
