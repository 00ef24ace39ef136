package status

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestPageOfStreams: the row of a stream says how it is, since when, what waits, and what to do.
func TestPageOfStreams(t *testing.T) {
	for _, c := range []struct {
		name   string
		stream func(now time.Time) Stream
		want   []string
		lacks  []string
	}{
		{"connecting", func(time.Time) Stream { return Stream{Workers: 1} },
			[]string{`href="#streams">1 of 1 streams connecting</a>`, `<span class="pill new">connecting</span>`, "no event yet", "events wait<"}, []string{"for ", "the oldest"}},
		{"connected", func(now time.Time) Stream {
			return Stream{Workers: 1, Open: 1, Connected: true, Since: before(now, time.Hour), Waiting: 1, Oldest: before(now, 2*time.Second),
				LastSent: before(now, 3*time.Second), Sent: 12, Discarded: map[string]int64{"buffer_full": 0}}
		},
			[]string{`class="pill ok" href="#streams">1 stream connected</a>`, `<tr class="is-ok">`, `<span class="pill ok">connected</span> <span class="dim">for 1 h 0 min`,
				"event waits<br>the oldest for 2 s", "3 s ago<br>", "12 events acknowledged</span>"},
			[]string{"sent again", "lost since"}},
		{"not connected", func(now time.Time) Stream {
			return Stream{Workers: 1, Since: before(now, time.Minute), Detail: "close frame 1008", Hint: "credentials", Waiting: 7,
				Sent: 1, Resent: 1, Discarded: map[string]int64{"rejected": 1, "buffer_full": 41}}
		},
			[]string{`class="pill bad" href="#streams">1 of 1 streams in trouble</a>`, `<tr class="is-bad">`, `<span class="pill bad">not connected</span> <span class="dim">for 1 min 0 s`,
				"close frame 1008<br>", "credentials", "1 event acknowledged, 1 event sent again", "42 events lost since the agent started: 41 buffer_full, 1 rejected"}, nil},
		{"never connected", func(time.Time) Stream { return Stream{Workers: 1, Detail: "connection refused"} },
			[]string{`<span class="pill bad">not connected</span><br>connection refused</td>`, "no event yet"}, nil},
		{"partly", func(time.Time) Stream { return Stream{Workers: 4, Open: 3, Detail: "reset"} },
			[]string{`<tr class="is-warn">`, `<span class="pill warn">3 of 4 connected</span><br>reset`, "1 of 1 streams in trouble"}, nil},
		{"behind a deaf endpoint", func(now time.Time) Stream {
			return Stream{Connected: true, Open: 1, Workers: 1, Waiting: 1, Oldest: before(now, lagging), Detail: "no Pong within 10 s", Hint: "it is deaf"}
		}, []string{`<span class="pill warn">behind</span>`, "no Pong within 10 s", "it is deaf"}, []string{"events come faster"}},
		{"behind", func(now time.Time) Stream {
			return Stream{Workers: 1, Open: 1, Connected: true, Waiting: 5000, Oldest: before(now, lagging)}
		},
			[]string{`<span class="pill warn">behind</span>`, "the oldest for 2 min 0 s", "events come faster than the endpoint takes"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &Server{Board: &Board{}, Ready: ready, Streams: func() []Stream {
					one := c.stream(time.Now())
					one.Name, one.URL = "wall", "wss://wall.example.com/in"
					return []Stream{one}
				}}
				_, _, body := get(t, s, "GET", "/")
				for _, want := range append(c.want, `<h2 id="streams">`, `<span class="name">wall</span>`, "wss://wall.example.com/in", `href="/api/v1/streams"`) {
					if !strings.Contains(body, want) {
						t.Errorf("the page lacks %q", want)
					}
				}
				_, section, _ := strings.Cut(body, `<h2 id="streams">`)
				for _, never := range c.lacks {
					if strings.Contains(section, never) {
						t.Errorf("the page has %q", never)
					}
				}
			})
		})
	}
}

