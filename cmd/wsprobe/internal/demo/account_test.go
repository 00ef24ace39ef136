package demo

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/telemetry"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/reasons"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares with a file under testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (-update writes it anew), got:\n%s", path, got)
	}
}

// described are the endpoints of the demo, without anything being served.
func described() []Endpoint {
	var endpoints []Endpoint
	for _, x := range examples() {
		endpoints = append(endpoints, x.Endpoint)
	}
	return endpoints
}

func point(metric, name string, at time.Time, value float64, attributes ...string) receiver.Point {
	p := receiver.Point{Metric: metric, Time: at, Value: value, Attributes: map[string]any{keyName: name}}
	for pair := range slices.Chunk(attributes, 2) {
		p.Attributes[pair[0]] = pair[1]
	}
	return p
}

// received gives an account the points of a run, and of the counter that counts it.
func received(a *Account, name string, at time.Time, handshake, roundTrip float64, o Outcome) {
	if handshake > 0 {
		a.Point(point(metricHandshake, name, at, handshake))
	}
	if roundTrip > 0 {
		a.Point(point(metricRoundTrip, name, at, roundTrip))
	}
	a.Point(point(metricSuccess, name, at, 0, keyReason, o.Reason.String()))
	runs := a.series[name].counters[outcome{o.Reason.String(), string(o.ErrorType)}] + 1
	a.Point(point(metricRuns, name, at, runs, keyReason, o.Reason.String(), keyErrorType, string(o.ErrorType)))
}

// heldPoints gives an account what a session adds to its runs in a second.
func heldPoints(a *Account, name string, second int) {
	a.Point(point(metricMessages, name, time.Now(), float64(2*second), keyMessage, "wanted"))
	a.Point(point(metricMessages, name, time.Now(), 99, keyMessage, "other"))
	a.Point(point(metricDowntime, name, time.Now(), float64(second)/10))
	ended := point(metricSession, name, time.Now(), 1, keyEnd, "silence")
	ended.Count = uint64(second / 7)
	a.Point(ended)
}

// sample is an account in the middle of a demo. It waits some seconds of the bubble.
func sample() *Account {
	a := NewAccount(described())
	waiting := a.endpoints[len(a.endpoints)-1].Name
	for second := range 30 {
		time.Sleep(time.Second)
		a.Request()
		for i, e := range a.endpoints {
			if e.Name == waiting || second%int(e.Interval/time.Second) != 0 {
				continue
			}
			o := e.Outcomes[second%len(e.Outcomes)]
			handshake, roundTrip := 0.3+float64(i)/10, 0.0
			if o.Reason == reasons.OpenFailed || o.Reason == reasons.HandshakeTimeout {
				handshake = 0
			}
			if o.Reason == reasons.OK && e.Spec.Send != "" {
				roundTrip = []float64{0.2, 2, 11, 4, 38, 7, 150, 24}[i*second%8]
			}
			if e.Session != nil {
				roundTrip = 0.9
				heldPoints(a, e.Name, second)
			}
			received(a, e.Name, time.Now(), handshake, roundTrip, o)
		}
	}
	time.Sleep(1500 * time.Millisecond)
	return a
}

var escapes = regexp.MustCompile("\x1b\\[[0-9;]*m")

// TestPicture holds the screen at the widths that matter. With colours it says the same.
func TestPicture(t *testing.T) {
	for _, width := range []int{60, 80, 100, 130} {
		t.Run(strconv.Itoa(width), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := sample()
				s := Screen{Page: "http://127.0.0.1:9464/", NoColor: true}
				got := a.picture(s, width, 0)
				golden(t, "picture-"+strconv.Itoa(width)+".txt", got)
				for l := range strings.Lines(got) {
					if n := utf8.RuneCountInString(strings.TrimRight(l, "\n")); n > width {
						t.Errorf("%d columns in a line for %d: %q", n, width, l)
					}
				}
				s.NoColor = false
				coloured := a.picture(s, width, 0)
				if plain := escapes.ReplaceAllString(coloured, ""); plain != got {
					t.Errorf("with colours it says something else:\n%s", plain)
				}
				if width == 100 {
					golden(t, "picture-100-colour.txt", coloured)
				}
			})
		})
	}
}

// TestPictureFitsTheHeight: a picture that is too high is cut, one that fits is not.
func TestPictureFitsTheHeight(t *testing.T) {
	a := NewAccount(described())
	whole := strings.Count(a.picture(Screen{}, 100, 0), "\n")
	if whole > 23 {
		t.Errorf("%d lines do not fit into a terminal of 24", whole)
	}
	for height, want := range map[int]int{0: whole, 24: whole, whole + 1: whole, whole: whole - 1, 10: 9, 2: 1} {
		if got := strings.Count(a.picture(Screen{}, 100, height), "\n"); got != want {
			t.Errorf("%d lines for a height of %d, want %d", got, height, want)
		}
	}
}

