package feed

import (
	"slices"

	"github.com/klauspost/compress/s2"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/event"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

const (
	// maxEvents is how many events a client can be behind.
	maxEvents = 1000
	// maxBytes bounds them, too, because an endpoint can make its events long.
	maxBytes = 4 << 20
)

// entry is an event that is kept. It does not change.
type entry struct {
	number  uint64 // from 1, in the order of the events
	id      string
	probe   *latest
	reason  string
	changed bool
	text    []byte
	packed  *s2.Dict // that the text is compressed with, or nil
}

// message returns the text as it is sent.
func (e *entry) message() ([]byte, error) {
	if e.packed == nil {
		return e.text, nil
	}
	return e.packed.Decode(nil, e.text)
}

// latest is the last event of a probe, and what is known of those before.
type latest struct {
	identity *metrics.Identity
	entry    *entry // nil once the probe has left
	dropped  uint64 // number of the newest event of the probe that is not among the last events any more
}

// past is the last events of all probes, and the last one of each.
type past struct {
	ring   [maxEvents]*entry
	oldest uint64 // number of the first event in the ring
	newest uint64 // number of the last one; oldest-1 if there is none
	bytes  int    // of the ring
	probes map[string]*latest
	dict   *s2.Dict // the text of an event: others have the same keys, and many of the same values
	packed []byte   // for the next one to be compressed
	left   uint64   // number of the newest event, not in the ring any more, of a probe that has left
}

func newPast() past { return past{oldest: 1, probes: make(map[string]*latest)} }

// at returns an event of the ring.
func (p *past) at(number uint64) *entry { return p.ring[number%maxEvents] }

// add takes an event.
func (p *past) add(e *event.Event, text []byte) *entry {
	identity := e.Observation.Probe
	probe := p.probes[identity.Name()]
	if probe == nil {
		probe = &latest{}
		p.probes[identity.Name()] = probe
	}
	if p.dict == nil {
		p.dict = s2.MakeDict(text, nil) // nil again if the text is too short or too long for one
	}
	if p.newest-p.oldest+1 == maxEvents {
		p.drop()
	}
	p.newest++
	added := &entry{number: p.newest, id: e.ID, probe: probe, reason: e.Observation.Result.Reason.String(), changed: e.Changed, text: text}
	probe.identity, probe.entry = identity, added
	p.ring[p.newest%maxEvents] = added
	for p.bytes += len(text); p.bytes > maxBytes && p.oldest < p.newest; {
		p.drop()
	}
	return added
}

// drop takes the first event out of the ring.
func (p *past) drop() {
	e := p.at(p.oldest)
	p.ring[p.oldest%maxEvents] = nil
	p.oldest++
	p.bytes -= len(e.text)
	switch e.probe.dropped = e.number; e.probe.entry {
	case nil:
		p.left = e.number
	case e:
		e.probe.entry = p.pack(e)
	}
}

// pack makes an entry small, because there is one for each of maybe a hundred thousand probes.
func (p *past) pack(e *entry) *entry {
	if p.dict == nil {
		return e
	}
	p.packed = p.dict.Encode(p.packed[:0], e.text)
	small := *e
	small.text, small.packed = slices.Clone(p.packed), p.dict
	return &small
}

// forget leaves out the last event of a probe. Its events in the ring have been, and stay.
func (p *past) forget(name string) {
	if probe := p.probes[name]; probe != nil {
		delete(p.probes, name)
		probe.entry = nil
		p.left = max(p.left, probe.dropped)
	}
}

// between returns the probes whose last event is from first to last and selected, in no order. That the event changed
// nothing is no hindrance: it tells a state.
func (p *past) between(first, last uint64, s *event.Selection) []due {
	var found []due
	for _, probe := range p.probes {
		if e := probe.entry; first <= e.number && e.number <= last && s.AdmitsReason(e.reason) && s.AdmitsProbe(probe.identity) {
			found = append(found, due{probe, e.number})
		}
	}
	return found
}

// find returns the number of the event with an ID.
func (p *past) find(id string) (number uint64, found bool) {
	for n := p.newest; n >= p.oldest; n-- {
		if p.at(n).id == id {
			return n, true
		}
	}
	for _, probe := range p.probes {
		if probe.entry.id == id {
			return probe.entry.number, true
		}
	}
	return 0, false
}

// complete reports whether all selected events behind one with a number are in the ring.
func (p *past) complete(number uint64, s *event.Selection) bool {
	if number+1 >= p.oldest {
		return true
	}
	if p.left > number {
		return false
	}
	for _, probe := range p.probes {
		if probe.dropped > number && s.AdmitsProbe(probe.identity) {
			return false
		}
	}
	return true
}
