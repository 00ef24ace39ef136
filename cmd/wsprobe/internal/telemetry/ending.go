package telemetry

import (
	"slices"
	"time"

	"github.com/wsprobe/wsprobe/probe/metrics"
)

// End ends the series of probes that are no longer there. Runs recorded so far are exported, then the totals a last
// time, and with Options.EndMarkers a point with the flag for "no recorded value" for each series. A scrape does not
// have them any more at once. A result that is recorded later is ignored.
func (t *Telemetry) End(series ...*Series) { t.Replace(series, nil) }

// Replace ends the series of probes that are no longer there, see [Telemetry.End], and registers others, of which it
// returns where to record their results. No export shows the one without the other.
//
// A probe that comes goes on with the series, and with the sums, of a probe that goes if its points have the same
// attributes: to a back end these are the same series. The Series returned is then that of the probe that went, whose
// runs must not use it any more.
func (t *Telemetry) Replace(gone []*Series, come []*metrics.Identity) []*Series {
	for _, s := range gone {
		s.end()
		t.pending.abandon(s)
	}
	fresh := make([]*Series, len(come))
	for i, id := range come {
		fresh[i] = t.newSeries(id)
	}
	return t.producer.replace(gone, fresh)
}

// end has a series ignore what is recorded from now on.
func (s *Series) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
}

// resume has an ended series go on for another probe, of which there was no run yet.
func (s *Series) resume(interval time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = false
	s.counts.Resume(interval)
}

// replace has series end with the next collection, if there are collections, and adds others. It returns these, or the
// ended ones that go on in their place.
func (p *producer) replace(gone, fresh []*Series) []*Series {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.remove(gone)
	ended := p.endedOf(fresh)
	resumed := make(map[*Series]bool)
	for i, s := range fresh {
		if same := slices.IndexFunc(ended[s.identity.Name()], s.continues); same >= 0 {
			fresh[i] = ended[s.identity.Name()][same]
			fresh[i].resume(s.identity.Target().Interval)
			resumed[fresh[i]] = true
		} else if p.running {
			s.since = time.Since(p.start)
		}
		p.series = append(p.series, fresh[i])
	}
	if len(resumed) > 0 || p.pending == nil {
		p.ending = slices.DeleteFunc(p.ending, func(s *Series) bool { return resumed[s] || p.pending == nil })
	}
	return fresh
}

// endedOf returns, by their names, the ended series of probes that come again. A probe that was changed twice since the
// last collection has two.
func (p *producer) endedOf(fresh []*Series) map[string][]*Series {
	if len(p.ending) == 0 {
		return nil
	}
	ended := make(map[string][]*Series, len(fresh))
	for _, s := range fresh {
		ended[s.identity.Name()] = nil
	}
	for _, s := range p.ending {
		if all, comes := ended[s.identity.Name()]; comes {
			ended[s.identity.Name()] = append(all, s)
		}
	}
	return ended
}

// remove moves series to those that are ending.
func (p *producer) remove(gone []*Series) {
	if len(gone) == 0 {
		return
	}
	these := make(map[*Series]bool, len(gone))
	for _, s := range gone {
		these[s] = true
	}
	left := make([]*Series, 0, len(p.series)) // a collection may be reading the old ones
	for _, s := range p.series {
		if these[s] {
			p.ending = append(p.ending, s)
		} else {
			left = append(left, s)
		}
	}
	p.series = left
}

// takeEnding returns the series that ended and of which no run waits any more.
func (p *producer) takeEnding() (ending []*Series) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.ending) == 0 {
		return nil
	}
	waiting := p.pending.waiting()
	var later []*Series
	for _, s := range p.ending {
		if waiting[s] {
			later = append(later, s)
		} else {
			ending = append(ending, s)
		}
	}
	p.ending = later
	return ending
}

// addEnding adds the last totals of the series that ended, and then the points with which they end. It returns the
// horizon for all that comes after them.
func (p *producer) addEnding(b *batcher, horizon time.Time) time.Time {
	ending := p.takeEnding()
	if len(ending) == 0 {
		return horizon
	}
	at := p.times.next(horizon)
	for _, s := range ending {
		if !p.startOf(s).Before(at) {
			continue
		}
		p.addTotals(b, s, at)
		p.addMissed(b, s, at)
		b.flush()
	}
	if !p.endMarkers.Load() {
		return at
	}
	at = p.times.next(at)
	for _, s := range ending {
		b.endSeries(s, p.startOf(s), at)
		b.flush()
	}
	return at
}

// continues reports whether the points of a series have the attributes of another.
func (s *Series) continues(other *Series) bool { return s.identity.Same(other.identity) }

// endSeries ends all series of a probe.
func (b *batcher) endSeries(s *Series, start, at time.Time) {
	told := s.told
	if !b.temporality.delta() { // a difference is no value that holds until the next one
		b.endTotals(s, start, at)
	}
	b.endMeasured(s, told.measured, start, at)
	if told.ran {
		b.endReason(s, told.reason, start, at)
	}
	for m, has := range map[metrics.ID]bool{
		metrics.ConsecutiveFailures: told.ran,
		metrics.TLSTimeLeft:         told.certified, metrics.MissedIntervals: told.lagged,
	} {
		if has {
			b.end(ending{s, m, metrics.Variant{}}, start, at)
		}
	}
}

// endTotals ends the cumulative series of a probe.
func (b *batcher) endTotals(s *Series, start, at time.Time) {
	s.counts.Totals().Each(func(m metrics.ID, v metrics.Variant) { b.end(ending{s, m, v}, start, at) })
}
