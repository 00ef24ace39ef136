package probe

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/wsprobe/wsprobe/probe/internal/opening"
)

// Maker makes Probes. Those whose Specs differ in their URL alone share all else, which is most of their memory. The
// zero value is good, and one goroutine uses it at a time. It is of no use once the Probes are made.
type Maker struct{ designs map[likeness]*design }

// likeness is what Specs often differ in beside their URL. Of the designs with the same likeness a Maker knows the
// last.
type likeness struct {
	interpretation Interpretation
	mode           PingMode
	timeout        time.Duration
	send, expect   string
}

// design is what a Probe is made of beside its URL. It does not change.
type design struct {
	spec  Spec // without its URL
	way   *opening.Way
	lines []line // the connections beside the main one
	turns []turn
	// preparation is nil for most probes.
	preparation *preparation
	open        bool // whether a text of the turns has a placeholder
	// measured is the index of the turn that is the round trip, or -1.
	measured int
	// crossing is the index of the turn whose message the measured one answers on another connection, or -1.
	crossing int
}

// New makes a Probe of a Spec. The error names every fault of the Spec, one a line.
func (m *Maker) New(s Spec) (*Probe, error) {
	s = s.WithDefaults()
	if faults := s.Validate(); len(faults) > 0 {
		var errs []error
		for _, f := range faults {
			errs = append(errs, f)
		}
		return nil, errors.Join(errs...)
	}
	d, err := m.design(s)
	if err != nil {
		return nil, err
	}
	opener, err := openerTo(d.way, s.URL)
	if err != nil {
		return nil, err
	}
	return &Probe{design: d, url: s.URL, opener: opener}, nil
}

// design returns that of a Probe before, if it is the same.
func (m *Maker) design(s Spec) (*design, error) {
	like := likeness{s.Interpretation, s.PingMode, s.Timeout, s.Send, s.Expect}
	if known := m.designs[like]; known != nil && known.fits(s) {
		return known, nil
	}
	d, err := newDesign(s)
	if err != nil || len(d.lines) > 0 || d.preparation != nil {
		return d, err // the URL is in these, too
	}
	if m.designs == nil {
		m.designs = make(map[likeness]*design)
	}
	m.designs[like] = d
	return d, nil
}

// fits reports whether the Probe of a Spec is made of the same, but for its URL. Functions that are given fit nothing.
func (d *design) fits(s Spec) bool {
	s.URL = ""
	return d.spec.TLS == s.TLS && reflect.DeepEqual(&d.spec, &s)
}

// newDesign prepares all of a valid Spec with its defaults, but for the URL of its main connection.
func newDesign(s Spec) (*design, error) {
	s.Headers, s.Protocols, s.Secrets = maps.Clone(s.Headers), slices.Clone(s.Protocols), slices.Clone(s.Secrets)
	s.Connections = maps.Clone(s.Connections)
	way, err := newWay(s)
	if err != nil {
		return nil, err
	}
	lines, err := newLines(s)
	if err != nil {
		return nil, err
	}
	preparation, err := newPreparation(s)
	if err != nil {
		return nil, err
	}
	turns, err := newTurns(s)
	if err != nil {
		return nil, fmt.Errorf("preparing the exchange: %w", err)
	}
	d := &design{spec: s, way: way, lines: lines, turns: turns, preparation: preparation, measured: measured(s.steps())}
	d.spec.URL = ""
	d.open = slices.ContainsFunc(turns, func(t turn) bool { return t.open })
	d.crossing = crossing(turns, d.measured)
	return d, nil
}
