package session

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// TestStall: an agent that stood still, by a stopped process or a paused machine, makes no false end of it. Each case
// says when something came, and when the agent got round to it.
func TestStall(t *testing.T) {
	for name, test := range map[string]struct {
		spec Spec
		do   func(*rig)
		want []string
	}{
		"a Ping that waited for a Pong goes out when the agent reads it, not when it came": {Spec{PingInterval: 10 * sec, PingTimeout: 15 * sec}, func(r *rig) {
			r.until(10 * sec)
			r.pong(21 * sec)
			r.tick(90 * sec)
			r.pong(90*sec + ms)
			r.tick(91 * sec)
		}, []string{"10s say ping", "21s ponged 11s", "1m30s say ping", "1m30.001s ponged 1ms"}},
		"so does one that is due while more waits to be read": {Spec{PingInterval: 10 * sec, PingTimeout: sec}, func(r *rig) {
			r.feed(12*sec, wstest.Text("backlog"))
			r.tickHeard(90*sec, 12*sec)
			r.feed(13*sec, wstest.Text("backlog"))
			r.tickHeard(90*sec+ms, 13*sec)
			r.feed(90*sec+2*ms, wstest.Text("backlog"))
			r.tick(90*sec + 3*ms)
			r.pong(90*sec + 4*ms)
			if got := r.m.longestIdle; got != 12*sec {
				r.t.Errorf("%v without traffic, although some waited to be read", got)
			}
		}, []string{"12s 7 bytes, gap 12s", "1m30s say ping", "13s 7 bytes, gap 1s", "1m30.002s 7 bytes, gap 1m17.002s", "1m30.004s ponged 4ms"}},
		"a heartbeat is like a Ping": {Spec{Heartbeat: &Heartbeat{Send: "hi", Expectation: Expectation{Expect: "ho"}, Interval: 10 * sec, Timeout: 15 * sec}}, func(r *rig) {
			r.until(10 * sec)
			r.feed(21*sec, wstest.Text("ho"))
			r.tick(90 * sec)
			r.feed(91*sec, wstest.Text("ho"))
			r.tick(91 * sec)
		}, []string{"10s say text hi", "21s beat 11s", "21s 2 bytes", "1m30s say text hi", "1m31s beat 1s", "1m31s 2 bytes"}},
		"a heartbeat is not late because its second step waited for us": {Spec{Heartbeat: &Heartbeat{Interval: 10 * sec, Timeout: 15 * sec, Steps: []probe.Step{
			{Send: new("one"), Expect: new("1")}, {Send: new("two"), Expect: new("2"), Measure: true},
		}}}, func(r *rig) {
			r.until(10 * sec)
			r.feed(11*sec, wstest.Text("1"))
			r.tick(90 * sec)
			r.feed(103*sec, wstest.Text("2"))
			r.tick(103 * sec)
		}, []string{"10s say text one", "11s 1 bytes", "1m30s say text two", "1m43s beat 13s", "1m43s 1 bytes", "1m43s say text one"}},
		"wanted messages that wait are no silence": {Spec{MaxSilence: 10 * sec}, func(r *rig) {
			for at := 5 * sec; at < 90*sec; at += 9 * sec {
				r.feed(at, wstest.Text("x"))
				r.tickHeard(91*sec, at)
			}
			r.log = nil
			r.until(100 * sec)
		}, []string{"1m36s ended by silence: ws_reply_timeout stale 1000", "1m36s say close 1000", "1m36.5s closed"}},
		"real silence is one, however late it is found": {Spec{MaxSilence: 10 * sec}, func(r *rig) {
			r.feed(5*sec, wstest.Text("x"))
			r.tick(90 * sec)
		}, []string{"5s 1 bytes, gap 5s", "1m30s ended by silence: ws_reply_timeout stale 1000", "1m30s say close 1000"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, test.spec, nil)
			test.do(r)
			r.want(test.want...)
		})
	}
}

// tickHeard ticks while more waits to be read than what came until heard.
func (r *rig) tickHeard(at, heard time.Duration) {
	r.m.tick(&r.w, opened.Add(at), opened.Add(heard))
	r.note(at)
}

// TestEndBeforeOurLastWord: an agent that was slow sent a Ping after the FIN had come. The end is told as it was.
func TestEndBeforeOurLastWord(t *testing.T) {
	r := newRig(t, Spec{PingInterval: 61 * sec}, nil)
	r.feed(sec, wstest.Ping("p"))
	r.tick(63 * sec)
	r.m.gone(&r.w, io.EOF, opened.Add(60*sec))
	end := r.w.events[0].End
	if end.Lifetime != 60*sec || end.IdleIn != 59*sec || end.IdleOut != 59*sec || end.LongestIdle > 60*sec || !end.At.Equal(opened.Add(60*sec)) {
		t.Errorf("%+v", end)
	}
}

// TestResetWhileWeStoodStill: the kernel keeps no time of a reset. If the agent stood still, its times are no limit of
// the server, and the end says so.
func TestResetWhileWeStoodStill(t *testing.T) {
	for name, test := range map[string]struct {
		still, lag time.Duration
	}{
		"on time":     {0, 0},
		"stood still": {20 * sec, 18 * sec},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := wstest.Memory(scripts(func(c *wstest.Conn) {
					c.Accept()
					c.Read()
					c.Send(wstest.Text("stand still"))
					c.Pause(sec)
					c.Reset()
				}, ordinary))
				defer server.Close()
				s := Spec{PingInterval: 10 * sec, PingTimeout: 2 * sec}
				s.URL, s.Dial = server.URL, server.Dial
				session := newSession(t, NewHub(Options{}), s)
				ctx, cancel := context.WithTimeout(t.Context(), 45*sec)
				defer cancel()
				said := ""
				session.Hold(ctx, func(e Event) {
					switch {
					case e.Kind == Received:
						time.Sleep(test.still) // the process is stopped
					case e.Kind == Ended && e.End.Cause == ByReset && e.End.Lag != test.lag:
						t.Errorf("%v late, want %v", e.End.Lag, test.lag)
					case e.Kind == Explained && said == "":
						said = e.Finding.String()
					}
				})
				if said != "perhaps a reload, a quick restart or a crash: a new session opens" {
					t.Error(said)
				}
			})
		})
	}
}
