package stream

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/buffer"
	"github.com/wsprobe/wsprobe/probe/bare"
)

// maxUnsent is how many bytes count as written and can still be in this machine. A Ping waits behind them.
const maxUnsent = 128 << 10

// closeBudget bounds the closing handshake.
const closeBudget = 500 * time.Millisecond

// link is one connection, from its open to its end. Three goroutines serve it: one reads, one sends events, and one sends
// Pings and Pongs. The reader never writes: an endpoint that reads nothing until it is read would block both sides.
type link struct {
	o      *Options
	conn   *bare.Conn
	proof  *proof
	opened time.Time

	ctx  context.Context // ends with the connection
	stop context.CancelFunc

	mu    sync.Mutex
	ended ending
	note  func(ending) // is told at once

	cut    atomic.Pointer[error] // why a write failed; the reader finds out more
	unsent []*buffer.Item        // taken, and not written
}

func newLink(o *Options, conn *bare.Conn, now time.Time) *link {
	l := &link{o: o, conn: conn, opened: now}
	l.ctx, l.stop = context.WithCancel(context.Background())
	return l
}

// end ends the connection. The first reason counts.
func (l *link) end(e ending) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended.by == "" {
		e.at = time.Now()
		l.ended = e
		l.note(e)
		l.stop()
	}
}

// run serves the connection until it has ended, or until the context has: an end from outside. Send sends events until
// the context of the link ends.
func (l *link) run(ctx context.Context, send func()) ending {
	unwatch := context.AfterFunc(ctx, func() { l.end(stopped()) })
	defer unwatch()
	l.conn.Until(time.Time{})
	l.conn.BoundWrites(l.o.WriteTimeout)
	switch l.o.Acknowledgements {
	case Message:
		l.conn.KeepTexts(maxText)
	case Written:
		l.conn.LimitUnsent(maxUnsent)
	}
	var reader, writers sync.WaitGroup
	reader.Go(l.read)
	writers.Go(l.beat)
	writers.Go(send)
	<-l.ctx.Done()
	l.conn.Until(time.Now().Add(closeBudget))
	l.conn.BoundWrites(closeBudget / 2)
	writers.Wait() // no message follows a close frame (RFC 6455 5.5.1)
	if l.ended.say != 0 {
		_ = l.conn.SayClose(l.ended.say) // the reader finds the end
	} else {
		l.conn.Until(time.Now())
	}
	reader.Wait()
	l.conn.Close()
	return l.ended
}

// read takes what the server sends, until the end of the connection. Proofs still count behind our close frame.
func (l *link) read() {
	for {
		e, err := l.conn.Next()
		if err != nil {
			l.broke(err)
			return
		}
		switch e.Kind {
		case bare.Closed:
			l.end(closedBy(e.Code, e.Reason))
		case bare.Ping:
			l.proof.asked(e.Payload)
		case bare.Pong:
			l.proof.ponged(e.Payload, e.At)
		case bare.Message:
			l.proof.acknowledged(e.Text, e.At)
		}
	}
}

// broke ends the connection by the error of a read.
func (l *link) broke(err error) {
	cut := l.cut.Load()
	switch code := bare.BreachCode(err); {
	case code != 0:
		l.end(breach(code, l.conn.Shown(err)))
	case bare.TimedOut(err) && cut != nil:
		l.end(lost(*cut, l.conn.Shown(*cut)))
	default:
		l.end(lost(err, l.conn.Shown(err)))
	}
}

// wrote takes the error of a write, and reports whether there was none. The reader learns more of an end than a writer,
// because it still finds the close frame.
func (l *link) wrote(err error) bool {
	switch {
	case err == nil:
		return true
	case l.ctx.Err() != nil:
	case bare.TimedOut(err):
		l.end(unread(l.o.WriteTimeout))
	default:
		if l.cut.CompareAndSwap(nil, &err); l.ctx.Err() == nil {
			l.conn.Until(time.Now().Add(closeBudget))
		}
	}
	return false
}

// beat sends Pings and Pongs when they are due.
func (l *link) beat() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		d := l.proof.due(time.Now())
		if d.over.by != "" {
			l.end(d.over)
		}
		if l.ctx.Err() != nil {
			return
		}
		if d.pong != nil && !l.wrote(l.conn.SayPong(*d.pong)) {
			return
		}
		if d.ping != "" {
			if !l.ping(d.ping) {
				return
			}
			continue
		}
		var due <-chan time.Time
		if timer.Stop(); !d.again.IsZero() {
			timer.Reset(max(0, time.Until(d.again)))
			due = timer.C
		}
		select {
		case <-due:
		case <-l.proof.stir:
		case <-l.ctx.Done():
			return
		}
	}
}

// ping sends a Ping that has begun, and everything in front of it.
func (l *link) ping(payload string) bool {
	ok := l.wrote(l.conn.SayPing(payload))
	l.proof.pinged(payload, time.Now())
	return ok
}