// before is a time that much earlier.
func before(now time.Time, d time.Duration) *time.Time { return new(now.Add(-d)) }

// TestPageWithoutStreams says nothing of them.
func TestPageWithoutStreams(t *testing.T) {
	s := &Server{Board: board(), Ready: ready}
	if _, _, body := get(t, s, "GET", "/"); strings.Contains(strings.ToLower(body), "stream") {
		t.Error("the page speaks of streams")
	}
	if code, _, body := get(t, s, "GET", "/api/v1/streams"); code != 200 || body != "{\n  \"streams\": []\n}\n" {
		t.Errorf("%d %s", code, body)
	}
}

// TestStreamsAreEscaped: an endpoint chooses the reason of its close frame.
func TestStreamsAreEscaped(t *testing.T) {
	s := &Server{Board: &Board{}, Ready: ready, Streams: func() []Stream {
		return []Stream{{Name: hostile, URL: "wss://example.com/" + hostile, Workers: 1, Detail: "close frame 4000 \x1b[2J" + hostile, Hint: hostile}}
	}}
	_, _, page := get(t, s, "GET", "/")
	if strings.Contains(page, "<script") || strings.Contains(page, "ZgotmplZ") || !strings.Contains(page, `\x1b[2J&lt;script&gt;`) {
		t.Error(page[strings.Index(page, "<body>"):])
	}
	_, _, answer := get(t, s, "GET", "/api/v1/streams")
	if strings.Contains(answer, "<script") || strings.Contains(answer, "\\u001b") {
		t.Error(answer)
	}
}

// TestStreamsAPI holds the answer for programs: a time is in UTC, and an unknown one is null.
func TestStreamsAPI(t *testing.T) {
	s := &Server{Board: &Board{}, Ready: ready, Streams: func() []Stream {
		return []Stream{
			{Name: "wall", Workers: 2, Open: 2, Connected: true, Since: &ended, Required: true, Waiting: 3, WaitingBytes: 900, Oldest: &ended, LastSent: &ended,
				Events: 10, Sent: 6, Discarded: map[string]int64{"buffer_full": 1}, Resent: 2},
			{Name: "lake", Workers: 1},
		}
	}}
	_, header, body := get(t, s, "GET", "/api/v1/streams")
	if got := header.Get("Content-Type"); got != "application/json" {
		t.Errorf("content type %q", got)
	}
	var answer struct{ Streams []map[string]any }
	if err := json.Unmarshal([]byte(body), &answer); err != nil || len(answer.Streams) != 2 {
		t.Fatalf("%v in %s", err, body)
	}
	const noon = "2026-11-21T12:00:00Z"
	for key, want := range map[string][2]any{
		"name": {"wall", "lake"}, "connected": {true, false}, "since": {noon, nil}, "oldest_waiting_at": {noon, nil}, "last_acknowledged_at": {noon, nil},
		"open_connections": {2.0, 0.0}, "workers": {2.0, 1.0}, "required": {true, false}, "waiting_events": {3.0, 0.0}, "waiting_bytes": {900.0, 0.0},
		"events": {10.0, 0.0}, "acknowledged_events": {6.0, 0.0}, "resent_events": {2.0, 0.0}, "detail": {"", ""},
	} {
		for i, stream := range answer.Streams {
			if got, there := stream[key]; got != want[i] || !there {
				t.Errorf("%s of %v: %v, want %v", key, stream["name"], got, want[i])
			}
		}
	}
	if lost, ok := answer.Streams[0]["discarded_events"].(map[string]any); !ok || lost["buffer_full"] != 1.0 {
		t.Errorf("lost: %v", answer.Streams[0]["discarded_events"])
	}
	if none, ok := answer.Streams[1]["discarded_events"].(map[string]any); !ok || len(none) != 0 {
		t.Errorf("lost: %v, want an object", answer.Streams[1]["discarded_events"])
	}
}
