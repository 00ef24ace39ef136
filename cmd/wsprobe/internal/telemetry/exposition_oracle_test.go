package telemetry

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"google.golang.org/protobuf/proto"

	"github.com/wsprobe/wsprobe/probe"
	probehealth "github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/session"
)

// TestScrapesAreAsTheSDKMakesThem compares whole answers with those of the SDK's exporter and promhttp, byte for byte but
// for the order of samples within a family and of the labels of an exemplar, which both leave open.
func TestScrapesAreAsTheSDKMakesThem(t *testing.T) {
	for name, accept := range map[string]string{
		"text":                     "",
		"OpenMetrics":              "application/openmetrics-text; version=1.0.0",
		"old OpenMetrics":          "application/openmetrics-text; version=0.0.1",
		"Prometheus 3":             "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.4,*/*;q=0.2",
		"a browser":                "text/html,application/xhtml+xml,*/*;q=0.8",
		"something else, or text":  "image/png, text/plain;q=0.1",
		"what there is not at all": "image/png",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				telemetry := newVaried(t)
				ask := func(h http.Handler) (string, http.Header) {
					w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/metrics", nil)
					r.Header.Set("Accept", accept)
					h.ServeHTTP(w, r)
					return w.Body.String(), w.Header()
				}
				wanted, head := ask(sdkScrapes(t, telemetry))
				page, ours := ask(telemetry.MetricsHandler())
				if got, want := ours.Get("Content-Type"), head.Get("Content-Type"); got != want {
					t.Errorf("type %q, want %q", got, want)
				}
				got, want := families(page), families(wanted)
				if len(want) < 50 {
					t.Errorf("%d families prove little", len(want))
				}
				for i := range max(len(got), len(want)) {
					if i >= len(got) || i >= len(want) || got[i] != want[i] {
						t.Fatalf("got\n%s\nwant\n%s", strings.Join(got[min(i, len(got)):min(i+1, len(got))], ""), strings.Join(want[min(i, len(want)):min(i+1, len(want))], ""))
					}
				}
			})
		})
	}
}

// TestMessagesAreAsTheSDKMakesThem does so for protobuf. Totals tell when they began besides, which the SDK leaves out.
func TestMessagesAreAsTheSDKMakesThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		telemetry := newVaried(t)
		read := func(h http.Handler) map[string]*dto.MetricFamily {
			w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/metrics", nil)
			r.Header.Set("Accept", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,text/plain;q=0.5")
			h.ServeHTTP(w, r)
			all := make(map[string]*dto.MetricFamily)
			for decoder := expfmt.NewDecoder(w.Body, expfmt.ResponseFormat(w.Header())); ; {
				var f dto.MetricFamily
				if err := decoder.Decode(&f); errors.Is(err, io.EOF) {
					return all
				} else if err != nil {
					t.Fatal(err)
				}
				slices.SortFunc(f.Metric, func(a, b *dto.Metric) int { return cmp.Compare(fmt.Sprint(a.Label), fmt.Sprint(b.Label)) })
				all[f.GetName()] = &f
			}
		}
		got, want := read(telemetry.MetricsHandler()), read(sdkScrapes(t, telemetry))
		for name, family := range got {
			if strings.HasPrefix(name, "go_") || strings.HasPrefix(name, "process_") {
				continue
			}
			for i, m := range family.Metric {
				created := m.GetCounter().GetCreatedTimestamp()
				if m.Histogram != nil {
					created, m.Histogram.CreatedTimestamp = m.Histogram.CreatedTimestamp, nil
				}
				if m.Counter != nil {
					m.Counter.CreatedTimestamp = nil
				}
				if began := created.AsTime(); m.Gauge == nil && time.Since(began) != 5*time.Minute {
					t.Errorf("%s began at %v", name, began)
				}
				for _, x := range exemplarsOf(want[name].GetMetric()[i]) {
					slices.SortFunc(x.Label, func(a, b *dto.LabelPair) int { return cmp.Compare(a.GetName(), b.GetName()) })
				}
			}
			if !proto.Equal(family, want[name]) {
				t.Errorf("got\n%v\nwant\n%v", family, want[name])
			}
			delete(want, name)
		}
		if len(want) > 0 {
			t.Errorf("without %v", want)
		}
	})
}

