package probe

import (
	"errors"
	"time"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/probe/internal/match"
	"github.com/wsprobe/wsprobe/probe/internal/tcp"
	"github.com/wsprobe/wsprobe/reasons"
)

// listen reads the messages that the endpoint sends of its own accord, for a length of time or until the context ends.
// A close by the endpoint is noted and no failure, because the caller asked for nothing more.
func (r *run) listen(length time.Duration) error {
	r.stage = reasons.StageReply
	r.due, r.limit = time.Now().Add(length), length
	r.raw.SetEnd(r.due)
	r.wire.EndAtPong(false)
	m := match.NewMessage(new(match.Expectation), match.Options{Keep: r.watcher.keep()})
	for {
		err := r.socket.receive(m, r.scratch.message[:])
		var b *frame.Breach
		switch {
		case errors.As(err, &b):
			return err
		case err != nil && tcp.IsTimeout(err) && !r.wire.Ended():
			return nil
		case err != nil:
			if err = r.streamError(err); errors.As(err, &b) {
				return err
			}
			r.noteClose(nil)
			return nil
		}
		r.watcher.read(m, false)
	}
}
