package status

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/reasons"
)

// hostile is what an endpoint may say, and a file may call a probe.
const hostile = `<script>alert("x")</script>`

// ended is when the runs of these tests ended, told in a zone that no answer may show.
var ended = time.Date(2026, 11, 21, 13, 0, 0, 0, time.FixedZone("CET", 3600))

// board has one probe of each sort: good, failing and not run yet.
// add gives a probe its row on a board.
func add(b *Board, name, url string, in probe.Interpretation, interval time.Duration) *Entry {
	e := NewEntry(metrics.NewIdentity(metrics.Target{Name: name, URL: url, Interpretation: in, Interval: interval}))
	b.Show(append(slices.Clone(b.entries()), e))
	return e
}

// record shows a result.
func (e *Entry) record(r probe.Result, s health.State) {
	e.Observe(&metrics.Observation{Probe: e.probe, Result: r, Health: s})
}

func board() *Board {
	b := &Board{}
	add(b, "good", "wss://good.example.com/socket?token=hunter2", probe.RoundTripLatency, time.Minute).record(probe.Result{
		Started: ended.Add(-time.Second), Ended: ended, Opened: true, Handshake: 41 * time.Millisecond,
		Replied: true, RoundTrip: 12345 * time.Microsecond, HTTPStatus: 101, Peer: "192.0.2.7:443", CertificateExpiry: ended.AddDate(0, 0, 42),
		Trace: probe.Trace{ID: [16]byte{0xcd}},
	}, health.State{Status: health.Degraded, Since: ended.Add(-time.Hour)})
	add(b, hostile, "ws://bad.example.com/?token=hunter2", probe.HandshakeLatency, 24*time.Hour).record(probe.Result{
		Started: ended, Ended: ended, Reason: reasons.OpenFailed, ErrorType: "http_403", HTTPStatus: 403,
		Detail: "detail " + hostile, Body: hostile, Trace: probe.Trace{ID: [16]byte{0xab}},
	}, health.State{})
	add(b, "new", "ws://new.example.com/", probe.ConnectionSuccess, 90*time.Second)
	return b
}

func get(t *testing.T, s *Server, method, path string) (int, http.Header, string) {
	t.Helper()
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, nil))
	return w.Code, w.Header(), w.Body.String()
}

func ready() error { return nil }

func TestHealthAndReadiness(t *testing.T) {
	var wrong error
	s := &Server{Board: &Board{}, Ready: func() error { return wrong }}
	for _, path := range []string{"/healthz", "/readyz"} {
		if code, _, body := get(t, s, "GET", path); code != 200 || body != "ok\n" {
			t.Errorf("%s: %d %q", path, code, body)
		}
	}
	wrong = errors.New("exports fail")
	if code, _, body := get(t, s, "GET", "/readyz"); code != 503 || body != "not ready: exports fail\n" {
		t.Errorf("/readyz: %d %q", code, body)
	}
	if code, _, _ := get(t, s, "GET", "/healthz"); code != 200 {
		t.Errorf("/healthz of an agent that is not ready: %d, want 200: a restart would not help it", code)
	}
}

func TestRoutes(t *testing.T) {
	s := &Server{Board: board(), Ready: ready}
	for _, c := range []struct {
		method, path string
		want         int
	}{
		{"GET", "/", 200}, {"HEAD", "/", 200}, {"GET", "/api/v1/probes", 200}, {"GET", "/api/v1/streams", 200}, {"GET", "/api/v1/discovery", 200},
		{"GET", "/nothing", 404}, {"GET", "/api/v1/", 404}, {"GET", "/healthz/", 404},
		{"POST", "/", 405}, {"POST", "/healthz", 405}, {"POST", "/api/v1/probes", 405}, {"DELETE", "/readyz", 405},
	} {
		code, header, _ := get(t, s, c.method, c.path)
		if code != c.want {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, code, c.want)
		}
		if csp := header.Get("Content-Security-Policy"); code == 200 && !strings.HasPrefix(csp, "default-src 'none';") {
			t.Errorf("%s %s: policy %q", c.method, c.path, csp)
		}
	}
}

func TestAPI(t *testing.T) {
	_, header, body := get(t, &Server{Board: board(), Ready: ready}, "GET", "/api/v1/probes")
	if got := header.Get("Content-Type"); got != "application/json" {
		t.Errorf("content type %q", got)
	}
	if strings.Contains(body, "hunter2") {
		t.Error("the query string is shown")
	}
	var answer struct {
		Probes []struct {
			Name, URL, Interval string
			Status              *string
			StatusSince         *string `json:"status_since"`
			Last                map[string]any
		}
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatal(err)
	}
	if len(answer.Probes) != 3 {
		t.Fatalf("%d probes, want 3", len(answer.Probes))
	}
	good, bad, pending := answer.Probes[0], answer.Probes[1], answer.Probes[2]
	if good.Last["value"] != 12.345 || good.Last["handshake_ms"] != 41.0 || good.Last["reason"] != "ok" || good.Last["error_type"] != nil {
		t.Errorf("good: %v", good.Last)
	}
	if good.Last["started_at"] != "2026-11-21T11:59:59Z" || good.Last["ended_at"] != "2026-11-21T12:00:00Z" {
		t.Errorf("times not in UTC: %v, %v", good.Last["started_at"], good.Last["ended_at"])
	}
	if got := good.Last["certificate_expires_at"]; got != "2027-01-02T12:00:00Z" {
		t.Errorf("the certificate ends at %v", got)
	}
	if value, there := bad.Last["certificate_expires_at"]; !there || value != nil {
		t.Errorf("the certificate of ws:// ends at %v, want null", value)
	}
	if value, there := good.Last["trace_id"]; !there || value != nil || bad.Last["trace_id"] != "ab000000000000000000000000000000" {
		t.Errorf("traces %v, which is not sampled, and %v, which failed", value, bad.Last["trace_id"])
	}
	if value, there := bad.Last["value"]; !there || value != nil {
		t.Errorf("value of a run without one: %v, want null", value)
	}
	if bad.Last["connection_success"] != 0.0 || bad.Last["handshake_ms"] != nil || bad.Last["reason"] != "ws_open_failed" {
		t.Errorf("bad: %v", bad.Last)
	}
	if good.Status == nil || *good.Status != "degraded" || good.Last["status"] != "degraded" || *good.StatusSince != "2026-11-21T11:00:00Z" {
		t.Errorf("status %v since %v, in the result %v", good.Status, good.StatusSince, good.Last["status"])
	}
	if value, there := bad.Last["status"]; !there || value != nil || bad.Status != nil || bad.StatusSince != nil {
		t.Errorf("status without thresholds: %v since %v, in the result %v, want null", bad.Status, bad.StatusSince, value)
	}
	if pending.Status != nil || pending.StatusSince != nil {
		t.Errorf("status before the first run: %v since %v, want null", pending.Status, pending.StatusSince)
	}
	if pending.Last != nil || pending.Name != "new" || pending.Interval != "1m30s" {
		t.Errorf("not run yet: %+v, want last null", pending)
	}
}

