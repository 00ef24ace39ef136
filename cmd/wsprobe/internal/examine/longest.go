package examine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/bare"
	"github.com/wsprobe/wsprobe/probe/session"
)

const (
	firstLength = 1 << 10 // bytes
	growth      = 4
	// settleTime is how long a server may take to close after it has answered the Ping behind a message.
	settleTime = 300 * time.Millisecond
	// replyTime is how long the reply to a message may take after the Pong behind it.
	replyTime = 2 * time.Second
	// precision is how near two lengths come, one taken and one not, unless the limit is a round number.
	precision = 100 // a hundredth of the length
	// behindPing marks the Ping behind a message.
	behindPing = "wsprobe"
)

// lengths tries messages. It goes on with a connection that took one.
type lengths struct {
	*examination
	p     *probe.Probe
	conn  *bare.Conn
	found Longest
}

// trial is what became of a message.
type trial int

const (
	taken   trial = iota
	refused       // the connection ended
	stalled       // it was not read, or the Ping behind it was not answered
	unknown       // the examination ended
)

// longest finds the longest message that is taken.
func (x *examination) longest(ctx context.Context) error {
	if x.Longest < 1 {
		return nil
	}
	p, err := x.quiet()
	if err != nil {
		return err
	}
	l := &lengths{examination: x, p: p, found: Longest{largest: x.Longest}}
	defer l.drop()
	if l.found.Finished = l.search(ctx); l.found.Taken == 0 && l.found.Refused == nil {
		return nil
	}
	x.note(func(r *Report) { r.Longest = &l.found })
	x.progress("longest message: %s", l.found.outcome())
	return nil
}

// search reports whether it came to an end.
func (l *lengths) search(ctx context.Context) bool {
	least := max(1, len(l.message))
	switch l.try(ctx, least) {
	case unknown:
		return false
	case refused, stalled:
		l.found.nothing = true
		return true
	}
	for n := max(firstLength, least+1); ; n *= growth {
		n = min(n, l.found.largest)
		if n <= l.found.Taken {
			return true
		}
		switch l.try(ctx, n) {
		case unknown:
			return false
		case refused, stalled:
			return l.narrow(ctx)
		}
	}
}

// narrow finds the limit between a length that was taken and one that was not. Limits are round numbers, so these come
// first.
func (l *lengths) narrow(ctx context.Context) bool {
	round := rounds(l.found.Taken, *l.found.Refused)
	for len(round) > 0 {
		i := len(round) / 2
		switch l.try(ctx, round[i]) {
		case unknown:
			return false
		case taken:
			round = round[i+1:]
		default:
			round = round[:i]
		}
	}
	for _, next := range []func() int{
		func() int { return l.found.Taken + 1 }, func() int { return *l.found.Refused - 1 },
	} {
		if l.found.Exact = *l.found.Refused-l.found.Taken == 1; l.found.Exact {
			return true
		}
		if l.try(ctx, next()) == unknown {
			return false
		}
	}
	for *l.found.Refused-l.found.Taken > max(1, l.found.Taken/precision) {
		if l.try(ctx, l.found.Taken+(*l.found.Refused-l.found.Taken)/2) == unknown {
			return false
		}
	}
	l.found.Exact = *l.found.Refused-l.found.Taken == 1
	return true
}

// rounds are the round numbers between two lengths.
func rounds(above, below int) []int {
	var all []int
	for n := 1; n < below; n *= 2 {
		all = append(all, n)
	}
	for n := 10; n < below; n *= 10 {
		all = append(all, n, 2*n, 5*n)
	}
	slices.Sort(all)
	return slices.DeleteFunc(all, func(n int) bool { return n <= above || n >= below })
}

