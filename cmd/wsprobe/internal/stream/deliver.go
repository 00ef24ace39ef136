package stream

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/buffer"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/event"
)

// Stream delivers events to one endpoint, over one connection or several.
type Stream struct {
	name    string
	workers int
	setup   atomic.Pointer[setup]
	buffer  *buffer.Buffer
	board   board
	sealed  chan struct{} // closed once no event comes any more
	hurry   chan struct{} // closed once nothing is to be waited for any more
	hurried sync.Once

	messages, bytes, resent atomic.Int64

	mu   sync.Mutex
	disk map[string]int64 // failed uses of the directory
}

// New prepares a stream, and opens its buffer. The error is that of an opening that is not valid, or of a directory that
// another process has, unless the buffer is patient.
func New(o Options) (*Stream, error) {
	first, err := newSetup(o)
	if err != nil {
		return nil, err
	}
	o = first.Options
	s := &Stream{name: o.Name, workers: o.Workers, sealed: make(chan struct{}), hurry: make(chan struct{}), disk: make(map[string]int64)}
	s.setup.Store(first)
	o.Buffer.SpoolFailed = s.spoolFailed
	b, err := buffer.Open(o.Buffer)
	if err != nil {
		return nil, err
	}
	s.buffer = b
	s.board = board{log: o.Log.With("stream", o.Name), workers: o.Workers, quiet: o.Quiet, waiting: func() int { return b.Counts().Size.Events },
		failures: make(map[Failure]int64), shutdowns: make(map[Shutdown]int64), tellers: make(map[any]*teller)}
	return s, nil
}

// Observe takes an event that the selection admits. It never waits.
func (s *Stream) Observe(e *event.Event) {
	if item, admitted := s.setup.Load().item(e); admitted {
		s.buffer.Add(item)
	}
}

// Run delivers until the context ends. It then takes no more events, and goes on for the drain to deliver those that it
// has. Each connection ends with 1001. What remains is on disk, or counted as lost.
func (s *Stream) Run(ctx context.Context) {
	background := context.WithoutCancel(ctx)
	working, stop := context.WithCancel(background)
	defer stop()
	opening, noOpen := context.WithCancel(working)
	defer noOpen()
	keeping, stopBuffer := context.WithCancel(background)
	var keeper, workers sync.WaitGroup
	keeper.Go(func() { s.buffer.Run(keeping) })
	keeper.Go(func() { s.tellDiscards(keeping) })
	for lane := range s.workers {
		w := &worker{s: s, lane: lane, window: newWindow()}
		workers.Go(func() { w.run(working, opening) })
	}
	<-ctx.Done()
	s.buffer.Seal()
	close(s.sealed)
	if s.buffer.Counts().Size.Events == 0 {
		noOpen()
	}
	drained := time.AfterFunc(s.setup.Load().Drain, stop)
	ended := make(chan struct{})
	keeper.Go(func() {
		select {
		case <-s.hurry:
			stop()
		case <-ended:
		}
	})
	workers.Wait()
	close(ended)
	drained.Stop()
	stopBuffer()
	keeper.Wait()
	s.close()
}

// Hurry ends the drain of a stream that stops. It may be called before Run, and more than once.
func (s *Stream) Hurry() { s.hurried.Do(func() { close(s.hurry) }) }

// Close gives the buffer back of a stream that never runs.
func (s *Stream) Close() error { return s.buffer.Close() }

// close gives the buffer back, and tells what is left in it.
func (s *Stream) close() {
	before := s.buffer.Counts()
	_ = s.buffer.Close() // it tells of its disk
	after := s.buffer.Counts()
	if lost := after.Discarded[buffer.Stopped] - before.Discarded[buffer.Stopped]; lost > 0 {
		s.board.log.Warn("stopped with events undelivered", "events", lost)
	}
	if kept := after.Size.Events; kept > 0 {
		s.board.log.Info("stopped with events in the buffer: the next start delivers them", "events", kept)
	}
}

// sent counts messages that were written.
func (s *Stream) sent(t tally) {
	s.messages.Add(t.messages)
	s.bytes.Add(t.bytes)
	s.resent.Add(t.resent)
}

// spoolFailed counts a failed use of the directory of the buffer.
func (s *Stream) spoolFailed(kind string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.disk[kind]++
}

// State says how the stream is.
func (s *Stream) State() State {
	counts := s.buffer.Counts()
	state := State{Name: s.name, URL: s.setup.Load().ShownURL, Waiting: counts.Size}
	s.board.state(&state)
	if state.Open == state.Workers && state.Detail == "" && counts.Trouble != nil {
		state.Detail = "the directory of the buffer does not work, and events wait in memory: " + counts.Trouble.Error()
	}
	return state
}

// InUse is an error while the stream waits for the directory of its buffer, because another process has it.
func (s *Stream) InUse() error { return s.buffer.InUse() }

// Counts are the sums so far.
func (s *Stream) Counts() Counts {
	b := s.buffer.Counts()
	c := Counts{Events: b.Taken, Sent: b.Accepted, Discarded: b.Discarded, Waiting: b.Size, Messages: s.messages.Load(), Bytes: s.bytes.Load(),
		Resent: s.resent.Load()}
	s.board.counts(&c)
	s.mu.Lock()
	defer s.mu.Unlock()
	c.Disk = maps.Clone(s.disk)
	return c
}
