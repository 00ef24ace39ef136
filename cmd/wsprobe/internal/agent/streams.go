package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/buffer"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/event"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/feed"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/stream"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/telemetry"
	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe/shape"
)

// outlets are the places that results go to as events.
type outlets struct {
	streams []outlet
	feed    *feed.Feed   // what clients of the agent read; nil without agent.listen
	sinks   []event.Sink // all of these
}

// outlet is a stream with what the configuration says of its health.
type outlet struct {
	*stream.Stream
	name  string
	ready bool // /readyz needs it
}

// newOutlets prepares the streams and the feed, and takes the directories of the buffers. After an error they are free.
// About describes the agent.
func newOutlets(cfg config.Config, o Options, about telemetry.Options, a *Agent) (*outlets, error) {
	all := &outlets{}
	for i := range cfg.Streams {
		c := &cfg.Streams[i]
		s, err := newStream(c, o, about)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("stream %q: %w", c.Name, err), all.abandon())
		}
		all.streams = append(all.streams, outlet{Stream: s, name: c.Name, ready: c.Ready})
		all.sinks = append(all.sinks, s)
	}
	if cfg.Agent.Listen != "" {
		encoder, err := event.NewEncoder(eventOptions(config.Encoding{Codec: shape.JSON}, false, about))
		if err != nil {
			return nil, errors.Join(err, all.abandon())
		}
		all.feed = feed.New(feed.Options{Encode: alone(encoder), Recall: a.recall, Origins: a.origins})
		all.sinks = append(all.sinks, all.feed)
	}
	return all, nil
}

// abandon gives the directories back before anything has run.
func (s *outlets) abandon() error {
	var errs []error
	for _, one := range s.streams {
		errs = append(errs, one.Close())
	}
	return errors.Join(errs...)
}

// checkRequired opens each stream once without which the agent is not to start. The error says which cannot connect.
func checkRequired(ctx context.Context, streams []config.Stream) error {
	required := slices.DeleteFunc(slices.Clone(streams), func(s config.Stream) bool { return !s.RequiresHealth() })
	var errs []error
	for _, outcome := range CheckStreams(ctx, required) {
		if outcome.Err != nil && ctx.Err() == nil {
			errs = append(errs, fmt.Errorf("stream %q: %w", outcome.Name, outcome.Err))
		}
	}
	return errors.Join(errs...)
}

// run delivers until the context ends, and for the drain of the streams.
func (s *outlets) run(ctx context.Context) {
	var all sync.WaitGroup
	for _, one := range s.streams {
		all.Go(func() { one.Run(ctx) })
	}
	if s.feed != nil {
		all.Go(func() { s.feed.Run(ctx) })
	}
	all.Wait()
}

// forget says that a probe is gone.
func (s *outlets) forget(probe string) {
	if s.feed != nil {
		s.feed.Forget(probe)
	}
}

// newStream prepares a stream.
func newStream(c *config.Stream, o Options, about telemetry.Options) (*stream.Stream, error) {
	encoder, err := event.NewEncoder(eventOptions(c.Encoding, c.Batch.MaxEvents > 1, about))
	if err != nil {
		return nil, err
	}
	return stream.New(stream.Options{
		Name:             c.Name,
		ShownURL:         c.ShownURL(),
		Opening:          c.Opening,
		Timeout:          c.Timeout,
		Select:           selection(c.Select),
		Encoder:          encoder,
		Batch:            stream.Batch{Events: c.Batch.MaxEvents, Bytes: c.Batch.MaxBytes, Linger: c.Batch.Linger},
		PingInterval:     c.PingInterval,
		PingTimeout:      c.PingTimeout,
		WriteTimeout:     c.WriteTimeout,
		Acknowledgements: stream.Proof(c.Acknowledgements),
		AckPath:          c.AckPath,
		Buffer: buffer.Options{Dir: c.Buffer.Dir, MaxEvents: c.Buffer.MaxEvents, MaxBytes: c.Buffer.MaxSize,
			DropNewest: c.Buffer.DropsNewest(), Log: o.Log.With("stream", c.Name)},
		Workers:   c.Workers,
		Reconnect: c.Reconnect,
		Drain:     c.Drain,
		Quiet:     !c.ChecksHealth(),
		Log:       o.Log,
	})
}

// alone returns a function for the message of one event that was not sent before.
func alone(e *event.Encoder) func(*event.Event) []byte {
	return func(ev *event.Event) []byte {
		form := e.Encode(ev)
		return event.Join(nil, e.Name(), []event.Part{{Text: form.Text, Slot: form.Slot}})
	}
}

// selection says in the words of events which of them a stream carries.
func selection(s config.Selection) event.Selection {
	labels := make(map[string][]string, len(s.Labels))
	for key, value := range s.Labels {
		labels[key] = []string{value}
	}
	return event.Selection{Probes: s.Probes, Labels: labels, Reasons: s.Reasons, Changes: s.Changes}
}

// eventOptions says in the encoder's words how events are written.
func eventOptions(e config.Encoding, batched bool, about telemetry.Options) event.Options {
	return event.Options{Shape: shape.Options(e), Batched: batched, Location: about.Location, Agent: about.InstanceID,
		Version: about.ServiceVersion, Resource: about.Resource()}
}

// observe makes the telemetry count what the streams do.
func (s *outlets) observe(o *telemetry.Options) {
	if len(s.streams) > 0 {
		o.Streams = s.stats
	}
	if s.feed != nil {
		o.Feed = s.feedStats
	}
}

// stats are the numbers of the streams in the words of the telemetry.
func (s *outlets) stats() []telemetry.StreamStats {
	all := make([]telemetry.StreamStats, len(s.streams))
	for i, one := range s.streams {
		state, counts := one.State(), one.Counts()
		t := telemetry.StreamStats{
			Name: one.name, Open: state.Open, Established: counts.Established, Received: counts.Events, Sent: counts.Sent,
			Resent: counts.Resent, Messages: counts.Messages, Bytes: counts.Bytes, BufferFailures: counts.Disk,
			Buffered: counts.Waiting.Events, BufferSize: counts.Waiting.Bytes, BufferAge: counts.Waiting.Age,
			Failed: make(map[telemetry.Pair]int64), Shutdown: make(map[telemetry.Pair]int64), Discarded: discarded(counts),
		}
		for f, n := range counts.Failed {
			t.Failed[telemetry.Pair{f.Reason, f.ErrorType}] = n
		}
		for e, n := range counts.Shutdown {
			t.Shutdown[telemetry.Pair{e.By, e.CloseCode}] = n
		}
		all[i] = t
	}
	return all
}

// discarded is the number of events given up by each cause, 0 included.
func discarded(counts stream.Counts) map[string]int64 {
	all := make(map[string]int64)
	for _, cause := range buffer.Causes() {
		all[string(cause)] = counts.Discarded[cause]
	}
	return all
}

// feedStats are the numbers of the feed in the words of the telemetry.
func (s *outlets) feedStats() telemetry.FeedStats {
	f := s.feed.Stats()
	return telemetry.FeedStats{
		Clients: f.Clients,
		Dropped: map[string]int64{"slow": f.Slow, "mute": f.Mute, "noisy": f.Noisy},
		Refused: map[string]int64{"full": f.Full, "foreign": f.Foreign},
	}
}
