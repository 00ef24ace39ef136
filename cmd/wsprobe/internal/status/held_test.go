package status

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/session"
	"github.com/wsprobe/wsprobe/reasons"
)

// feed is a row of a held session.
type feed struct {
	*Entry
	server *Server
}

func newFeed() *feed {
	b := &Board{}
	e := add(b, "feed", "ws://feed.example.com/?token=hunter2", probe.RoundTripLatency, 30*time.Second)
	return &feed{e, &Server{Board: b, Ready: ready}}
}

// moment tells of a moment that is now.
func (f *feed) moment(m metrics.Moment, r probe.Result, s metrics.Session) {
	r.Started, r.Ended, s.Moment = time.Now(), time.Now(), m
	f.Observe(&metrics.Observation{Probe: f.probe, Result: r, Session: &s})
}

func (f *feed) open(downtime time.Duration) {
	f.moment(metrics.SessionOpened, probe.Result{Opened: true, Handshake: 5 * time.Millisecond},
		metrics.Session{Open: true, OK: true, Aged: true, Downtime: downtime})
}

func (f *feed) message() { f.hear(session.Message{}) }

// hear takes a wanted message.
func (f *feed) hear(m session.Message) {
	m.Wanted = true
	f.Note(&session.Event{Kind: session.Received, At: time.Now(), Message: m})
}

// cut ends the session after a minute without traffic.
func (f *feed) cut(open bool) *session.End {
	end := &session.End{At: time.Now(), Cause: session.ByFIN, Reason: reasons.ClosedEarly, ErrorType: reasons.UnexpectedEOF, Code: 1006,
		Lifetime: time.Hour, IdleIn: time.Minute, IdleOut: time.Minute, Totals: session.Totals{Messages: 7}}
	r := probe.Result{Reason: end.Reason, ErrorType: end.ErrorType, Detail: end.String(), CloseCode: end.Code}
	f.moment(metrics.SessionEnded, r, metrics.Session{Open: open, OK: open, End: end, Wait: 4 * time.Second})
	return end
}

func (f *feed) explain(end *session.End, found session.Finding) {
	f.moment(metrics.SessionExplained, probe.Result{Reason: reasons.OpenFailed}, metrics.Session{End: end, Finding: &found})
}

func (f *feed) refuse() {
	f.moment(metrics.SessionEnded, probe.Result{Reason: reasons.OpenFailed, ErrorType: reasons.ConnectionRefused, Detail: "connection refused"},
		metrics.Session{Wait: 8 * time.Second})
}

var idle = session.Finding{Verdict: session.LimitReached, Limit: session.IdleLimit}

// TestPageOfASession: the row says how the session is, how the last one ended and why, and nothing twice.
func TestPageOfASession(t *testing.T) {
	for _, c := range []struct {
		name    string
		happens func(f *feed)
		want    []string
		lacks   []string
	}{
		{"not yet open", func(*feed) {}, []string{"waiting for the first run"}, []string{"open for", "held open"}},
		{"open", func(f *feed) { f.open(0); f.wait(time.Hour) },
			[]string{`<span class="pill ok">ok</span>`, "open for 1 h 0 min, no message yet", "held open, reported every 30s"}, []string{"unplanned", "without a session"}},
		{"open, and heard", func(f *feed) { f.open(0); f.wait(time.Hour); f.message(); f.wait(2 * time.Second) },
			[]string{"open for 1 h 0 min, last message 2 s ago"}, nil},
		{"messages that went wrong", func(f *feed) {
			f.open(0)
			f.wait(time.Second)
			f.hear(session.Message{Lost: 3})
			f.hear(session.Message{Disordered: true, Late: true})
			f.hear(session.Message{Disordered: true})
			f.hear(session.Message{Repeated: true})
		}, []string{"open for 1 s, last message just now", "2 messages lost, 1 message repeated, 2 messages late of 4 messages"}, nil},
		{"cut", func(f *feed) { f.open(0); f.wait(time.Hour); f.cut(false); f.wait(time.Second) },
			[]string{`<span class="pill bad">ws_closed_early</span> <code>unexpected_eof</code><br>FIN after 60 s without traffic, lifetime 1h0m0s`,
				"not open for 1 s, next try in 3 s", "1 unplanned end"}, []string{"last one", "idle limit", "keep-alive"}},
		{"cut and refused", func(f *feed) {
			f.open(0)
			f.wait(time.Hour)
			f.explain(f.cut(false), session.Finding{Verdict: session.Stopped, Sure: true})
			f.refuse()
			f.wait(9 * time.Second)
		}, []string{"connection refused", "not open for 9 s, being opened", "1 unplanned end, 1 failed open",
			"last one 9 s ago: FIN after 60 s", "the server has stopped: nothing listens any more"}, nil},
		{"open again", func(f *feed) {
			f.open(0)
			f.wait(time.Hour)
			f.explain(f.cut(false), idle)
			f.wait(4 * time.Second)
			f.open(4 * time.Second)
			f.wait(time.Minute)
		}, []string{`<span class="pill ok">ok</span>`, "open for 1 min 0 s, no message yet", "1 unplanned end, 4 s without a session",
			"last one 1 min 4 s ago: FIN after 60 s without traffic", "perhaps an idle limit"}, nil},
		{"cut during a renewal", func(f *feed) { f.open(0); f.open(0); f.wait(time.Hour); f.cut(true) },
			[]string{`<span class="pill ok">ok</span>`, "open for 1 h 0 min", "last one just now"}, nil},
		{"open, and owing", func(f *feed) {
			f.moment(metrics.SessionOpened, probe.Result{Opened: true}, metrics.Session{Open: true})
		}, []string{`<span class="pill warn">ok</span>`, "has not yet done what the last session failed to do"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFeed()
				c.happens(f)
				_, _, body := get(t, f.server, "GET", "/")
				_, row, _ := strings.Cut(body, "<tbody>")
				for _, want := range c.want {
					if !strings.Contains(row, want) {
						t.Errorf("the row lacks %q: %s", want, row)
					}
				}
				for _, lacks := range c.lacks {
					if strings.Contains(row, lacks) {
						t.Errorf("the row has %q: %s", lacks, row)
					}
				}
			})
		})
	}
}

