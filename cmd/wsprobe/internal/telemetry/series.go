package telemetry

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/wsprobe/wsprobe/probe"
	probehealth "github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/reasons"
)

// Target is what the points of one probe say about it.
type Target struct {
	Name           string
	Interpretation probe.Interpretation
	Address        string // host of the URL, without brackets
	Port           int
	Scheme         string        // ws or wss
	Interval       time.Duration // between two runs
	Path           string        // path of the URL, without its query; empty means /
	// Labels are more attributes. One that is named like an attribute of our own is left out.
	Labels map[string]string
}

// Series receives the results of one probe. Its methods may be called by several goroutines.
//
// It keeps what attributes are made of, and not the attributes: half a kilobyte for each of ten or so variants would
// be more than all the rest of a probe. They are made when a collection needs them, and are gone with it.
type Series struct {
	pending *pending
	target  Target // without its labels
	labels  []label
	records *recorder // of log records, or nil
	traces  *traces   // or nil

	mu        sync.Mutex
	outcomes  []outcomeCount
	streak    uint32        // failed runs in a row
	active    time.Time     // when the last run was recorded, or else since when there is this series
	since     time.Duration // from the start of the agent to that of the sums
	ended     bool          // there is no such probe any more
	handshake histogram[uint32]
	roundTrip histogram[uint32]
	exemplars *exemplars // since the last collection, nil for none
	last      *run       // nil unless there are scrapes; without a series before the first run
	shown     *exemplars // to scrapes, nil for none

	told told // touched by collections only
}

// told is what the export last said of a series.
type told struct {
	newest    time.Time    // of the points of its runs
	values    values       // that its last run had
	reason    reasons.Code // of its last run
	streak    uint32       // after its last run
	ran       bool         // there was a run
	missed    bool         // that runs were missed
	certified bool         // a run had a certificate
	behind    bool         // the streak is another than was exported
}

// outcomeCount is how often the runs of a probe ended in one way.
type outcomeCount struct {
	reason    reasons.Code
	errorType reasons.ErrorType
	n         int64
}

// variant names the attributes that a point bears besides those of its probe. Empty ones are absent.
type variant struct{ reason, errorType, phase string }

// attributes is a set with the most bytes that it takes in a request.
type attributes struct {
	set  attribute.Set
	size int
}

func newSeries(t Target, p *pending) *Series {
	s := &Series{pending: p, target: t, active: time.Now()}
	s.target.Path, s.target.Labels = cmp.Or(t.Path, "/"), nil
	s.labels = make([]label, 0, len(t.Labels))
	for _, name := range slices.Sorted(maps.Keys(t.Labels)) {
		if !reserved(name) {
			s.labels = append(s.labels, label{name, t.Labels[name]})
		}
	}
	return s
}

// label is a label of a probe. A map of two takes five times the memory.
type label struct{ name, value string }

// reserved reports whether a label would stand in the place of one of our own attributes.
func reserved(name string) bool {
	return slices.Contains(ProbeAttributes(), name) || name == keyReason || name == keyPhase || name == keyErrorType
}

// text is a string attribute. A string that is not UTF-8 would make its whole request unencodable.
func text(key, value string) attribute.KeyValue {
	const unknown = "\uFFFD"
	return attribute.String(strings.ToValidUTF8(key, unknown), strings.ToValidUTF8(value, unknown))
}

// Record notes the result of a run, and what the probe is after it, which is Unknown for one without thresholds. The
// runs of one probe must be recorded in order of time, which is how they take place; other probes may be recorded
// meanwhile. It does not keep the texts of the result.
func (s *Series) Record(r probe.Result, status probehealth.Status) {
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		s.pending.abandon(s)
		return
	}
	s.active = time.Now()
	outcome := s.count(r.Reason, r.ErrorType)
	if s.streak++; r.Reason == reasons.OK {
		s.streak = 0
	}
	if r.Opened {
		s.handshake.observe(latencyBounds, r.Handshake)
	}
	if r.Replied {
		s.roundTrip.observe(latencyBounds, r.RoundTrip)
	}
	traced := s.traces != nil && r.Traced()
	if traced {
		if s.exemplars == nil {
			s.exemplars = &exemplars{}
		}
		s.exemplars.note(r, outcome)
		if s.shown != nil {
			s.shown.note(r, outcome)
		}
	}
	noted := newRun(s, r, status)
	noted.streak = s.streak
	if s.last != nil {
		*s.last = noted
	}
	s.pending.add(noted) // under the lock, so that no run follows the end of the series
	s.mu.Unlock()
	s.report(r)
	if traced {
		s.traces.add(s, r)
	}
}

