package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/buffer"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/event"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/stream"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/telemetry"
	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe/shape"
)

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

// streamOptions says in the stream's words what the configuration says.
func streamOptions(c *config.Stream, log *slog.Logger, about telemetry.Options) (stream.Options, error) {
	encoder, err := event.NewEncoder(eventOptions(c.Encoding, c.Batch.MaxEvents > 1, about))
	return stream.Options{
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
			DropNewest: c.Buffer.DropsNewest(), Log: log.With("stream", c.Name)},
		Workers:   c.Workers,
		Reconnect: c.Reconnect,
		Drain:     c.Drain,
		Quiet:     !c.ChecksHealth(),
		Log:       log,
	}, err
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