// wait lets time pass.
func (*feed) wait(d time.Duration) { time.Sleep(d) }

// TestAPIOfASession: every fact of the session and of its last end has its key, and a probe without a session has none.
func TestAPIOfASession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed()
		f.open(0)
		f.message()
		time.Sleep(time.Minute)
		f.explain(f.cut(false), idle)
		f.refuse()
		_, _, body := get(t, f.server, "GET", "/api/v1/probes")
		var answer struct {
			Probes []struct {
				Session map[string]any
				Last    map[string]any
			}
		}
		if err := json.Unmarshal([]byte(body), &answer); err != nil {
			t.Fatal(err)
		}
		got := answer.Probes[0].Session
		for key, want := range map[string]any{
			"open": false, "ok": false, "since": "2000-01-01T00:01:00Z", "last_message_at": "2000-01-01T00:00:00Z",
			"next_open_at": "2000-01-01T00:01:08Z", "sessions": 1.0, "unplanned_ends": 1.0, "failed_opens": 1.0, "downtime_ms": 0.0,
			"messages": 1.0, "wanted_messages": 1.0, "lost": 0.0, "repeated": 0.0, "disordered": 0.0,
		} {
			if got[key] != want {
				t.Errorf("%s is %v, want %v", key, got[key], want)
			}
		}
		end, _ := got["last_end"].(map[string]any)
		for key, want := range map[string]any{
			"ended_at": "2000-01-01T00:01:00Z", "reason": "ws_closed_early", "error_type": "unexpected_eof", "close_code": 1006.0, "close_reason": "",
			"text": "FIN after 60 s without traffic, lifetime 1h0m0s", "cause": "fin", "lifetime_ms": 3600000.0, "idle_in_ms": 60000.0,
			"messages": 7.0, "verdict": "limit_reached", "sure": false,
		} {
			if end[key] != want {
				t.Errorf("last_end: %s is %v, want %v", key, end[key], want)
			}
		}
		for _, field := range metrics.SessionFields() {
			if _, there := end[field.Key]; !there {
				t.Errorf("last_end lacks %s", field.Key)
			}
		}
		if hint, _ := answer.Probes[0].Last["hint"].(string); !strings.Contains(hint, "connection") && hint == "" {
			t.Errorf("the refused open has the hint %q", hint)
		}
	})
	_, _, body := get(t, &Server{Board: board(), Ready: ready}, "GET", "/api/v1/probes")
	if strings.Count(body, `"session": null`) != 3 {
		t.Errorf("a probe without a session has one: %s", body)
	}
}

// TestHintOfASession: the hint on an end waits for its explanation.
func TestHintOfASession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed()
		f.open(0)
		end := f.cut(false)
		if hint := f.status().Last.Hint(); hint != "" {
			t.Errorf("before it is explained: %q", hint)
		}
		f.explain(end, idle)
		if hint := f.status().Last.Hint(); hint != idle.String() {
			t.Errorf("it is %q", hint)
		}
	})
}
