package stream

import (
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/buffer"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/event"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/session"
)

// Options of a stream. They are taken to be valid, and without defaults but those that are named.
type Options struct {
	Name, ShownURL string
	Opening        probe.Opening
	Timeout        time.Duration // of an open

	Select  event.Selection
	Encoder *event.Encoder
	Batch   Batch

	PingInterval     time.Duration // 0 sends no Pings but those that ask for a proof
	PingTimeout      time.Duration // of the answer to each Ping, with or without a PingInterval
	WriteTimeout     time.Duration // of a write
	Acknowledgements Proof
	AckPath          string // of the id in a message that acknowledges; empty: the message is the id

	Buffer    buffer.Options // Lanes are the Workers
	Workers   int
	Reconnect session.Reconnect
	Drain     time.Duration // how long the stop waits for proofs
	// Quiet leaves the first open that fails without a line of the log.
	Quiet bool
	Log   *slog.Logger // nil for none
	// Random returns a number from 0 to below 1. Nil is that of package rand.
	Random func() float64
}

// Batch bounds a message. An event that exceeds Bytes is a message of its own.
type Batch struct {
	Events int
	Bytes  int64
	Linger time.Duration // how long an event may wait for others
}

// Proof is what shows that an event arrived.
type Proof string

// The proofs.
const (
	Written Proof = "written" // the system took it
	Pong    Proof = "pong"    // the Pong to a Ping behind it
	Message Proof = "message" // a message with its ID
)

// withDefaults fills in what need not be named.
func (o Options) withDefaults() Options {
	o.Workers = max(1, o.Workers)
	o.Buffer.Lanes = o.Workers
	o.Batch.Events = max(1, o.Batch.Events)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	return o
}
