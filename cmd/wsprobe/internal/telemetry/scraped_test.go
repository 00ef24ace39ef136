package telemetry

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/wsprobe/wsprobe/probe"
)

const (
	acceptText     = "text/plain;version=0.0.4"
	acceptProtobuf = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,text/plain;q=0.5"
)

// TestScrapedForms: which histograms a scrape gets, by what is configured, by the format that it asks for, and whatever
// the export has.
func TestScrapedForms(t *testing.T) {
	for _, test := range []struct {
		name, accept    string
		options         Options
		classic, native bool
	}{
		{"default/text", acceptText, Options{}, true, false},
		{"default/protobuf", acceptProtobuf, Options{}, true, false},
		{"native/text", acceptText, Options{Scraped: ScrapedNative}, true, false},
		{"native/protobuf", acceptProtobuf, Options{Scraped: ScrapedNative}, false, true},
		{"native/protobuf/export explicit", acceptProtobuf, Options{Scraped: ScrapedNative, Protocol: ProtocolHTTP}, false, true},
		{"classic/protobuf/export exponential", acceptProtobuf, Options{Exponential: true, MaxScale: 20, Protocol: ProtocolHTTP}, true, false},
		{"native/protobuf/export exponential", acceptProtobuf, Options{Scraped: ScrapedNative, Exponential: true, MaxScale: 20, Protocol: ProtocolHTTP}, false, true},
		{"none/text", acceptText, Options{Scraped: ScrapedNone}, false, false},
		{"none/protobuf", acceptProtobuf, Options{Scraped: ScrapedNone}, false, false},
		{"none/text/export explicit", acceptText, Options{Scraped: ScrapedNone, Protocol: ProtocolHTTP}, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.options.Exposition, test.options.Traces, test.options.TraceRatio = true, true, 1
			telemetry, err := New(test.options)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = telemetry.close() })
			telemetry.ObserveStart(time.Millisecond)
			series := telemetry.probe(chat())
			for i := range 3 {
				traced := probe.Trace{ID: [16]byte{1, byte(i)}, Run: [8]byte{2, byte(i)}, Sampled: true}
				series.Record(in(traced, good(time.Now(), 100*time.Millisecond)), unjudged)
			}
			w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/metrics", nil)
			r.Header.Set("Accept", test.accept)
			telemetry.MetricsHandler().ServeHTTP(w, r)
			if !strings.Contains(w.Body.String(), "wsprobe_runs_total") {
				t.Errorf("no counter")
			}
			decoder := expfmt.NewDecoder(w.Body, expfmt.ResponseFormat(w.Header()))
			classic, native, exemplars := 0, 0, 0
			for {
				var f dto.MetricFamily
				if decoder.Decode(&f) != nil {
					break
				}
				for _, m := range f.Metric {
					if h := m.GetHistogram(); len(h.GetBucket()) > 0 {
						classic++
					} else if h != nil {
						native++
						exemplars += len(h.Exemplars)
						if h.GetSchema() > 8 || h.GetSampleCount() == 0 || h.CreatedTimestamp == nil {
							t.Errorf("%s: %v", f.GetName(), h)
						}
					}
				}
			}
			// Handshakes and round trips of the probe, and lateness of its runs.
			if test.classic != (classic == 3) || test.native != (native == 3) || test.native != (exemplars > 0) || classic+native > 3 {
				t.Errorf("%d classic histograms, %d native ones with %d exemplars", classic, native, exemplars)
			}
		})
	}
}