func TestPage(t *testing.T) {
	s := &Server{Board: board(), Ready: func() error { return errors.New("exports fail: " + hostile) }, Version: "v1.2.3"}
	_, header, body := get(t, s, "GET", "/")
	if got := header.Get("Content-Type"); got != "text/html; charset=utf-8" {
		t.Errorf("content type %q", got)
	}
	for _, want := range []string{
		"12.3 ms", "round_trip_latency", "open in 41.0 ms", `datetime="2026-11-21T12:00:00Z"`, "every 1m<",
		`<tr id="probe-0" class="is-warn">`, `<span class="pill warn">degraded</span>`, `<span class="pill warn">1 degraded</span>`, "1 of 3 failing", "no data", "ws_open_failed", "http_403", "every 24h<", "detail &lt;script&gt;",
		"1 waiting for the first run", "every 1m30s<", "not ready: exports fail", "v1.2.3", "wss://good.example.com/socket?[redacted]",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, never := range []string{"<script", "hunter2", "ZgotmplZ"} {
		if strings.Contains(body, never) {
			t.Errorf("the page has %q", never)
		}
	}
}

func TestPageOfAnyNumberOfProbes(t *testing.T) {
	for _, n := range []int{0, 1, 1000} {
		b := &Board{}
		for i := range n {
			add(b, fmt.Sprintf("probe %d", i), "ws://example.com/", probe.ConnectionSuccess, time.Minute).record(probe.Result{Opened: true}, health.State{})
		}
		code, _, body := get(t, &Server{Board: b, Ready: ready}, "GET", "/")
		if rows := strings.Count(body, `class="is-ok"`); code != 200 || rows != n || !strings.HasSuffix(body, "</html>\n") {
			t.Errorf("%d probes: %d, %d rows", n, code, rows)
		}
	}
}

// TestNumber: three digits, whatever rounding makes of them.
func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{0.12: "0.12 ms", 9.994: "9.99 ms", 9.996: "10.0 ms", 99.94: "99.9 ms", 99.96: "100 ms", 1234.5: "1234 ms"} {
		if got := number(v, "ms"); got != want {
			t.Errorf("number(%v) = %q, want %q", v, got, want)
		}
	}
}

// TestPageOfStatuses: a status colours the row whatever the reason of its last run, and is counted at the top.
func TestPageOfStatuses(t *testing.T) {
	b := &Board{}
	for _, s := range []health.Status{health.Unknown, health.Healthy, health.Degraded, health.Unhealthy, health.Unhealthy, health.NoData} {
		add(b, "probe", "ws://example.com/", probe.HandshakeLatency, time.Minute).
			record(probe.Result{Opened: true}, health.State{Status: s, Since: time.Now().Add(-90 * time.Second)})
	}
	_, _, body := get(t, &Server{Board: b, Ready: ready}, "GET", "/")
	for part, want := range map[string]int{
		`class="is-ok"`: 2, `class="is-warn"`: 1, `class="is-bad"`: 3, `<span class="pill bad">2 unhealthy</span>`: 1,
		`<span class="pill warn">1 degraded</span>`: 1, `<span class="pill bad">1 no_data</span>`: 1,
		`<span class="pill ok">healthy</span> <span class="dim">for 1 min 3`: 1, `<span class="pill ok">unknown`: 0,
	} {
		if got := strings.Count(body, part); got != want {
			t.Errorf("%d times %s, want %d", got, part, want)
		}
	}
}

func TestAgo(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Hour: "just now", 999 * time.Millisecond: "just now", time.Second: "1 s ago", 61 * time.Second: "1 min 1 s ago",
		time.Hour: "1 h 0 min ago", 25*time.Hour + time.Minute: "1 d 1 h ago",
	} {
		if got := ago(d); got != want {
			t.Errorf("ago(%v) = %q, want %q", d, got, want)
		}
	}
	for in, want := range map[string]string{"1m0s": "1m", "24h0m0s": "24h", "10s": "10s", "1h30m0s": "1h30m", "1h0m5s": "1h0m5s", "10m0s": "10m"} {
		if got := every(in); got != want {
			t.Errorf("every(%q) = %q, want %q", in, got, want)
		}
	}
}
