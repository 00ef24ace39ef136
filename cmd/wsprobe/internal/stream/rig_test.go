package stream

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/buffer"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/event"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/session"
	"github.com/wsprobe/wsprobe/probe/shape"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

const ms, sec = time.Millisecond, time.Second

// peer is the endpoint of a test. Its functions return what it sends for a Ping and for a message; nil ones answer as an
// ordinary server does.
type peer struct {
	pong    func(n int, payload string) []wstest.Frame
	message func(n int, text string) []wstest.Frame
	opened  func(n int, c *wstest.Conn) // instead of accepting
	mute    func(n int) bool            // reads nothing after the open
}

// rig is a stream with its endpoint, in a bubble.
type rig struct {
	t      *testing.T
	server *wstest.Server
	stream *Stream
	stop   func() // returns when the stream has stopped

	mu          sync.Mutex
	connections int
	texts       []string // each with the number of its connection
	closes      []int    // the codes of the stream's close frames
	log         bytes.Buffer
}

// start begins a stream to an endpoint.
func start(t *testing.T, p peer, change func(*Options)) *rig {
	t.Helper()
	r := &rig{t: t}
	r.server = wstest.Memory(func(c *wstest.Conn) { r.serve(c, p) })
	o := options(r)
	o.Opening = probe.Opening{URL: r.server.URL, Dial: r.server.Dial}
	if change != nil {
		change(&o)
	}
	r.run(o)
	return r
}

// options are those of a stream without changes.
func options(r *rig) Options {
	return Options{Name: "wall", ShownURL: "ws://wall", Timeout: 5 * sec,
		Encoder: encoder(r.t, shape.JSON), Batch: Batch{Events: 1, Bytes: 1 << 20, Linger: sec}, PingInterval: 30 * sec, PingTimeout: 10 * sec,
		WriteTimeout: 10 * sec, Acknowledgements: Pong, Buffer: buffer.Options{MaxEvents: 10_000, MaxBytes: 16 << 20},
		Reconnect: session.Reconnect{Min: 500 * ms, Max: 60 * sec}, Drain: 2 * sec, Random: func() float64 { return 0.5 },
		Log: slog.New(slog.NewTextHandler(r, &slog.HandlerOptions{ReplaceAttr: timeless}))}
}

// run runs a stream until stop is called.
func (r *rig) run(o Options) {
	r.t.Helper()
	s, err := New(o)
	if err != nil {
		r.t.Fatal(err)
	}
	r.stream = s
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ctx) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		<-done
		if r.server != nil {
			r.server.Close()
		}
		r.balanced()
	})
}

// timeless leaves the time of a line out.
func timeless(groups []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

// Write takes a line of the log.
func (r *rig) Write(line []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Write(line)
}

// logged returns the lines of the log since the last call.
func (r *rig) logged() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer r.log.Reset()
	return r.log.String()
}

// serve is the endpoint on one connection.
func (r *rig) serve(c *wstest.Conn, p peer) {
	r.mu.Lock()
	r.connections++
	n := r.connections
	r.mu.Unlock()
	if p.opened != nil {
		p.opened(n, c)
	} else {
		c.Accept()
	}
	if p.mute != nil && p.mute(n) {
		c.Pause(time.Hour)
	}
	for {
		switch f := c.Read(); f.Opcode {
		case wstest.OpPing:
			if p.pong == nil {
				c.Send(wstest.Pong(f.Payload))
			} else {
				c.Send(p.pong(n, f.Payload)...)
			}
		case wstest.OpClose:
			code := 1005
			if len(f.Payload) > 1 {
				code = int(f.Payload[0])<<8 | int(f.Payload[1])
			}
			r.mu.Lock()
			r.closes = append(r.closes, code)
			r.mu.Unlock()
			c.Send(f0(f))
			return
		case wstest.OpText, wstest.OpBinary:
			r.mu.Lock()
			r.texts = append(r.texts, fmt.Sprint(n, " ", f.Payload))
			r.mu.Unlock()
			if p.message != nil {
				c.Send(p.message(n, f.Payload)...)
			}
		}
	}
}

// f0 is a frame of a client as that of a server.
func f0(f wstest.Frame) wstest.Frame { return wstest.Frame{Opcode: f.Opcode, Payload: f.Payload} }

// observe gives events to the stream.
func (r *rig) observe(probe string, ids ...string) {
	for _, id := range ids {
		r.stream.Observe(occurrence(probe, id))
	}
}

// occurrence is an event with an ID.
func occurrence(name, id string) *event.Event {
	identity := metrics.NewIdentity(metrics.Target{Name: name})
	return &event.Event{ID: id, Kind: "run", At: time.Now(), Observation: &metrics.Observation{Probe: identity}}
}

// arrived are the events that arrived, as connection:probe:id, and :replay if that is not 0.
func (r *rig) arrived() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []string
	for _, text := range r.texts {
		connection, body, _ := strings.Cut(text, " ")
		var ids []string
		for _, e := range decoded(r.t, body) {
			id := e.ID
			if e.Replay > 0 {
				id += fmt.Sprint("*", e.Replay)
			}
			ids = append(ids, id)
		}
		all = append(all, connection+":"+strings.Join(ids, "+"))
	}
	return strings.Join(all, " ")
}

type decodedEvent struct {
	ID, Probe string
	Replay    int
}

// decoded are the events of a message.
func decoded(t *testing.T, text string) []decodedEvent {
	var many []decodedEvent
	if !strings.HasPrefix(text, "[") {
		text = "[" + text + "]"
	}
	if err := json.Unmarshal([]byte(text), &many); err != nil {
		t.Errorf("%q: %v", text, err)
	}
	return many
}

// wait lets time pass.
func (r *rig) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// ends are how connections ended, and why they did not open.
func (r *rig) ends() string {
	c := r.stream.Counts()
	var all []string
	for s, n := range c.Shutdown {
		all = append(all, fmt.Sprintf("%s %s x%d", s.By, s.CloseCode, n))
	}
	for f, n := range c.Failed {
		all = append(all, fmt.Sprintf("%s x%d", f.ErrorType, n))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// balanced checks that every event is in exactly one sum.
func (r *rig) balanced() {
	c, waiting := r.stream.Counts(), r.stream.State().Waiting.Events
	sum := c.Sent + int64(waiting)
	for n := range maps.Values(c.Discarded) {
		sum += n
	}
	if sum != c.Events {
		r.t.Errorf("of %d events %d are accounted for: %+v, and %d wait", c.Events, sum, c, waiting)
	}
}

// encoder writes events as small objects, or in another codec.
func encoder(t testing.TB, codec string) *event.Encoder {
	t.Helper()
	e, err := event.NewEncoder(event.Options{Shape: shape.Options{Codec: codec, OnlyFields: []string{"id", "replay", "probe"}}})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// count is how many messages arrived.
func (r *rig) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.texts)
}

// await returns once something is true. Only something that hangs reaches its bound.
func await(t *testing.T, is func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(3 * time.Minute); !is(); {
		select {
		case <-tick.C:
		case <-late:
			t.Fatal("it never became true")
		}
	}
}
