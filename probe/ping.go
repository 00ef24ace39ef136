package probe

import (
	"time"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/probe/internal/match"
	"github.com/wsprobe/wsprobe/probe/internal/tcp"
	"github.com/wsprobe/wsprobe/reasons"
)

// exchangePing sends a Ping frame and reads until its Pong. It ignores data messages.
func (r *run) exchangePing() error {
	r.wire.Drain()
	begin := time.Now()
	r.wire.EndAtPong(true)
	r.stage = reasons.StagePong
	if r.tooLate() {
		return frame.ErrLate{}
	}
	if !r.wire.Ended() {
		r.enter(reasons.StageSend, PhaseRoundTrip)
		r.wire.AnswerPings()
		r.raw.Sending()
		err := r.wire.Ping()
		begin = r.raw.SentAt()
		if r.sentLast(reasons.SentPing, begin); tcp.IsTimeout(err) {
			return err
		}
		r.stage = reasons.StagePong
	}
	m := match.NewMessage(new(match.Expectation), match.Options{Keep: r.watcher.keep()})
	for {
		err := r.socket.receive(m, r.scratch.message[:])
		if err == nil {
			r.watcher.read(m, false)
		}
		if r.ponged() && r.raw.ArrivedAt.After(r.due) {
			return frame.ErrLate{}
		}
		if r.ponged() {
			r.leave(r.raw.ArrivedAt)
			r.settled = r.raw.ArrivedAt
			r.res.Replied, r.res.RoundTrip = true, max(r.raw.ArrivedAt.Sub(begin), 0)
			r.noteTimestamp()
			return nil
		}
		if err != nil {
			return r.streamError(err)
		}
	}
}

// ponged reports whether the awaited Pong has come.
func (r *run) ponged() bool {
	if r.wire == nil {
		return false
	}
	answer, _ := r.wire.Scanner().Pong()
	return answer
}

// otherPonged reports whether a Pong with other data has come.
func (r *run) otherPonged() bool {
	_, other := r.wire.Scanner().Pong()
	return other
}