// Fix says that the outcome of a run is fixed. [Series.Record] follows after its close handshake, or [Series.Abandon].
// Until then no export says anything of a later time, so that back ends get the points in order.
func (s *Series) Fix(ended time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.pending.fix(s, ended)
	}
}

// Abandon says that the result of a run that was fixed is not recorded.
func (s *Series) Abandon() { s.pending.abandon(s) }

// missedIntervals is how many whole intervals there was no run. It goes by the monotonic clock.
func (s *Series) missedIntervals() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.target.Interval <= 0 {
		return 0
	}
	return int64(time.Since(s.active) / s.target.Interval)
}

// count counts a run and returns the index of its outcome. It looks for the outcome by hand: a probe has one or two of
// them, rarely more.
func (s *Series) count(reason reasons.Code, errorType reasons.ErrorType) int {
	for i := range s.outcomes {
		if o := &s.outcomes[i]; o.reason == reason && o.errorType == errorType {
			o.n++
			return i
		}
	}
	s.outcomes = append(s.outcomes, outcomeCount{reason, errorType, 1})
	return len(s.outcomes) - 1
}

// totals returns a copy of the cumulative values.
func (s *Series) totals() (outcomes []outcomeCount, handshake, roundTrip distribution) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.outcomes), s.handshake.snapshot(latencyBounds), s.roundTrip.snapshot(latencyBounds)
}

// takeExemplars returns the exemplars of what was counted since the last call.
func (s *Series) takeExemplars() *exemplars {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := s.exemplars
	s.exemplars = nil
	return taken
}

// appendBase appends the attributes that all points and records of the probe bear.
func (s *Series) appendBase(kvs []attribute.KeyValue) []attribute.KeyValue {
	t := &s.target
	for _, l := range s.labels {
		kvs = append(kvs, text(l.name, l.value))
	}
	return append(kvs,
		text(keyName, t.Name),
		text(keyInterpretation, string(t.Interpretation)),
		text(string(semconv.ServerAddressKey), t.Address),
		semconv.ServerPort(t.Port),
		text(string(semconv.URLSchemeKey), t.Scheme),
		text(string(semconv.URLPathKey), t.Path),
	)
}

// with returns the attributes of the probe and those of the variant.
func (s *Series) with(b *batcher, v variant) attributes {
	kvs := s.appendBase(b.scratch[:0])
	if b.label != nil {
		for i := range kvs[:len(s.labels)] {
			kvs[i].Key = attribute.Key(b.label(string(kvs[i].Key)))
		}
	}
	kvs = append(kvs, b.common...)
	for _, extra := range [...]struct{ key, value string }{
		{keyReason, v.reason}, {keyErrorType, v.errorType}, {keyPhase, v.phase},
	} {
		if extra.value != "" {
			kvs = append(kvs, attribute.String(extra.key, extra.value))
		}
	}
	b.scratch = kvs
	return newAttributes(kvs...)
}

// attributes returns the attributes of a point of the agent.
func (b *batcher) attributes(kvs ...attribute.KeyValue) attributes {
	return newAttributes(slices.Concat(b.common, kvs)...)
}

func newAttributes(kvs ...attribute.KeyValue) attributes {
	return attributes{set: attribute.NewSet(kvs...), size: encodedSize(kvs)}
}

// encodedSize is the most bytes that attributes take in a request: their texts, and of each no more than 20
// bytes of tags, lengths and number.
func encodedSize(kvs []attribute.KeyValue) int {
	size := 0
	for _, kv := range kvs {
		size += len(kv.Key) + 20
		if kv.Value.Type() == attribute.STRING {
			size += len(kv.Value.AsString())
		}
	}
	return size
}
