package probe

import (
	"crypto/rand"
	"errors"
	"maps"
	"strings"
	"time"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/probe/internal/match"
	"github.com/wsprobe/wsprobe/probe/internal/say"
	"github.com/wsprobe/wsprobe/probe/internal/tcp"
	"github.com/wsprobe/wsprobe/reasons"
)

// exchange provokes an answer on the open socket and waits for it.
func (r *run) exchange() error {
	switch r.probe.spec.PingMode {
	case PingMessage, PingBoth:
		return r.exchangeMessages()
	case PingFrame:
		return r.exchangePing()
	default:
		return r.exchangeMessages()
	}
}

// dialogue is an exchange of messages under way.
type dialogue struct {
	*run
	fill    match.Filler // without values if no text asks for one
	sendErr error        // of the last message that was sent
}

// exchangeMessages takes one turn after the other. The round trip counts only if all turns end, because a part of a
// failed exchange is no answer.
func (r *run) exchangeMessages() error {
	d := &dialogue{run: r}
	if r.probe.open || r.stays {
		d.fill.Values = map[string]string{match.Nonce: rand.Text()}
	}
	if d.fill.Values != nil {
		maps.Copy(d.fill.Values, r.captured)
	}
	if r.stays {
		r.caught = d.fill.Values
	}
	if len(r.probe.spec.Exchange) > 0 {
		r.res.Steps = make([]Span, len(r.probe.turns))
	}
	for i := range r.probe.turns {
		r.turn = i
		if err := d.take(r.probe.turns[i]); err != nil {
			return err
		}
	}
	r.connection = &r.main
	if r.probe.measured >= 0 && len(r.probe.turns) > 0 {
		r.res.Replied, r.res.RoundTrip = true, r.roundTrip
	}
	return nil
}

// tooLate reports whether the time is up before a message was sent. A message that could no longer be answered is not
// begun. A connection that has ended is not too late, because its end tells more. The agent itself is starved if time
// would be left but for its own Lag.
func (r *run) tooLate() bool {
	r.unsent = !r.wire.Ended() && r.raw.Late()
	r.seen.Starved = r.unsent && r.res.Lag > max(OverloadBound, time.Since(r.due))
	return r.unsent
}

// say sends the message of the turn. It returns when the writing began, and whether the message can be answered. A
// failed write does not end the turn: the server may have sent a close frame before, which tells more and is still to
// be read.
func (d *dialogue) say(t turn) (time.Time, bool) {
	if d.wire.Ended() {
		return time.Now(), false
	}
	d.stage = reasons.StageSend
	d.wire.AnswerPings()
	d.raw.Sending()
	err := d.socket.write(t.send, d.probe.spec.MessageFormat != FormatText)
	if !tcp.IsTimeout(err) {
		d.stage = reasons.StageReply
	}
	d.sendErr = err
	if err == nil {
		d.watcher.saidMessage(d.raw.SentAt(), t.send)
	}
	d.sentLast(reasons.SentMessage, d.raw.SentAt())
	return d.raw.SentAt(), true
}

// finishSending ends a turn that waits for nothing, once its message is on its way.
func (d *dialogue) finishSending(begin time.Time, sent bool) error {
	if sent && d.sendErr == nil {
		d.endStep(begin, time.Now())
		return nil
	}
	err := d.sendErr
	if err == nil {
		err = errNotOpen
	}
	return d.streamError(err)
}

var errNotOpen = say.Error(say.Own("the connection had ended before the message was sent"))

// hear reads until a message matches and can be the answer.
func (d *dialogue) hear(t turn, begin time.Time, early int, answerable bool) error {
	r := d.run
	m := match.NewMessage(&t.expect, match.Options{
		Keep:     max(r.keepOfMessage(), match.NearBytes),
		Longest:  int(r.probe.spec.MaxReply),
		Late:     r.raw.Late,
		Captures: d.fill.Values != nil,
		Joins:    strings.HasPrefix(r.res.Subprotocol, "mqtt"), // MQTT-6.0.0-2: messages and packets need not coincide
	})
	r.near.Begin(&t.expect)
	for {
		if err := r.socket.receive(m, r.scratch.message[:]); err != nil {
			return r.streamError(err)
		}
		r.read++
		wanted := m.Matched() && r.read > early && (t.texts.Send == nil || answerable)
		r.watcher.read(m, wanted)
		if wanted {
			if r.raw.ArrivedAt.After(r.due) {
				return frame.ErrLate{} // a timer of a busy machine can be later than what it should have kept out
			}
			maps.Copy(d.fill.Values, m.Captures())
			d.remember(m, true)
			r.endStep(begin, r.raw.ArrivedAt)
			return nil
		}
		r.passOver(1)
		r.lastReply = append(r.lastReply[:0], m.Head()...)
		r.near.PassOver(m)
		d.remember(m, false)
		if r.read <= early {
			m.Forget()
		}
	}
}

// noteTimestamp notes which clock ended a value, and how late this process saw it. The kernel's is the clock of the
// Result only if it ended all values.
func (r *run) noteTimestamp() {
	if r.res.TimestampSource != tcp.UserTime {
		r.res.TimestampSource = r.raw.Source
	}
	r.res.Lag = max(r.res.Lag, r.raw.Lag)
}

// passOver counts messages that do not match.
func (r *run) passOver(n int) {
	r.unmatched += n
	r.res.Unmatched += n
}

// streamError finds out why reading ended. It asks the stream, which keeps the first error. After a failed
// write it reads on: the last messages of the server tell more.
func (r *run) streamError(err error) error {
	var b *frame.Breach
	switch {
	case errors.As(err, &b):
		return err
	case r.wire.Fault() != nil:
		return r.wire.Fault()
	case r.wire.Ended(), tcp.IsTimeout(err):
		return err
	}
	before := r.wire.Scanner().Messages()
	if end := r.wire.Await(); end != nil {
		err = end
	}
	if r.probe.spec.PingMode != PingFrame {
		r.passOver(r.wire.Scanner().Messages() - before)
	}
	return err
}
