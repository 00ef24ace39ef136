package stream

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/buffer"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/event"
	"github.com/wsprobe/wsprobe/probe/bare"
	"github.com/wsprobe/wsprobe/probe/session"
)

// worker keeps one connection open and sends the events of one lane on it.
type worker struct {
	s       *Stream
	lane    int
	set     *setup // of the connection at hand
	backoff session.Backoff
	suspect suspect
	window  *window
	parts   []event.Part // of the message that is made
	text    []byte       // the message
}

// run works until the context ends, or until the buffer is sealed and nothing of the lane waits. Opening is the context
// of opens only.
func (w *worker) run(ctx, opening context.Context) {
	for !w.done(ctx) {
		wait, ok := w.connection(ctx, opening)
		if ok && !w.pause(ctx, wait) {
			return
		}
	}
}

// done reports whether there is nothing more to do.
func (w *worker) done(ctx context.Context) bool {
	if ctx.Err() != nil {
		return true
	}
	select {
	case <-w.s.sealed:
	default:
		return false
	}
	items, err := w.s.buffer.Next(ctx, w.lane, buffer.Batch{Events: 1, Bytes: 1}, 0)
	w.s.buffer.Return(w.lane, items...)
	return errors.Is(err, io.EOF) || ctx.Err() != nil
}

// pause waits, and reports false if there is nothing more to do.
func (w *worker) pause(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	sealed := w.s.sealed
	for {
		select {
		case <-timer.C:
			return true
		case <-w.set.over.Done():
			return true
		case <-ctx.Done():
			return false
		case <-sealed:
			if sealed = nil; w.done(ctx) {
				return false
			}
		}
	}
}

// take takes the setup of the next connection. One that is about another endpoint begins without a past.
func (w *worker) take() *setup {
	before := w.set
	if w.set = w.s.setup.Load(); before != nil && before.over != w.set.over {
		w.backoff, w.suspect = session.Backoff{}, suspect{}
	}
	return w.set
}

// connection opens a connection and serves it. It returns the wait before the next one, and false if there was none
// because the context has ended, or because another setup has come.
func (w *worker) connection(ctx, opening context.Context) (time.Duration, bool) {
	o := &w.take().Options
	alive, kill := context.WithCancel(context.Background()) // the close frame outlives the contexts
	defer kill()
	release, keep := context.AfterFunc(opening, kill), context.AfterFunc(w.set.over, kill)
	defer release() // of an open that failed, too: else the context would keep one more of these for each
	defer keep()
	conn, res, refusal, err := bare.Open(alive, w.set.probe)
	open := conn != nil && release() && keep()
	switch {
	case err != nil, conn != nil && !open:
		if conn != nil {
			conn.Close()
		}
		return 0, false
	case !open:
		s := session.Setback{RetryAfter: refusal.RetryAfter}
		wait := w.backoff.Wait(o.Reconnect, s, o.Random())
		w.s.board.failed(w.lane, &res, wait)
		return wait, true
	}
	now := time.Now()
	l := newLink(o, conn, now)
	l.proof = newProof(o, w.window, w.accept, now)
	var wait time.Duration
	l.note = func(e ending) {
		wait = w.backoff.Wait(o.Reconnect, e.setback(now), o.Random())
		w.s.board.ended(w.lane, e, wait)
	}
	w.s.board.opened(now)
	defer context.AfterFunc(w.set.over, func() { l.end(changed()) })()
	ended := l.run(ctx, func() { w.send(l) })
	w.judge(l, ended)
	w.s.buffer.Return(w.lane, l.unsent...)
	return max(0, wait-time.Since(ended.at)), true
}

// accept takes events that are proven.
func (w *worker) accept(items ...*buffer.Item) {
	w.s.buffer.Accept(items...)
	w.suspect.proven.Store(true)
	w.s.board.accepted(w.lane, time.Now())
}
