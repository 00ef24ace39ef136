package telemetry

import (
	"fmt"
	"io"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	probehealth "github.com/wsprobe/wsprobe/probe/health"
)

// newScraped makes a Telemetry that can be scraped.
func newScraped(t *testing.T) *Telemetry {
	t.Helper()
	telemetry, err := New(Options{Exposition: true, ServiceVersion: "1.2.3"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := telemetry.close(); err != nil {
			t.Error(err)
		}
	})
	return telemetry
}

// scraped returns the lines of an answer that begin so.
func scraped(t *testing.T, telemetry *Telemetry, beginning string) []string {
	t.Helper()
	w := httptest.NewRecorder()
	telemetry.MetricsHandler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	body, _ := io.ReadAll(w.Result().Body)
	if w.Code != 200 {
		t.Fatalf("%d %s", w.Code, body)
	}
	var lines []string
	for line := range strings.Lines(string(body)) {
		if strings.HasPrefix(line, beginning) {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

const scrapedChat = `server_address="chat.example.com",server_port="443",team="web",url_path="/socket",url_scheme="wss",` +
	`wsprobe_interpretation="round_trip_latency",wsprobe_name="chat"`

// TestScrapeIsOfTheLastRun: a gauge is that of the last run, absent if that did not measure it, and the same however
// often it is asked for; totals are of all runs.
func TestScrapeIsOfTheLastRun(t *testing.T) {
	telemetry := newScraped(t)
	series := telemetry.probe(chat())
	check := func(beginning string, want ...string) {
		t.Helper()
		for range 2 {
			if got := scraped(t, telemetry, beginning); !slices.Equal(got, want) {
				t.Errorf("%s: got %q, want %q", beginning, got, want)
			}
		}
	}
	latency, success := "wsprobe_round_trip_latency_milliseconds{", "wsprobe_connection_success{"
	check(success)
	check("wsprobe_runs_total{")

	series.Record(good(midnight, 4*time.Millisecond), probehealth.Healthy)
	series.Record(good(midnight.Add(time.Minute), 5*time.Millisecond), probehealth.Degraded)
	check(latency, latency+scrapedChat+"} 10")
	check(success, success+scrapedChat+`,wsprobe_reason="ok"} 1`)
	check("wsprobe_status{", "wsprobe_status{"+scrapedChat+"} 1")
	check("wsprobe_round_trip_duration_milliseconds_count{", "wsprobe_round_trip_duration_milliseconds_count{"+scrapedChat+"} 2")

	series.Record(refused(midnight.Add(2*time.Minute)), unjudged)
	check(latency)
	check("wsprobe_handshake_latency_milliseconds{")
	check("wsprobe_status{")
	check(success, success+scrapedChat+`,wsprobe_reason="ws_open_failed"} 0`)
	check("wsprobe_round_trip_duration_milliseconds_count{", "wsprobe_round_trip_duration_milliseconds_count{"+scrapedChat+"} 2")
	check("wsprobe_runs_total{",
		`wsprobe_runs_total{`+scrapedChat+`,wsprobe_reason="ok"} 2`,
		`wsprobe_runs_total{error_type="http_403",`+scrapedChat+`,wsprobe_reason="ws_open_failed"} 1`)
	if got := scraped(t, telemetry, "target_info{"); len(got) != 1 || !strings.Contains(got[0], `service_version="1.2.3"`) {
		t.Errorf("resource %q", got)
	}
}

// TestScrapedExemplars: who asks for OpenMetrics is led to traces, also after a collection.
func TestScrapedExemplars(t *testing.T) {
	telemetry, err := New(Options{Exposition: true, Traces: true, TraceRatio: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = telemetry.close() })
	trace := probe.Trace{ID: [16]byte{0xab}, Run: [8]byte{0xcd}, Sampled: true}
	telemetry.probe(chat()).Record(in(trace, good(midnight, 4*time.Millisecond)), unjudged)
	want := regexp.MustCompile(`(?m)^wsprobe_round_trip_duration_milliseconds_bucket{.*,le="10.0"} 1 # {.*trace_id="ab0{30}".*} 8.0 `)
	for range 2 {
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/metrics", nil)
		r.Header.Set("Accept", "application/openmetrics-text; version=1.0.0")
		telemetry.MetricsHandler().ServeHTTP(w, r)
		if !want.MatchString(w.Body.String()) {
			t.Errorf("no exemplar in\n%s", w.Body)
		}
		allRequests(telemetry)
	}
}

// TestScrapesTakeNothingFromTheExport: whoever scrapes, every run is exported once.
func TestScrapesTakeNothingFromTheExport(t *testing.T) {
	b := newBackend(t)
	e := exportTo(t, b.start(t), Options{Exposition: true})
	const probes, runs = 5, 100
	var busy sync.WaitGroup
	done := make(chan struct{})
	for range 2 {
		busy.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					w := httptest.NewRecorder()
					e.MetricsHandler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
				}
			}
		})
	}
	var recording sync.WaitGroup
	for i := range probes {
		target := chat()
		target.Name = fmt.Sprint("probe ", i)
		series := e.probe(target)
		recording.Go(func() { record(series, runs) })
	}
	recording.Wait()
	b.await(t, "the runs", runsArrived(probes*runs))
	close(done)
	busy.Wait()
	e.end(t)
	b.stop()
	for i := range probes {
		checkRuns(t, b.points, fmt.Sprint("probe ", i), runs)
	}
}

