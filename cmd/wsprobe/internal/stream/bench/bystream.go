package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/buffer"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/event"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/stream"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/session"
	"github.com/wsprobe/wsprobe/probe/shape"
)

// What both sides say.
const (
	probeName = "checkout-frankfurt"
	probeURL  = "wss://shop.example.com/socket"
	peer      = "192.0.2.1:443"
	handshake = 12_345_678 * time.Nanosecond
	roundTrip = 3_456_789 * time.Nanosecond
)

// ahead is how many events may wait for their delivery. With more, the memory would be measured.
const ahead = 4000

// identifiers are made before, and come again and again.
var identifiers = func() (all []string) {
	for i := range 10_000 {
		all = append(all, fmt.Sprintf("019353c2-7b6a-7000-8000-%012d", i))
	}
	return all
}()

// identifier is the id of an event.
func identifier(i int) string { return identifiers[i%len(identifiers)] }

// setup is how a stream delivers.
type setup struct {
	batch int  // events a message; 0 for one
	disk  bool // with acknowledgements by Pongs, else they are written
}

// encoder selects the fields that the loop by hand has.
func (s setup) encoder() (*event.Encoder, error) {
	fields := []string{"id", "replay", "event", "timestamp", "probe", "url", "reason", "handshake_ms", "round_trip_ms", "peer"}
	return event.NewEncoder(event.Options{Shape: shape.Options{Codec: shape.JSON, OnlyFields: fields}, Batched: s.batch > 0})
}

func sendStream(url string, events int, s setup) error {
	encoder, err := s.encoder()
	if err != nil {
		return err
	}
	options := stream.Options{
		Name: "bench", Opening: probe.Opening{URL: url}, Timeout: 10 * time.Second,
		Encoder:     encoder,
		Batch:       stream.Batch{Events: s.batch, Bytes: 1 << 20, Linger: 10 * time.Millisecond},
		PingTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, Acknowledgements: stream.Written,
		Buffer:    buffer.Options{MaxEvents: 10_000, MaxBytes: 16 << 20},
		Reconnect: session.Reconnect{Min: time.Second, Max: time.Minute}, Drain: 10 * time.Second,
	}
	if s.disk {
		dir, err := os.MkdirTemp("", "bench")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		options.Buffer.Dir, options.Acknowledgements = dir, stream.Pong
	}
	delivery, err := stream.New(options)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { delivery.Run(ctx); close(done) }()
	observe(delivery, events)
	cancel() // the stop drains
	<-done
	if c := delivery.Counts(); c.Sent != int64(events) || c.Resent > 0 {
		return fmt.Errorf("not delivered, or not at once: %+v", c)
	}
	return nil
}

// observe hands events to the stream as fast as it delivers them.
func observe(delivery *stream.Stream, events int) {
	now := time.Now()
	observation := &metrics.Observation{
		Probe: metrics.NewIdentity(metrics.Target{Name: probeName, URL: probeURL}),
		Result: probe.Result{Started: now.Add(-handshake), Ended: now, Opened: true, Handshake: handshake,
			Replied: true, RoundTrip: roundTrip, Peer: peer},
	}
	for i := range events {
		for i%500 == 0 && int64(i)-delivery.Counts().Sent > ahead {
			time.Sleep(100 * time.Microsecond)
		}
		delivery.Observe(&event.Event{ID: identifier(i), Kind: "run", At: now, Observation: observation})
	}
}
