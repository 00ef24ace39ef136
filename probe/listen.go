package probe

import (
	"errors"
	"time"

	"github.com/wsprobe/wsprobe/reasons"
)

// listen hears what the endpoint says of its own accord, for that long, and then is content. A close that comes meanwhile is
// noted and no failure: whoever listens did not ask for more. The context ends it, too.
func (r *run) listen(length time.Duration) error {
	r.stage = reasons.StageReply
	r.due, r.limit = time.Now().Add(length), length
	r.raw.bound(r.due)
	m := newMessage(expectation{}, MaxBodyDetail+r.slack())
	for {
		err := r.socket.receive(m, r.scratch.message[:])
		var b *breach
		switch {
		case errors.As(err, &b):
			return err
		case err != nil && isTimeout(err) && !r.wire.ended():
			return nil
		case err != nil:
			if err = r.streamError(err); errors.As(err, &b) {
				return err
			}
			r.noteClose(nil)
			return nil
		}
		if w := r.watcher; w != nil && w.Message != nil {
			heard := w.heard(m)
			heard.show(r.redact())
			w.Message(heard)
		}
	}
}
