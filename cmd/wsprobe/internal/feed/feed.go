package feed

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/event"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

// MaxClients is how many clients there can be at a time.
const MaxClients = 100

const (
	// stopBudget is how long the close handshakes may take once the feed stops.
	stopBudget = 400 * time.Millisecond
)

// Options are the inputs of a feed.
type Options struct {
	// Encode returns an event as a JSON object. It is called only for events that a client wants.
	Encode func(*event.Event) []byte
	// Recall returns the last result of a probe, with its health, or nil if it is not known. Without Recall the feed keeps
	// one for each probe. A result must be recalled only after Observe was told of it.
	Recall func(*metrics.Identity) *metrics.Observation
	// Origins returns those of pages on other hosts that may read, each as scheme://host or scheme://host:port. It is asked
	// at each request of such a page, by several at once. Nil for none.
	Origins func() []string
}

// Stats are sums since the start, but for Clients.
type Stats struct {
	Clients  int   // that are connected
	Accepted int64 // all that ever were
	Messages int64 // written to them, of events and others
	Slow     int64 // clients dropped, because they did not read
	Mute     int64 // clients dropped, because they did not answer a Ping
	Noisy    int64 // clients dropped, because they sent too much
	Full     int64 // requests refused, because there were MaxClients
	Foreign  int64 // requests refused, because of their Origin
}

// Feed is the stream of events that clients of the agent read. It is a Sink and an http.Handler.
type Feed struct {
	origins func() []string

	mu      sync.Mutex
	past    *past
	clients map[*client]struct{}
	stopped bool
	// waiting are the clients, also those that are about to be accepted.
	waiting sync.WaitGroup

	accepted, messages, slow, mute, noisy, full, foreign atomic.Int64
}

// New returns a feed.
func New(o Options) *Feed {
	return &Feed{origins: o.Origins, past: newPast(o), clients: make(map[*client]struct{})}
}

// Observe keeps an event, and wakes the clients that want it. It waits for none of them.
func (f *Feed) Observe(e *event.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	added := f.past.add(e)
	for c := range f.clients {
		if c.place != nil && c.place.come(added) {
			c.wake()
		}
	}
}

// Forget says that a probe has left. Its state is no longer told. Call it before an heir of its name has an event.
func (f *Feed) Forget(probe string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.past.forget(probe)
}

// Stats returns the counts of now.
func (f *Feed) Stats() Stats {
	f.mu.Lock()
	clients := len(f.clients)
	f.mu.Unlock()
	return Stats{clients, f.accepted.Load(), f.messages.Load(), f.slow.Load(), f.mute.Load(), f.noisy.Load(),
		f.full.Load(), f.foreign.Load()}
}

// Run serves until ctx ends. Then it closes all clients with 1001, and waits for them. It does not need to be called
// before ServeHTTP.
func (f *Feed) Run(ctx context.Context) {
	<-ctx.Done()
	f.mu.Lock()
	f.stopped = true
	for c := range f.clients {
		c.end(goingAway, "the agent stops")
	}
	f.mu.Unlock()
	hard := time.AfterFunc(stopBudget, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		for c := range f.clients {
			c.cut()
		}
	})
	defer hard.Stop()
	f.waiting.Wait()
}

// enter makes room for a client, unless there is none. A client that entered has to leave.
func (f *Feed) enter() (c *client, refusal string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.stopped:
		return nil, "the agent stops"
	case len(f.clients) == MaxClients:
		f.full.Add(1)
		return nil, fmt.Sprintf("all %d connections are taken", MaxClients)
	}
	c = newClient()
	f.clients[c] = struct{}{}
	f.waiting.Add(1)
	return c, ""
}

func (f *Feed) leave(c *client) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.clients, c)
	if c.place != nil {
		c.place.snapshot.close()
	}
	f.waiting.Done()
}

// begin puts a client at its place, from where on it gets all events.
func (f *Feed) begin(c *client, r request) found {
	f.mu.Lock()
	defer f.mu.Unlock()
	c.place = f.past.begin(r.selection, r.since)
	return c.place.since
}

// take returns what a client has to do next.
func (f *Feed) take(c *client, batch [][]byte) ([][]byte, turn) {
	for {
		f.mu.Lock()
		batch, next := c.place.take(f.past, batch)
		f.mu.Unlock()
		if next != again {
			return batch, next
		}
	}
}
