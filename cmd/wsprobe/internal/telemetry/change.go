package telemetry

import (
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/otlp"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/outbox"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/tracing"
)

// live is what a [Change] changes.
type live struct {
	mu         sync.Mutex // held by Apply
	options    Options    // those that hold
	interval   atomic.Int64
	retimed    chan struct{} // holds a value when the interval is another one
	endMarkers atomic.Bool
}

// Change is other options of a [Telemetry] that runs: checked, and not in force yet.
type Change struct {
	telemetry *Telemetry
	options   Options
	client    *otlp.Client // nil if the present one stays
}

// Change prepares to go on with other options. It takes Endpoint, TLS, Headers, Compression, Timeout, Interval, PageURL,
// EndMarkers and TraceRatio of them, and Protocol unless that is ProtocolNone or was. Everything else stays as it was
// at [New]. The error says what is wrong with them. Nothing changes before [Change.Apply].
func (t *Telemetry) Change(options Options) (*Change, error) {
	t.live.mu.Lock()
	before := t.live.options
	t.live.mu.Unlock()
	next := before
	if t.route != nil {
		next.Protocol = options.Protocol
	}
	next.Endpoint, next.TLS, next.Headers = options.Endpoint, options.TLS, maps.Clone(options.Headers)
	next.Compression, next.Timeout, next.Interval = options.Compression, options.Timeout, options.Interval
	next.PageURL, next.EndMarkers, next.TraceRatio = options.PageURL, options.EndMarkers, options.TraceRatio
	next = next.filled()
	c := &Change{telemetry: t, options: next}
	err := next.check()
	if t.route != nil && next.Protocol == ProtocolNone {
		err = errors.Join(err, errors.New("the export cannot be turned off while it runs"))
	}
	if err == nil && t.route != nil && !sameClient(before, next) {
		c.client, err = otlp.New(next.client())
	}
	if err != nil {
		return nil, fmt.Errorf("telemetry: %w", err)
	}
	return c, nil
}

// Apply puts the options in force. A request under way ends on the connection before. The next one, of whatever waits,
// goes to where the options say, without a pause that an answer of before has asked for.
func (c *Change) Apply() {
	t := c.telemetry
	t.live.mu.Lock()
	defer t.live.mu.Unlock()
	if c.client != nil {
		t.route.Replace(c.client)
		t.producer.worth.anew.Store(true)
	}
	t.takeLocked(c.options)
	for _, box := range t.boxes {
		var paced outbox.Options
		c.options.pace(&paced)
		box.SetPace(paced)
		if c.client != nil {
			box.Retry()
		}
	}
}

// Discard forgets a Change that is not applied.
func (c *Change) Discard() error {
	if c.client == nil {
		return nil
	}
	return c.client.Close()
}

// take makes options hold that can change.
func (t *Telemetry) take(o Options) {
	t.live.mu.Lock()
	defer t.live.mu.Unlock()
	t.takeLocked(o)
}

func (t *Telemetry) takeLocked(o Options) {
	t.live.options = o
	t.live.endMarkers.Store(o.EndMarkers)
	if time.Duration(t.live.interval.Swap(int64(o.Interval))) != o.Interval {
		signal(t.live.retimed)
	}
	if t.traces != nil {
		t.traces.sampler.Store(tracing.NewSampler(o.TraceRatio))
	}
	t.self.setBuild(buildAttributes(o.ServiceVersion, runtime.Version(), revision(), o.PageURL))
}

// interval is the time between two collections.
func (t *Telemetry) interval() time.Duration { return time.Duration(t.live.interval.Load()) }

// sameClient reports whether requests are sent alike.
func sameClient(a, b Options) bool {
	return a.Protocol == b.Protocol && a.Endpoint == b.Endpoint && a.Compression == b.Compression && a.Timeout == b.Timeout &&
		maps.Equal(a.Headers, b.Headers) && sameTLS(a.TLS, b.TLS)
}

// sameTLS reports whether two configurations of TLS have the same authorities and certificates.
func sameTLS(a, b *tls.Config) bool {
	if a == nil || b == nil {
		return a == b
	}
	same := a.InsecureSkipVerify == b.InsecureSkipVerify && a.ServerName == b.ServerName && a.MinVersion == b.MinVersion
	if same = same && (a.RootCAs == nil) == (b.RootCAs == nil) && len(a.Certificates) == len(b.Certificates); !same {
		return false
	}
	for i := range a.Certificates {
		if !slices.EqualFunc(a.Certificates[i].Certificate, b.Certificates[i].Certificate, slices.Equal[[]byte]) {
			return false
		}
	}
	return a.RootCAs == nil || a.RootCAs.Equal(b.RootCAs)
}