// TestPoint: the points of a run come in any order, and more than once, and make one run.
func TestPoint(t *testing.T) {
	at := time.Unix(1000, 0)
	a := NewAccount([]Endpoint{{Name: "chat", Outcomes: []Outcome{{}}}, {Name: "other"}})
	s := a.series["chat"]

	a.Point(point(metricRoundTrip, "chat", at, 12))
	if _, ok := s.last(); ok || s.runs != 0 {
		t.Error("a run counts before its connection_success is there")
	}
	for range 2 {
		a.Point(point(metricSuccess, "chat", at, 1, keyReason, "ok"))
		a.Point(point(metricHandshake, "chat", at, 3))
	}
	want := run{at: at, reason: "ok", handshake: measured(3), roundTrip: measured(12)}
	if got, _ := s.last(); got != want || s.runs != 1 {
		t.Errorf("last of %d runs is %+v, want %+v", s.runs, got, want)
	}
	if a.Complete() {
		t.Error("complete without a word about the other endpoint")
	}

	a.Point(point(metricSuccess, "chat", at.Add(-time.Second), 0, keyReason, "ws_open_failed"))
	if got, _ := s.last(); got != want {
		t.Errorf("an earlier run that came later is the last one: %+v", got)
	}
	a.Point(point(metricSuccess, "stranger", at, 1, keyReason, "ok"))
	a.Point(point(metricSuccess, "other", at, 1, keyReason, "ok"))
	if want := (totals{points: 8, runs: 3, good: 2, unexpected: 1}); a.totals != want || !a.Complete() {
		t.Errorf("totals %+v, want %+v", a.totals, want)
	}
}

// TestErrorType: the error type of a failed run is that of the counter with its reason that rose last.
func TestErrorType(t *testing.T) {
	s := newSeries(nil)
	for _, step := range []struct {
		reason, errorType string
		runs              float64
		want              string // of ws_open_failed
	}{
		{"ok", "", 1, ""},
		{"ws_open_failed", "connection_refused", 1, "connection_refused"},
		{"ws_reply_timeout", "reply_timeout", 1, "connection_refused"},
		{"ws_open_failed", "http_403", 1, "http_403"},
		{"ws_open_failed", "connection_refused", 1, "http_403"}, // it stands still
		{"ws_open_failed", "connection_refused", 2, "connection_refused"},
	} {
		s.tell(step.reason, step.errorType, step.runs)
		if got := s.broke["ws_open_failed"]; got != step.want {
			t.Errorf("after %+v it is %q", step, got)
		}
	}
}

// TestSeriesIsBounded: old runs go, and do not come back.
func TestSeriesIsBounded(t *testing.T) {
	s := newSeries(nil)
	for i := range 3 * keptRuns {
		s.at(time.Unix(int64(i), 0)).reason = reasonOK
	}
	if len(s.recent) != keptRuns {
		t.Errorf("%d runs are kept", len(s.recent))
	}
	if s.at(time.Unix(0, 0)) != nil {
		t.Error("a run of long ago is new")
	}
	if runs := s.history(5); len(runs) != 5 || runs[4].at != time.Unix(3*keptRuns-1, 0) {
		t.Errorf("history %v", runs)
	}
}

// TestNames: what the account reads is what telemetry exports.
func TestNames(t *testing.T) {
	attributes := map[string][]string{
		metricHandshake: nil, metricRoundTrip: nil, metricSuccess: {keyReason}, metricRuns: {keyReason, keyErrorType},
		metricSession: {keyEnd, metrics.KeyCloseCode}, metricMessages: {keyMessage}, metricDowntime: nil,
	}
	for _, m := range telemetry.Metrics() {
		want, ok := attributes[m.Name]
		if ok && !slices.Equal(m.Attributes, want) {
			t.Errorf("%s bears %v, want %v", m.Name, m.Attributes, want)
		}
		delete(attributes, m.Name)
	}
	if len(attributes) > 0 || !slices.Contains(metrics.ProbeKeys(), keyName) {
		t.Errorf("not exported: %v", attributes)
	}
}

func TestText(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 0: "0s", 1999 * time.Millisecond: "1s", 99 * time.Second: "99s", 100 * time.Second: "1m",
		99 * time.Minute: "99m", 100 * time.Minute: "1h",
	} {
		if got := age(d); got != want {
			t.Errorf("age of %v is %s, want %s", d, got, want)
		}
	}
	for ms, want := range map[float64]string{0: "▁", 0.99: "▁", 1: "▂", 5: "▃", 99: "▅", 100: "▇", 30000: "▇"} {
		if got := block(ms); got != want {
			t.Errorf("%v ms is %s, want %s", ms, got, want)
		}
	}
	for l, want := range map[latency]string{
		{}: "-", measured(0.04): "0.04 ms", measured(9.5): "9.50 ms", measured(10): "10.0 ms", measured(1000): "1000.0 ms",
	} {
		if got := l.String(); got != want {
			t.Errorf("%+v is %q, want %q", l, got, want)
		}
	}
	if got := (span{"ääääää", plain}).left(4).text; got != "äää…" {
		t.Errorf("clipped to %q", got)
	}
}
