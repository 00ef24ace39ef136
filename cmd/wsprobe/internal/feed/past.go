package feed

import (
	"slices"
	"strings"

	"github.com/klauspost/compress/s2"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/event"
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

// past is the last events of all probes, and the last one of each. No step of it takes long, however many probes there
// are, because probes wait meanwhile.
type past struct {
	ring   [maxEvents]*entry
	oldest uint64 // number of the first event in the ring
	newest uint64 // number of the last one; oldest-1 if there is none
	bytes  int    // of the ring
	probes map[string]*latest
	order  latest   // the ends of the list of probes, in the order of their last events
	left   uint64   // number of the newest event, not in the ring any more, of a probe that has left
	dict   *s2.Dict // the text of an event: others have the same keys, and many of the same values
	packed []byte   // for the next one to be compressed
}

func newPast() *past {
	p := &past{oldest: 1, probes: make(map[string]*latest)}
	p.order.before, p.order.behind = &p.order, &p.order
	return p
}

// at returns an event of the ring.
func (p *past) at(number uint64) *entry { return p.ring[number%maxEvents] }

// add takes an event.
func (p *past) add(e *event.Event, text []byte) *entry {
	identity := e.Observation.Probe
	probe := p.probes[identity.Name()]
	if probe == nil {
		probe = &latest{}
		p.probes[identity.Name()] = probe
	} else {
		probe.remove()
	}
	if p.dict == nil {
		p.dict = s2.MakeDict(text, nil) // nil again if the text is too short for one
	}
	if p.newest-p.oldest+1 == maxEvents {
		p.drop()
	}
	p.newest++
	added := &entry{number: p.newest, id: e.ID, probe: probe, reason: e.Observation.Result.Reason.String(), changed: e.Changed, text: text}
	probe.identity, probe.entry = identity, added
	probe.insert(p.order.before)
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
		probe.remove()
		probe.entry = nil
		p.left = max(p.left, probe.dropped)
	}
}

// after returns the number of the first event in the ring behind the one with an ID, and whether it is certain that no
// selected event between them is lost.
func (p *past) after(id string, s *event.Selection) (next uint64, certain bool) {
	for n := p.newest; n >= p.oldest; n-- {
		if p.at(n).id == id {
			return n + 1, true
		}
	}
	// The last event of a quiet probe leaves the ring, but nothing is lost by that for those who want this probe only.
	var found *entry
	for _, name := range s.Probes {
		if strings.Contains(name, "*") {
			return 0, false
		}
		if probe := p.probes[name]; probe != nil && probe.entry.id == id {
			found = probe.entry
		}
	}
	if found == nil || p.left > found.number {
		return 0, false
	}
	for _, name := range s.Probes {
		if probe := p.probes[name]; probe != nil && probe.dropped > found.number {
			return 0, false
		}
	}
	return p.oldest, true
}
