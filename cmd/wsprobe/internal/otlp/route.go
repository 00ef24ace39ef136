package otlp

import (
	"context"
	"sync"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/outbox"
)

// Route sends requests by a [Client] that can be replaced meanwhile. Several goroutines can use it at once.
type Route struct {
	mu  sync.Mutex
	now *lane
}

// lane is a client and the requests under way on it.
type lane struct {
	client *Client
	users  int
	left   bool // another client has its place
}

// NewRoute returns a Route by a client, which is the Route's to close.
func NewRoute(c *Client) *Route { return &Route{now: &lane{client: c}} }

// Sender returns a function that makes one attempt to deliver a request of a signal, see [Client.Send].
func (r *Route) Sender(s Signal) func(context.Context, []byte) outbox.Answer {
	return func(ctx context.Context, request []byte) outbox.Answer {
		l := r.enter()
		defer r.leave(l)
		return l.client.Send(ctx, s, request)
	}
}

// Replace has requests sent by another client from now on. Requests under way end on the client before, which is closed
// then.
func (r *Route) Replace(c *Client) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now.left = true
	r.end(r.now)
	r.now = &lane{client: c}
}

func (r *Route) enter() *lane {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now.users++
	return r.now
}

func (r *Route) leave(l *lane) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l.users--
	r.end(l)
}

// end closes a client that nobody needs any more. The caller holds the lock.
func (r *Route) end(l *lane) {
	if l.left && l.users == 0 {
		_ = l.client.Close() // what it was for is done
	}
}

// Close ends the connections. No request may be under way.
func (r *Route) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now.client.Close()
}