func exemplarsOf(m *dto.Metric) []*dto.Exemplar {
	all := []*dto.Exemplar{m.GetCounter().GetExemplar()}
	for _, b := range m.GetHistogram().GetBucket() {
		all = append(all, b.GetExemplar())
	}
	return slices.DeleteFunc(all, func(x *dto.Exemplar) bool { return x == nil })
}

// newVaried is a Telemetry whose scrapes have everything: odd labels, all kinds of runs, sessions, exemplars, streams.
func newVaried(t *testing.T) *Telemetry {
	t.Helper()
	o := Options{Exposition: true, ServiceVersion: "1.2.3", Location: "Zürich \"west\"\\1\n", Traces: true, TraceRatio: 1,
		Attributes: map[string]string{"a.b": "2", "a_b": "1", "empty": ""},
		InFlight:   func() int { return 3 },
		Streams: func() []StreamStats {
			return []StreamStats{{Name: "s", Open: 1, Failed: map[Pair]int64{{"ws_open_failed", "http_403"}: 2}, Buffered: 1, BufferSize: 12_345_678, Bytes: 1_000_000, BufferAge: 1500 * time.Millisecond}}
		},
		Feed:      func() FeedStats { return FeedStats{Clients: 2, Dropped: map[string]int64{"slow": 1}} },
		Discovery: func() []DiscoveryStats { return []DiscoveryStats{{Name: "d", Targets: 999_999, Succeeded: 1}} },
	}
	telemetry, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = telemetry.close() })
	telemetry.ObserveStart(time.Millisecond)
	telemetry.ObserveSkip("overlap", 3)
	for i := range 3 {
		target := chat()
		target.Name, target.Interval = fmt.Sprint("probe ", i), time.Minute
		if i > 0 {
			target.Labels = map[string]string{"le": "1", "server_address": "2", "error-type": "3", "k8s.pod": "b;", "k8s_pod": "a", "9.x": "7", "text": "\"\\\n{}", "none": "", "aÿ": "é"}
		}
		series := telemetry.probe(target)
		for n := range 40 * i {
			result := good(time.Now(), time.Duration(n*n)*time.Millisecond/3)
			result.CertificateExpiry = time.Now().Add(time.Hour)
			series.Record(in(probe.Trace{ID: [16]byte{1, byte(n)}, Run: [8]byte{2, byte(n)}, Sampled: true}, result), probehealth.Degraded)
		}
		if i == 2 {
			series.Record(refused(time.Now()), probehealth.Unhealthy)
		}
	}
	held := telemetry.probe(chat())
	held.Note(&session.Event{Kind: session.Received, Message: session.Message{Wanted: true, Size: 3 << 20, Gap: time.Hour, Dated: true, Lost: 1 << 40}}, true)
	held.Note(&session.Event{Kind: session.Ended, End: &session.End{Cause: session.ByClose, Code: 1006, Lifetime: time.Hour}}, true)
	held.Maintain(time.Now(), metrics.Within)
	time.Sleep(5 * time.Minute)
	return telemetry
}

var (
	eachFamily = regexp.MustCompile(`(?m)^# HELP `)
	exemplar   = regexp.MustCompile(`# \{(.*)\}`)
)

// families are the families of a page without those of this process, each with its samples in a fixed order.
func families(page string) []string {
	var all []string
	for _, f := range eachFamily.Split(page, -1) {
		if f == "" || strings.HasPrefix(f, "go_") || strings.HasPrefix(f, "process_") {
			continue
		}
		lines := strings.SplitAfter(f, "\n")
		sortedLines := lines[min(2, len(lines)):]
		for i, line := range sortedLines {
			sortedLines[i] = exemplar.ReplaceAllStringFunc(line, func(labels string) string {
				pairs := strings.Split(strings.Trim(labels, "# {}"), ",")
				slices.Sort(pairs)
				return "# {" + strings.Join(pairs, ",") + "}"
			})
		}
		slices.Sort(sortedLines)
		all = append(all, strings.Join(lines, ""))
	}
	return all
}
