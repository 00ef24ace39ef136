package session

import (
	"context"
	"sync"
	"time"

	"github.com/wsprobe/wsprobe/probe"
)

// life is a Session from one connection to the next.
type life struct {
	*Session
	observe func(Event)

	admitted admission // to the next open
	outcome  outcome   // of its opens
	backoff  Backoff
	history  *history // nil before the first end

	told sync.Mutex // held while observe is called and while what follows changes
}

// tell hands an event on. Its time is on the wall clock of now, which may have been set since the open.
func (l *life) tell(e Event) {
	if e.At = onClock(time.Now(), e.At); e.Kind == Ended {
		e.End.At = e.At
	}
	l.told.Lock()
	defer l.told.Unlock()
	l.observe(e)
}

// onClock returns the time of something as the wall clock of now has it.
func onClock(now, at time.Time) time.Time { return now.Add(-now.Sub(at)) }

// open opens a connection, as often as it takes. It returns nil if the context ends before.
func (l *life) open(ctx context.Context) *probe.Held {
	for {
		held, wait, ok := l.try(ctx)
		if held != nil || !ok || !sleep(ctx, wait) {
			return held
		}
	}
}

// try tries to open a connection once. If that fails it returns the wait before the next time. It reports false if the
// context has ended.
func (l *life) try(ctx context.Context) (held *probe.Held, wait time.Duration, ok bool) {
	res, held, refusal, err := l.openOnce(ctx)
	if err != nil {
		l.leaveExplained()
		return nil, 0, false
	}
	l.outcome = l.outcome.after(held != nil, res.Ended.Sub(res.Started), l.prepared.Load().plan.spec.Timeout)
	l.explain(Next{Known: true, ErrorType: res.ErrorType}, res.Ended)
	if held != nil {
		l.tell(l.opened(&res, held))
		return held, 0, true
	}
	wait = l.nextWait(Setback{RetryAfter: refusal.RetryAfter})
	l.tell(Event{Kind: OpenFailed, At: res.Ended, Open: &res, Wait: wait})
	return nil, wait, true
}

// openOnce opens a connection in one of the slots of the Hub. The time in the queue is part of no value.
func (l *life) openOnce(ctx context.Context) (probe.Result, *probe.Held, probe.Refusal, error) {
	if !l.admitted.slot {
		if !l.hub.slots.take(ctx) {
			return probe.Result{}, nil, probe.Refusal{}, context.Cause(ctx)
		}
		l.admitted.slot = true
	}
	defer l.admitted.leave(l.hub)
	l.admitted = admission{}
	var options probe.RunOptions
	if l.hub.trace != nil {
		options.Trace = l.hub.trace()
	}
	return l.prepared.Load().opener.Open(ctx, options)
}

// opened is the event of a connection that has opened.
func (l *life) opened(res *probe.Result, held *probe.Held) Event {
	l.told.Lock()
	defer l.told.Unlock()
	e := Event{Kind: Opened, At: held.OpenedAt, Open: res}
	if l.history != nil && !l.history.ended.IsZero() {
		e.Downtime = held.OpenedAt.Sub(l.history.ended)
	}
	return e
}

// nextWait is the time until the next open.
func (l *life) nextWait(s Setback) time.Duration {
	l.told.Lock()
	defer l.told.Unlock()
	return l.backoff.Wait(l.prepared.Load().plan.spec.Reconnect, s, l.hub.random())
}

// noteEnd remembers an end, and completes its event.
func (l *life) noteEnd(e *Event) {
	l.told.Lock()
	if l.history == nil {
		l.history = new(history)
	}
	l.history.note(e.End)
	l.history.last, l.history.ended = e.End, e.End.At
	l.told.Unlock()
	s := Setback{Planned: e.End.Cause.Planned(), Lasted: e.End.Lifetime}
	if e.End.Cause == ByClose {
		s.Code = e.End.Code
	}
	e.Wait = l.nextWait(s)
}

// forgetEnd makes the next open one without a downtime.
func (l *life) forgetEnd() {
	l.told.Lock()
	defer l.told.Unlock()
	if l.history != nil {
		l.history.ended = time.Time{}
	}
}

// leaveExplained explains the last end before there is no more open, unless it was on purpose.
func (l *life) leaveExplained() {
	l.told.Lock()
	waits := l.history != nil && l.history.last != nil && !l.history.last.Cause.Planned()
	l.told.Unlock()
	if waits {
		l.explain(Next{}, time.Now())
	}
}

// explain tells what an open says about the end before it.
func (l *life) explain(next Next, at time.Time) {
	l.told.Lock()
	var end *End
	var habit Habit
	if l.history != nil {
		end, habit = l.history.last, l.history.habit()
		l.history.last = nil
	}
	l.told.Unlock()
	if end == nil {
		return
	}
	finding := Find(end, habit, next)
	l.tell(Event{Kind: Explained, At: at, End: end, Finding: &finding})
}
