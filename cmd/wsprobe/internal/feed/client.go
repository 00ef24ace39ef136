package feed

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wsprobe/wsprobe/probe/visible"
)

const (
	pingInterval = 20 * time.Second
	pingTimeout  = 10 * time.Second
	// retryAfter is when a client that found no room may come again, in seconds.
	retryAfter = "10"
)

// client is whoever reads the feed.
type client struct {
	place  *place // nil before it is put somewhere; the lock of the feed guards it
	events chan struct{}
	busy   atomic.Bool // a write is under way

	mu     sync.Mutex
	socket *socket // nil before the request is accepted
	ended  chan struct{}
	code   closeCode // 0 before the end
	reason string
	late   bool // whatever is not closed by now is cut
}

func newClient() *client { return &client{events: make(chan struct{}, 1), ended: make(chan struct{})} }

// wake says that there are events.
func (c *client) wake() {
	select {
	case c.events <- struct{}{}:
	default:
	}
}

// end has the connection closed. The first reason is the one that counts, and has the result true.
func (c *client) end(code closeCode, reason string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.code != 0 {
		return false
	}
	c.code, c.reason = code, reason
	close(c.ended)
	return true
}

// cut ends a connection that is not closed in time.
func (c *client) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.late = true; c.socket != nil {
		c.socket.cut()
	}
}

// attach gives the client its socket.
func (c *client) attach(s *socket) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.socket = s; c.late {
		s.cut()
	}
}

// ServeHTTP answers a request for the stream. It returns when the client has gone.
func (f *Feed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") == "" {
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "websocket")
		refuse(w, http.StatusUpgradeRequired, "this is a WebSocket: connect to it, for example with websocat ws://"+visible.Text(r.Host)+r.URL.Path)
		return
	}
	if !f.welcome(r) {
		f.foreign.Add(1)
		refuse(w, http.StatusForbidden, "pages of "+visible.Text(r.Header.Get("Origin"))+" may not read this (agent.origins can name it)")
		return
	}
	wanted, err := parse(r.URL.RawQuery)
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	c, refusal := f.enter()
	if c == nil {
		w.Header().Set("Retry-After", retryAfter)
		refuse(w, http.StatusServiceUnavailable, refusal)
		return
	}
	defer f.leave(c)
	socket, err := accept(w, r, func() { f.drop(c, &f.noisy, policyBreach, "this stream takes no messages") })
	if err != nil {
		return // the client was told
	}
	f.accepted.Add(1)
	c.attach(socket)
	f.serve(c, wanted)
}

func refuse(w http.ResponseWriter, code int, line string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(line + "\n")) // a client that has gone misses nothing
}

// serve writes to a client until it goes or is dropped.
func (f *Feed) serve(c *client, wanted request) {
	var tasks sync.WaitGroup
	defer tasks.Wait()
	defer c.socket.cut()
	tasks.Go(func() { f.listen(c) })
	tasks.Go(func() { f.ping(c) })
	f.write(c, f.begin(c, wanted))
	c.mu.Lock()
	code, reason := c.code, c.reason
	c.mu.Unlock()
	c.socket.close(code, reason)
}

// opened is the first message.
type opened struct {
	Event string  `json:"event"` // stream.opened
	Since *string `json:"since"`
}

// live is the message behind all that had been when the client came.
type live struct {
	Event string  `json:"event"` // stream.live
	ID    *string `json:"id"`
}

// write writes messages until the client ends.
func (f *Feed) write(c *client, since found) {
	first, _ := json.Marshal(opened{"stream.opened", orNull(string(since))}) // texts can be encoded
	if !f.send(c, first) {
		return
	}
	texts := make([][]byte, 0, batchEvents)
	for {
		var next turn
		texts, next = f.take(c, texts[:0])
		switch next {
		case send:
			if !f.send(c, texts...) {
				return
			}
			clear(texts)
		case tell:
			now, _ := json.Marshal(live{"stream.live", orNull(c.place.id)})
			if !f.send(c, now) {
				return
			}
		case wait:
			select {
			case <-c.events:
			case <-c.ended:
				return
			}
		default:
			f.drop(c, &f.slow, tryAgainLater, "too slow: the next events are gone")
			return
		}
	}
}

// orNull is a text, or null if it is empty.
func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// send writes messages, and reports whether there is still a client.
func (f *Feed) send(c *client, messages ...[]byte) bool {
	select {
	case <-c.ended:
		return false
	default:
	}
	c.busy.Store(true)
	err := c.socket.write(messages...)
	c.busy.Store(false)
	if err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			f.drop(c, &f.slow, tryAgainLater, "too slow")
		}
		c.end(goingAway, "") // which nobody reads any more
		return false
	}
	f.messages.Add(int64(len(messages)))
	return true
}

// drop ends a client, and counts why.
func (f *Feed) drop(c *client, why *atomic.Int64, code closeCode, reason string) {
	if c.end(code, reason) {
		why.Add(1)
	}
}

// listen reads what a client sends, which says nothing to the feed.
func (f *Feed) listen(c *client) {
	for {
		err := c.socket.skip()
		if err == nil {
			continue
		}
		if !errors.Is(err, net.ErrClosed) { // then it is the feed that closed, and knows why
			c.end(protocolError, "") // which nobody is told if the client closed, or the connection broke
		}
		return
	}
}

// ping finds out whether a client is still there.
func (f *Feed) ping(c *client) {
	ticks := time.NewTicker(pingInterval)
	defer ticks.Stop()
	for {
		select {
		case <-ticks.C:
		case <-c.ended:
			return
		}
		// While a write waits for the client, so would the Ping: the time of the write decides.
		if !c.busy.Load() && c.socket.ping(pingTimeout) != nil && !c.busy.Load() {
			f.drop(c, &f.mute, policyBreach, "no Pong within 10 s")
		}
	}
}