// try sends a message of a length, and notes what became of it. A limit on the age, or on the number of messages, can end
// a connection that has taken others: so only a new one, where the message is the first, shows that it is too long.
func (l *lengths) try(ctx context.Context, length int) trial {
	used := l.conn != nil
	if !used {
		if l.conn = l.dial(ctx, l.p); l.conn == nil {
			return unknown
		}
	}
	got, end, answered := l.send(length)
	if ctx.Err() != nil {
		return unknown
	}
	switch {
	case got == refused && used:
		l.drop()
		return l.try(ctx, length)
	case got == taken:
		l.found.Taken = length
		if answered {
			l.found.Answered = length
		}
	default:
		l.found.Refused, l.found.Ending, l.found.stalled = new(length), end, got == stalled
		l.drop()
	}
	return got
}

// drop ends the connection.
func (l *lengths) drop() {
	if l.conn != nil {
		_ = l.conn.SayClose(1000)
		l.conn.Close()
		l.conn = nil
	}
}

// send sends a message with a Ping behind it, and waits for what comes of it.
func (l *lengths) send(length int) (got trial, end Ending, answered bool) {
	l.conn.Until(time.Now().Add(answerTime + transferTime(length)))
	var writing sync.WaitGroup
	var cut error
	writing.Go(func() {
		if cut = l.conn.SayPadded(l.message, l.Spec.MessageFormat != probe.FormatText, length); cut == nil {
			cut = l.conn.SayPing(behindPing)
		}
	})
	got, end, answered = l.await()
	if got != taken {
		l.conn.Until(time.Unix(1, 0))
	}
	writing.Wait()
	if end.Way == session.ByFIN && errors.Is(cut, syscall.ECONNRESET) {
		end.Way = session.ByReset // the system reports a reset once
	}
	return got, end, answered
}

// await waits for the Pong behind a message. The message was taken if it comes, and no end after it.
func (l *lengths) await() (got trial, end Ending, answered bool) {
	for ponged := false; !ponged || !answered; {
		e, err := l.conn.Next()
		switch {
		case err == nil && e.Kind == bare.Closed:
			return refused, Ending{session.ByClose, e.Code, e.Reason}, answered
		case err == nil && e.Kind == bare.Message:
			answered = true
		case err == nil && e.Kind == bare.Pong && e.Payload == behindPing:
			ponged = true
			wait := settleTime
			if l.found.Taken == l.found.Answered { // the first, or one like those that were answered
				wait = replyTime
			}
			l.conn.Until(time.Now().Add(wait))
		case err == nil && e.Kind == bare.Ping && ponged: // before, the message is being written
			_ = l.conn.SayPong(e.Payload)
		case err == nil:
		case bare.TimedOut(err) && ponged:
			return taken, Ending{}, answered
		case bare.TimedOut(err):
			return stalled, Ending{}, answered
		default:
			return refused, Ending{Way: session.CauseOf(err), Code: 1006}, answered
		}
	}
	return taken, Ending{}, true
}

// transferTime is what a slow line takes for a message, with its answer: 1 MiB in 4 s.
func transferTime(length int) time.Duration { return time.Duration(length) * 4 * time.Microsecond }

// outcome is what was found, in words.
func (l *Longest) outcome() string {
	switch {
	case l.nothing && l.stalled:
		return fmt.Sprintf("a message of %s has no answer, the Ping behind it neither", size(*l.Refused))
	case l.nothing:
		return fmt.Sprintf("a message of %s ends the connection already: %s", size(*l.Refused), l.Ending)
	case l.Refused == nil && !l.Finished:
		return fmt.Sprintf("messages of %s are taken; longer ones were not tried any more", size(l.Taken))
	case l.Refused == nil:
		return fmt.Sprintf("messages of %s, the longest that were tried, are taken", size(l.Taken))
	}
	text := fmt.Sprintf("messages of up to %s are taken", size(l.Taken))
	if l.stalled {
		return fmt.Sprintf("%s, and those of %s are not read to the end", text, size(*l.Refused))
	}
	return fmt.Sprintf("%s, and those of %s end the connection: %s", text, size(*l.Refused), l.Ending)
}
