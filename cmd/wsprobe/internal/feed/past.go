package feed

import (
	"slices"
	"strings"

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

// entry is an event that is kept. The lock of the feed guards it.
type entry struct {
	number  uint64 // from 1, in the order of the events
	id      string
	at      int64 // when it was, in ns
	probe   *latest
	reason  string
	changed bool
	weight  uint32   // about the bytes that it takes in the ring
	seen    *seen    // what it is about; nil once it has left the ring
	text    []byte   // nil before a client wants it, and if the event can be recalled
	packed  *s2.Dict // that the text is compressed with, or nil
}

// seen is an event with everything that it refers to.
type seen struct {
	event       event.Event
	observation metrics.Observation
	session     metrics.Session
}

func (s *seen) keep(e *event.Event) {
	s.event, s.observation = *e, *e.Observation
	s.event.Observation, s.observation.Change = &s.observation, nil
	if s.observation.Session != nil {
		s.session = *s.observation.Session
		s.observation.Session = &s.session
	}
}

// weigh is about what an observation takes.
func weigh(o *metrics.Observation) uint32 {
	r := &o.Result
	size := 1<<10 + len(r.Detail) + len(r.Body) + len(r.LastReply) + len(r.CloseReason) + len(r.Subprotocol) + 40*len(r.Steps)
	return uint32(min(size, maxBytes))
}

// past is the last events of all probes, and the last one of each. No step of it takes long, however many probes there
// are, because probes wait meanwhile.
type past struct {
	encode func(*event.Event) []byte
	recall func(*metrics.Identity) *metrics.Observation // nil if nobody can

	ring   [maxEvents]*entry
	seen   [maxEvents]*seen // of these, or of entries that were in the same place before
	oldest uint64           // number of the first event in the ring
	newest uint64           // number of the last one; oldest-1 if there is none
	bytes  int              // of the ring
	probes map[string]*latest
	order  latest   // the ends of the list of probes, in the order of their last events
	left   uint64   // number of the newest event, not in the ring any more, of a probe that has left
	dict   *s2.Dict // the text of an event: others have the same keys, and many of the same values
	packed []byte   // for the next one to be compressed
}

func newPast(o Options) *past {
	p := &past{encode: o.Encode, recall: o.Recall, oldest: 1, probes: make(map[string]*latest)}
	p.order.before, p.order.behind = &p.order, &p.order
	return p
}

// at returns an event of the ring.
func (p *past) at(number uint64) *entry { return p.ring[number%maxEvents] }

// add takes an event. It is not encoded before somebody wants it, because most agents have no clients.
func (p *past) add(e *event.Event) *entry {
	o := e.Observation
	probe := p.probes[o.Probe.Name()]
	if probe == nil {
		probe = &latest{}
		p.probes[o.Probe.Name()] = probe
	} else {
		probe.remove()
	}
	if p.newest-p.oldest+1 == maxEvents {
		p.drop()
	}
	p.newest++
	place := p.newest % maxEvents
	if p.seen[place] == nil {
		p.seen[place] = &seen{}
	}
	p.seen[place].keep(e)
	added := &entry{number: p.newest, id: e.ID, at: o.Result.Ended.UnixNano(), probe: probe, reason: o.Result.Reason.String(),
		changed: e.Changed, weight: weigh(o), seen: p.seen[place]}
	probe.identity, probe.entry = o.Probe, added
	probe.insert(p.order.before)
	p.ring[place] = added
	for p.bytes += int(added.weight); p.bytes > maxBytes && p.oldest < p.newest; {
		p.drop()
	}
	return added
}

// drop takes the first event out of the ring.
func (p *past) drop() {
	e := p.at(p.oldest)
	p.ring[p.oldest%maxEvents] = nil
	p.oldest++
	p.bytes -= int(e.weight)
	switch e.probe.dropped = e.number; e.probe.entry {
	case nil:
		p.left = e.number
	case e:
		p.shrink(e)
	}
}

// shrink makes an entry small, because there is one for each of maybe a hundred thousand probes. The result of a run can
// be had from the page again.
func (p *past) shrink(e *entry) {
	if p.recall != nil && e.seen.observation.Session == nil {
		e.seen, e.text = nil, nil
		return
	}
	text := p.text(e)
	if e.seen = nil; p.dict == nil {
		p.dict = s2.MakeDict(text, nil) // nil again if the text is too short for one
	}
	if p.dict != nil {
		p.packed = p.dict.Encode(p.packed[:0], text)
		e.text, e.packed = slices.Clone(p.packed), p.dict
	}
}

// text returns an event as it is sent, or nil if a newer one is on its way.
func (p *past) text(e *entry) []byte {
	switch {
	case e.packed != nil:
		text, err := e.packed.Decode(nil, e.text)
		if err != nil {
			return nil // which is not so, because the text was packed here
		}
		return text
	case e.text != nil:
		return e.text
	case e.seen != nil:
		e.text = p.encode(&e.seen.event)
		return e.text
	}
	o := p.recall(e.probe.identity)
	if o == nil || o.Result.Ended.UnixNano() != e.at {
		return nil
	}
	return p.encode(&event.Event{ID: e.id, Kind: "run", At: o.Result.Ended, Observation: o, Changed: e.changed})
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

// after returns the number of the first event in the ring behind the one with an ID. Certain is true if no selected
// event between them is lost.
func (p *past) after(id string, s *event.Selection) (next uint64, certain bool) {
	for n := p.newest; n >= p.oldest; n-- {
		if p.at(n).id == id {
			return n + 1, true
		}
	}
	// The last event of a quiet probe leaves the ring. Those who want this probe only lose nothing by that.
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
