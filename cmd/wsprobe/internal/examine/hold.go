package examine

import (
	"context"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/session"
)

// Habit is what a session says while it is held.
type Habit string

// The habits.
const (
	Idle     Habit = "idle"     // nothing, but for Pongs and what is asked for
	NoPongs  Habit = "no_pongs" // nothing, but for what is asked for
	Pings    Habit = "pings"    // Pings
	Messages Habit = "messages" // messages
)

// plan is a session to hold.
type plan struct {
	habit Habit
	every time.Duration // between two Pings or messages
}

const (
	// mostEvery is the longest time between two Pings or messages, and leastEvery the shortest, unless a limit is met
	// that is even shorter.
	mostEvery, leastEvery = 5 * time.Second, 500 * time.Millisecond
	// timesIn is how often they are sent at least.
	timesIn = 20
)

// plans are the sessions to hold side by side.
func (x *examination) plans() []plan {
	every := min(mostEvery, max(leastEvery, x.For/timesIn))
	plans := []plan{{habit: Idle}, {habit: NoPongs}, {Pings, every}}
	if x.Spec.Heartbeat != nil {
		plans = append(plans, plan{Messages, every})
	}
	return plans
}

// spec is that of the session of a plan.
func (x *examination) spec(p plan) session.Spec {
	s := session.Spec{Opening: x.Spec.Opening, Timeout: x.Spec.Timeout, MessageFormat: x.Spec.MessageFormat,
		MaxReply: probe.MaxMaxReply, Exchange: x.Spec.Exchange, Answers: x.Spec.Answers, IgnorePings: p.habit == NoPongs}
	switch p.habit {
	case Pings: // without a bound on the Pong: how the server ends it is the question
		s.PingInterval, s.PingTimeout = p.every, session.MaxInterval
	case Messages:
		beat := *x.Spec.Heartbeat
		beat.Interval, beat.Timeout = p.every, session.MaxInterval
		s.Heartbeat = &beat
	}
	return s
}

// hold holds a session until it ends, or the context does.
func (x *examination) hold(ctx context.Context, p plan) error {
	for {
		s, err := x.hub.New(x.spec(p))
		if err != nil {
			return err
		}
		held := &Session{Habit: p.habit, Every: seconds(p.every)}
		x.opened()
		x.follow(ctx, s, held)
		x.note(func(r *Report) { r.Sessions = append(r.Sessions, held) })
		if !held.Cut() || held.said() || p.every == 0 || ctx.Err() != nil {
			return nil
		}
		// A limit was faster than the first Ping or message.
		shorter := max(session.MinInterval, held.end.Lifetime/3)
		if shorter >= p.every {
			return nil
		}
		p.every = shorter
	}
}

// follow holds a session once.
func (x *examination) follow(ctx context.Context, s *session.Session, held *Session) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.Hold(ctx, func(e session.Event) {
		switch e.Kind {
		case session.Opened:
			held.opened = e.At
		case session.OpenFailed:
			held.Failed = failed(*e.Open)
			x.progress("%s: does not open: %s", held.Habit.title(), held.Failed)
			cancel()
		case session.Pinged:
			held.pinged(e.At)
		case session.Ended:
			held.ended(e.End)
			if held.Cut() {
				x.progress("%s: %s", held.Habit.title(), e.End)
			}
		case session.Closed:
			cancel() // no session is opened anew
		}
	})
}

// title names a session in a sentence.
func (h Habit) title() string {
	switch h {
	case Idle:
		return "session without traffic"
	case NoPongs:
		return "session without Pongs"
	case Pings:
		return "session with Pings"
	default:
		return "session with messages"
	}
}