// TestScrapedLabels: a label of a probe that would mean something else to Prometheus has another name there.
func TestScrapedLabels(t *testing.T) {
	telemetry := newScraped(t)
	target := chat()
	target.Labels = map[string]string{
		"le": "1", "server_address": "2", "error-type": "3", "wsprobe_phase": "4", "team": "5", "k8s.pod.name": "6", "9.x": "7", "text": "\"\\\n{}",
	}
	telemetry.probe(target).Record(good(midnight, time.Millisecond), unjudged)
	line := scraped(t, telemetry, "wsprobe_handshake_duration_milliseconds_bucket{")[0]
	for _, want := range []string{
		`exported_le="1"`, `server_address="chat.example.com"`, `exported_server_address="2"`, `exported_error_type="3"`,
		`exported_wsprobe_phase="4"`, `team="5"`, `k8s_pod_name="6"`, `text="\"\\\n{}"`,
	} {
		if !strings.Contains(line, want) {
			t.Errorf("%s is not in %s", want, line)
		}
	}
	if n := strings.Count(line, `le="`); n != 2 { // that of the bucket, and the end of exported_le
		t.Errorf("%d times le in %s", n, line)
	}
}

// TestOneScrapeAtATime: who asks while another is answered is told to come again, for an answer can be large.
func TestOneScrapeAtATime(t *testing.T) {
	telemetry := newScraped(t)
	asking, answered := make(chan struct{}), make(chan struct{})
	slow := &slowWriter{ResponseRecorder: httptest.NewRecorder(), asking: asking, goOn: make(chan struct{})}
	go func() {
		defer close(answered)
		telemetry.MetricsHandler().ServeHTTP(slow, httptest.NewRequest("GET", "/metrics", nil))
	}()
	<-asking
	second := httptest.NewRecorder()
	telemetry.MetricsHandler().ServeHTTP(second, httptest.NewRequest("GET", "/metrics", nil))
	close(slow.goOn)
	<-answered
	if second.Code != 503 || !strings.Contains(second.Body.String(), "one at a time") || second.Header().Get("Retry-After") == "" || slow.Code != 200 {
		t.Errorf("%d %s, meanwhile %d", slow.Code, second.Body, second.Code)
	}
}

// slowWriter waits before the first byte.
type slowWriter struct {
	*httptest.ResponseRecorder
	once         sync.Once
	asking, goOn chan struct{}
}

