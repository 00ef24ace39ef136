package stream

import (
	"context"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/buffer"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/event"
	"github.com/wsprobe/wsprobe/probe"
)

// setup is how a stream delivers. It does not change: another one takes its place.
type setup struct {
	Options
	probe *probe.Probe // opens connections
	// over ends when connections of the setup are to end, because another one has its place.
	over context.Context
	end  context.CancelFunc
}

func newSetup(o Options) (*setup, error) {
	o = o.withDefaults()
	p, err := probe.New(probe.Spec{Opening: o.Opening, Timeout: o.Timeout})
	if err != nil {
		return nil, err
	}
	s := &setup{Options: o, probe: p}
	s.over, s.end = context.WithCancel(context.Background())
	return s, nil
}

// item is an event as the buffer keeps it. It is none if the selection does not admit it.
func (s *setup) item(e *event.Event) (item buffer.Item, admitted bool) {
	if !s.Select.Admits(e) {
		return item, false
	}
	form := s.Encoder.Encode(e)
	return buffer.Item{ID: e.ID, Lane: e.Observation.Probe.Name(), At: e.At, Encoding: s.Encoder.Name(), Text: form.Text, Slot: form.Slot}, true
}

// Change is another setup of a stream that runs: checked, and not in force yet.
type Change struct {
	stream *Stream
	next   *setup
}

// Change prepares to go on with other options. The Name, the Buffer and the Workers are those at [New]. The error is
// that of an opening that is not valid. One call of Change, with what follows on it, works at a time.
func (s *Stream) Change(o Options) (*Change, error) {
	next, err := newSetup(o)
	if err != nil {
		return nil, err
	}
	return &Change{s, next}, nil
}

// Renew puts options in force that mean the same, but for the content of secrets. They hold from the next event and from
// the next open on, and connections stay.
func (c *Change) Renew() {
	c.next.end()
	before := c.stream.setup.Load()
	c.next.over, c.next.end = before.over, before.end
	c.stream.setup.Store(c.next)
}

// Reopen puts options in force at once. It closes the connections with 1001, and has them opened anew. Events that wait
// are kept, in the form that they have. Those whose delivery is not proven are sent again.
func (c *Change) Reopen() {
	before := c.stream.setup.Swap(c.next)
	c.stream.board.renew(c.next.Quiet)
	before.end()
}
