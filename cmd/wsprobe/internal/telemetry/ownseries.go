package telemetry

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/wsprobe/wsprobe/probe/metrics"
)

// ownSeries are the series of the agent itself that a collection had, so that the next one can end those that it has
// not: of a stream or a source of targets that a reload took away, of the agent.url before, of a queue that is empty.
type ownSeries struct {
	had map[ownKey]ownPoint // at the last collection
	has map[ownKey]ownPoint // at the one under way
}

// ownKey is what tells one series from another.
type ownKey struct {
	metric     metrics.ID
	attributes string
}

// ownPoint is what the end of a series repeats of its points, and what the next difference begins with.
type ownPoint struct {
	set   metrics.Set
	start time.Time
	counted
}

// note takes a point of a collection under way, and makes it a difference if it is to be one. It reports whether there
// is anything to say.
func (o *ownSeries) note(m metrics.ID, p *metrics.Point, delta bool) bool {
	key := ownKey{m, textOf(p.Attributes)}
	o.has[key] = ownPoint{p.Attributes, p.Start, countedBy(p)}
	return !delta || o.had[key].reduce(p)
}

// textOf is what tells one set of attributes from another.
func textOf(set metrics.Set) string {
	var text strings.Builder
	for _, a := range set.Attributes {
		text.WriteString(a.Key + "\x00" + a.Value.String() + "\x00")
	}
	return text.String()
}

// addOwn adds the points of the agent itself, and behind all of them the ends of those that are not there any more.
func (p *producer) addOwn(b *batcher, probes int, at time.Time) {
	p.own.has = make(map[ownKey]ownPoint, len(p.own.had))
	b.own = &p.own
	p.self.addTo(b, probes, p.start, at)
	b.own = nil
	before := p.own.had
	p.own.had, p.own.has = p.own.has, nil
	if !p.endMarkers.Load() {
		return
	}
	var gone []ownKey
	for key := range before {
		if _, there := p.own.had[key]; !there && !p.temporality.isDelta(table[key.metric].Kind) {
			gone = append(gone, key)
		}
	}
	slices.SortFunc(gone, func(x, y ownKey) int {
		return cmp.Or(cmp.Compare(x.metric, y.metric), cmp.Compare(x.attributes, y.attributes))
	})
	for _, key := range gone {
		b.add(key.metric, metrics.Point{Attributes: before[key].set, Start: before[key].start, Time: at, NoValue: true})
	}
}
