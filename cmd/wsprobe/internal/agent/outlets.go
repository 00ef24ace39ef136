package agent

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/event"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/feed"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/stream"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/telemetry"
	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe/shape"
)

// outlets are the places that results go to as events.
type outlets struct {
	log   *slog.Logger
	about telemetry.Options
	feed  *feed.Feed   // what clients of the agent read; nil without agent.listen
	sinks *event.Sinks // the feed and the streams
	told  []event.Sink // those of sinks
	// settle returns once every event under way is told, so that the next ones go to the sinks of now.
	settle func()

	mu      sync.Mutex
	streams []outlet // in the order of the configuration
	leaving []outlet // that have left it and still drain
	past    map[string]*past
	running context.Context // of run, nil before
	over    bool            // no stream begins any more
	tasks   sync.WaitGroup
}

// outlet is a stream with its configuration of now.
type outlet struct {
	*line
	config.Stream
}

// line is a stream and the goroutine that runs it.
type line struct {
	stream  *stream.Stream
	options stream.Options
	stop    context.CancelFunc // nil before it runs
	ended   chan struct{}      // closed once its buffer is given back
}

// past are the sums of the streams of a name that are over.
type past struct {
	stream.Counts
	until time.Time // when the metrics need them no longer, unless there is a stream of the name
}

// lingering is for how long metrics still have the sums of a stream that is over, so that a last scrape gets them.
const lingering = 2 * time.Minute

// newOutlets prepares the streams and the feed, and takes the directories of the buffers. After an error they are free.
// About describes the agent.
func newOutlets(cfg config.Config, o Options, about telemetry.Options, a *Agent) (*outlets, error) {
	all := &outlets{log: o.Log, about: about, sinks: event.NewSinks(), settle: func() {}, past: make(map[string]*past)}
	if cfg.Agent.Listen != "" {
		encoder, err := event.NewEncoder(eventOptions(config.Encoding{Codec: shape.JSON}, false, about))
		if err != nil {
			return nil, err
		}
		all.feed = feed.New(feed.Options{Encode: alone(encoder), Recall: a.recall, Origins: a.origins})
	}
	first, err := all.plan(cfg.Streams)
	if err != nil {
		return nil, err
	}
	all.apply(first)
	return all, nil
}

// current returns the streams of now, which nobody changes.
func (s *outlets) current() []outlet {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.streams
}

// begun reports whether the streams run.
func (s *outlets) begun() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running != nil
}

// abandon gives the directories back before anything has run.
func (s *outlets) abandon() error {
	s.mu.Lock()
	s.over = true
	s.mu.Unlock()
	var errs []error
	for _, one := range s.current() {
		errs = append(errs, one.stream.Close())
	}
	return errors.Join(errs...)
}

// run delivers until the context ends, and for the drain of the streams.
func (s *outlets) run(ctx context.Context) {
	s.mu.Lock()
	s.running = ctx
	for _, one := range s.streams {
		s.begin(one)
	}
	s.mu.Unlock()
	var feeding sync.WaitGroup
	if s.feed != nil {
		feeding.Go(func() { s.feed.Run(ctx) })
	}
	<-ctx.Done()
	s.mu.Lock()
	s.over = true
	s.mu.Unlock()
	s.tasks.Wait()
	feeding.Wait()
}

// begin runs a stream. The caller holds the lock.
func (s *outlets) begin(one outlet) {
	var ctx context.Context
	ctx, one.stop = context.WithCancel(s.running)
	s.tasks.Go(func() {
		one.stream.Run(ctx)
		s.finish(one)
	})
}

// leave ends streams, whose sums go on in the past of their names. Those that run still drain.
func (s *outlets) leave(gone ...outlet) {
	s.mu.Lock()
	s.leaving = append(s.leaving, gone...)
	s.mu.Unlock()
	for _, one := range gone {
		if one.stop != nil {
			one.stop()
			continue
		}
		if err := one.stream.Close(); err != nil {
			s.log.Warn("a stream left files open", "stream", one.Name, "error", err)
		}
		s.finish(one)
	}
}

// finish notes the end of a stream. The sums of one that has left stay.
func (s *outlets) finish(one outlet) {
	if one.stop != nil {
		one.stop()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer close(one.ended)
	for i := range s.leaving {
		if s.leaving[i].line != one.line {
			continue
		}
		s.leaving = append(s.leaving[:i:i], s.leaving[i+1:]...)
		sums := s.past[one.Name]
		if sums == nil {
			sums = &past{}
			s.past[one.Name] = sums
		}
		counts := one.stream.Counts()
		sums.Add(&counts)
		sums.until = time.Now().Add(lingering)
		return
	}
}

// forget says that a probe is gone.
func (s *outlets) forget(probe string) {
	if s.feed != nil {
		s.feed.Forget(probe)
	}
}