func (w *slowWriter) Write(p []byte) (int, error) {
	w.once.Do(func() { close(w.asking); <-w.goOn })
	return w.ResponseRecorder.Write(p)
}

// TestNoScrapesUnlessAsked: nothing is kept for what nobody asks for.
func TestNoScrapesUnlessAsked(t *testing.T) {
	telemetry := newTest(t, Options{}, new(stub))
	series := telemetry.probe(chat())
	series.Record(good(midnight, time.Millisecond), unjudged)
	if last, kept := series.counts.Last(); telemetry.MetricsHandler() != nil || kept {
		t.Errorf("%v keeps %v", telemetry.MetricsHandler(), last)
	}
}

// TestScrapedSelection: a scrape can have some families alone, or some probes alone, and a mistake in it is told.
func TestScrapedSelection(t *testing.T) {
	telemetry := newScraped(t)
	for name, team := range map[string]string{"a": "web", "b": "core", "c": ""} {
		target := chat()
		target.Name, target.Labels = name, map[string]string{"team": team, "k8s.pod": "p"}
		if team == "" {
			target.Labels = nil
		}
		telemetry.probe(target).Record(good(midnight, time.Millisecond), unjudged)
	}
	family, name := regexp.MustCompile(`(?m)^# TYPE (\S+)`), regexp.MustCompile(`(?m)^wsprobe_runs_total{.*wsprobe_name="(.)"`)
	ask := func(query string) (code int, body, families, probes string) {
		w := httptest.NewRecorder()
		telemetry.MetricsHandler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics?"+query, nil))
		var some, names []string
		for _, m := range family.FindAllStringSubmatch(w.Body.String(), -1) {
			some = append(some, m[1])
		}
		for _, m := range name.FindAllStringSubmatch(w.Body.String(), -1) {
			names = append(names, m[1])
		}
		slices.Sort(names)
		return w.Code, w.Body.String(), strings.Join(some, " "), strings.Join(names, "")
	}
	const ofProbes = "target_info wsprobe_connection_success wsprobe_consecutive_failures wsprobe_handshake_duration_milliseconds wsprobe_handshake_latency_milliseconds " +
		"wsprobe_phase_duration_milliseconds wsprobe_round_trip_duration_milliseconds wsprobe_round_trip_latency_milliseconds wsprobe_runs_total wsprobe_success"
	for query, want := range map[string]struct{ families, probes string }{
		"name=wsprobe_runs_total":                             {"wsprobe_runs_total", "abc"},
		"name[]=wsprobe_runs_total&name=wsprobe_success":      {"wsprobe_runs_total wsprobe_success", "abc"},
		"name=wsprobe_agent_p*":                               {"wsprobe_agent_probes", ""},
		"name=wsprobe_handshake_duration_milliseconds_bucket": {"wsprobe_handshake_duration_milliseconds", ""},
		"name=wsprobe.runs":                                   {"", ""},
		"name=":                                               {"", ""},
		"label=team=web":                                      {ofProbes, "a"},
		"label=team=web&label=team=core":                      {ofProbes, "ab"},
		"label=team=web&label=k8s.pod=p&name=*_runs_*":        {"wsprobe_runs_total", "a"},
		"label=team=web&label=k8s.pod=q":                      {"target_info", ""},
		"label=team=":                                         {"target_info", ""},
		"name=wsprobe_agent_probes&label=team=web":            {"", ""},
	} {
		if code, _, families, probes := ask(query); code != 200 || families != want.families || probes != want.probes {
			t.Errorf("%s: %d, %q of %q", query, code, families, probes)
		}
	}
	for query, want := range map[string]string{
		"label=team": "label is KEY=VALUE", "label==x": "label is KEY=VALUE", "lable=team=web": "lable is no parameter", "a%zz": "the query cannot be read", "%1b=1": "is no parameter",
	} {
		if code, body, _, _ := ask(query); code != 400 || !strings.Contains(body, want) || strings.Contains(body, "\x1b") {
			t.Errorf("%s: %d %q", query, code, body)
		}
	}
}
