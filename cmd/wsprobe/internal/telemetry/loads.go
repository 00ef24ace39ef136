package telemetry

import (
	"runtime/debug"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
)

// ConfigLoad is one attempt to load a configuration.
type ConfigLoad struct {
	At   time.Time // when it began
	Took time.Duration
	OK   bool // the configuration is in force
}

// The values of keyLoadOutcome.
const (
	loadSuccess = "success"
	loadFailure = "failure"
)

// loads keeps what is known of attempts to load a configuration.
type loads struct {
	mu       sync.Mutex
	good     int64
	bad      int64
	inForce  time.Time // when the last one that succeeded began
	duration time.Duration
}

func (l *loads) add(load ConfigLoad) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.duration = load.Took
	if !load.OK {
		l.bad++
		return
	}
	l.good++
	l.inForce = load.At
}

// addTo adds the points, if there was any attempt.
func (l *loads) addTo(b *batcher, start, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.good+l.bad == 0 {
		return
	}
	outcome := func(s string) attributes { return b.attributes(attribute.String(keyLoadOutcome, s)) }
	b.sum(idAgentLoads, outcome(loadSuccess), start, now, l.good)
	b.sum(idAgentLoads, outcome(loadFailure), start, now, l.bad)
	b.gauge(idAgentLoadDuration, b.attributes(), start, now, l.duration.Seconds())
	if !l.inForce.IsZero() {
		b.gauge(idAgentLoadTime, b.attributes(), start, now, float64(l.inForce.UnixMilli())/1000)
	}
}

// buildAttributes say what program this is, by the names that Prometheus' own build_info has, and where its page is. What is
// not known is absent.
func buildAttributes(version, compiler, revision, url string) []attribute.KeyValue {
	var kvs []attribute.KeyValue
	for _, a := range []struct{ key, value string }{
		{keyVersion, version}, {keyCompiler, compiler}, {keyRevision, revision}, {keyAgentURL, url},
	} {
		if a.value != "" {
			kvs = append(kvs, text(a.key, a.value))
		}
	}
	return kvs
}

// revision is the commit that this program was built from, empty if the toolchain does not know.
func revision() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				return setting.Value
			}
		}
	}
	return ""
}
