package telemetry

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe/metrics"
)

// TestOwnSeriesEnd: a series of the agent itself that a collection has no longer ends in it once, behind the values of
// its metric: of a stream and a source that are gone, of a cause that is no more, of the agent.url before.
func TestOwnSeriesEnd(t *testing.T) {
	for _, markers := range []bool{true, false} {
		streams := []StreamStats{{Name: "kept"}, {Name: "gone", Buffered: 1, Failed: map[Pair]int64{{"dns", ""}: 1}}}
		sources := []DiscoveryStats{{Name: "files", Rejected: map[string]int{"invalid": 1}}}
		telemetry := newTest(t, Options{EndMarkers: markers, PageURL: "https://a.example/",
			Streams: func() []StreamStats { return streams }, Discovery: func() []DiscoveryStats { return sources }}, new(stub))
		// ends are the series that end in a collection, as a metric and its values. All of them have had a value.
		known := make(map[string]bool)
		ends := func() (all []string) {
			for _, scope := range allRequests(telemetry) {
				for _, f := range scope.Families {
					ended := false
					for _, p := range f.Points {
						text := strings.TrimPrefix(f.Name, "wsprobe.")
						for _, key := range []string{keyAgentURL, keyStream, keyDiscovery, keyRejectCause, metrics.KeyReason} {
							if v, ok := p.Attributes.Value(key); ok {
								text += " " + v.String()
							}
						}
						if p.NoValue {
							all = append(all, text)
						}
						if p.NoValue && !known[text] || ended && !p.NoValue {
							t.Errorf("the end of %s: known %v, at the end of its metric %v", text, known[text], p.NoValue)
						}
						ended, known[text] = p.NoValue, !p.NoValue
					}
				}
			}
			slices.Sort(all)
			return all
		}
		if got := ends(); got != nil {
			t.Errorf("at first %q", got)
		}
		if got := ends(); got != nil {
			t.Errorf("without a change %q", got)
		}
		change, err := telemetry.Change(Options{EndMarkers: markers, PageURL: "https://b.example/"})
		if err != nil {
			t.Fatal(err)
		}
		change.Apply()
		streams = []StreamStats{{Name: "kept"}, {Name: "come"}}
		sources[0].Rejected = nil
		got := ends()
		for _, want := range []string{"agent.build.info https://a.example/", "discovery.rejected files invalid",
			"stream.buffer.age gone", "stream.connections.failed gone dns", "stream.connections.open gone", "stream.events.sent gone"} {
			if slices.Contains(got, want) != markers {
				t.Errorf("markers %v: %s is among what ends: %v", markers, want, !markers)
			}
		}
		for _, text := range got {
			if strings.HasSuffix(text, " kept") || strings.HasSuffix(text, " come") || text == "agent.probes" {
				t.Errorf("%s ends", text)
			}
		}
		if got := ends(); got != nil {
			t.Errorf("once more %q", got)
		}
		streams = []StreamStats{{Name: "kept"}, {Name: "gone"}}
		got = ends()
		if markers != slices.Contains(got, "stream.connections.open come") || known["stream.connections.open gone"] != true {
			t.Errorf("a stream that is back: %q", got)
		}
	}
}

// TestOwnSeriesEndBehindManyValues: the ends come behind the values of their metric, too, if these fill requests.
func TestOwnSeriesEndBehindManyValues(t *testing.T) {
	streams := make([]StreamStats, 500)
	for i := range streams {
		streams[i].Name = "s" + time.Duration(i).String()
	}
	telemetry := newTest(t, Options{EndMarkers: true, Streams: func() []StreamStats { return streams }}, new(stub))
	allRequests(telemetry)
	was := len(streams)
	streams = streams[:was/2]
	values, ends := 0, 0
	for _, scope := range allRequests(telemetry) {
		for _, p := range sums(scope, idStreamOpen) {
			if p.NoValue {
				ends++
			} else if values++; ends > 0 {
				t.Error("a value behind an end")
			}
		}
	}
	if values != was/2 || ends != was/2 {
		t.Errorf("%d values and %d ends", values, ends)
	}
}
