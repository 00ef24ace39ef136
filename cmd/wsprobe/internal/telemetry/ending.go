package telemetry

import (
	"slices"
	"time"
)

// End ends the series of probes that are no longer there. Runs recorded so far are exported, then the totals a last time,
// and with Options.EndMarkers a point with the flag for "no recorded value" for each series. A scrape does not have them
// any more at once. A result that is recorded later is ignored.
//
// A probe of the same name and attributes that is registered afterwards goes on with the series: they do not end, but for
// those that it has no value of, and its sums begin anew.
func (t *Telemetry) End(series ...*Series) {
	for _, s := range series {
		s.mu.Lock()
		s.ended = true
		s.mu.Unlock()
		t.pending.abandon(s)
	}
	if len(series) > 0 {
		t.producer.remove(series)
	}
}

// remove has series end with the next collection, if there are collections.
func (p *producer) remove(gone []*Series) {
	these := make(map[*Series]bool, len(gone))
	for _, s := range gone {
		these[s] = true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	left := make([]*Series, 0, len(p.series)) // a collection may be reading the old ones
	for _, s := range p.series {
		switch {
		case !these[s]:
			left = append(left, s)
		case p.pending != nil:
			p.ending = append(p.ending, s)
		}
	}
	p.series = left
}

// takeEnding returns the series that ended and of which no run waits any more, and those that are there by the names of
// their probes.
func (p *producer) takeEnding() (ending []*Series, there map[string]*Series) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.ending) == 0 {
		return nil, nil
	}
	waiting := p.pending.waiting()
	all := p.ending
	p.ending = nil
	for _, s := range all {
		if waiting[s] {
			p.ending = append(p.ending, s)
		} else {
			ending = append(ending, s)
		}
	}
	there = make(map[string]*Series, len(p.series))
	for _, s := range p.series {
		there[s.target.Name] = s
	}
	return ending, there
}

// addEnding adds the last totals of the series that ended, and then the points with which they end. It returns the
// horizon for all that comes after them.
func (p *producer) addEnding(b *batcher, horizon time.Time) time.Time {
	ending, there := p.takeEnding()
	if len(ending) == 0 {
		return horizon
	}
	at := p.times.next(horizon)
	for _, s := range ending {
		p.addTotals(b, s, at)
		b.flush()
	}
	at = p.times.next(at)
	for _, s := range ending {
		heir := there[s.target.Name]
		if heir != nil && !heir.continues(s) {
			heir = nil
		}
		p.endSeries(b, s, heir, at)
		b.flush()
	}
	return at
}

// continues reports whether the points of a series have the attributes of another.
func (s *Series) continues(other *Series) bool {
	a, b := s.target, other.target
	return a.Name == b.Name && a.Interpretation == b.Interpretation && a.Address == b.Address && a.Port == b.Port &&
		a.Scheme == b.Scheme && a.Path == b.Path && slices.Equal(s.labels, other.labels)
}

// endSeries ends all series of a probe, but for those that its heir goes on with. An heir that has not run yet ends the
// others with its first run.
func (p *producer) endSeries(b *batcher, s, heir *Series, at time.Time) {
	told, start := s.told, p.startOf(s)
	if heir != nil {
		heir.since.Store(int64(at.Sub(p.start))) // its sums begin where the others ended
	}
	if heir != nil && !heir.told.ran {
		heir.told.values, heir.told.reason, heir.told.newest, heir.told.inherited = told.values, told.reason, told.newest, told.ran || told.inherited
	}
	if !p.endMarkers {
		return
	}
	var left values // to the heir
	if heir != nil {
		left = heir.told.values
	}
	b.endValues(s, told.values&^left, start, at)
	if told.ran && (heir == nil || heir.told.reason != told.reason) {
		b.endReason(s, told.reason, start, at)
	}
	b.endTotals(s, heir, start, at)
	if heir != nil {
		return
	}
	for _, m := range []metricID{idSuccess, idConsecutiveFailures} {
		if told.ran {
			b.end(ending{s, m, variant{}}, start, at)
		}
	}
	for m, has := range map[metricID]bool{idStatus: told.judged, idTLSTimeLeft: told.certified, idMissedIntervals: told.missed} {
		if has {
			b.end(ending{s, m, variant{}}, start, at)
		}
	}
}

// endTotals ends the cumulative series of a probe that its heir does not go on with.
func (b *batcher) endTotals(s, heir *Series, start, at time.Time) {
	outcomes, handshake, roundTrip := s.totals()
	var continued []outcomeCount
	if heir != nil {
		continued, _, _ = heir.totals()
	}
	for _, o := range outcomes {
		same := func(c outcomeCount) bool { return c.reason == o.reason && c.errorType == o.errorType }
		if !slices.ContainsFunc(continued, same) {
			b.end(ending{s, idRuns, variant{reason: o.reason.String(), errorType: string(o.errorType)}}, start, at)
		}
	}
	if heir != nil {
		return
	}
	if handshake.count > 0 {
		b.end(ending{s, idHandshakeDuration, variant{}}, start, at)
	}
	if roundTrip.count > 0 {
		b.end(ending{s, idRoundTripDuration, variant{}}, start, at)
	}
}
