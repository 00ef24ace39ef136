package probe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/probe/internal/tcp"
	"github.com/wsprobe/wsprobe/reasons"
)

// listen hears what the endpoint says of its own accord, for that long, and then is content. A close that comes meanwhile is
// noted and no failure: whoever listens did not ask for more. The context ends it, too.
func (r *run) listen(length time.Duration) error {
	r.stage = reasons.StageReply
	r.due, r.limit = time.Now().Add(length), length
	r.raw.SetEnd(r.due)
	if err := r.resume(); err != nil {
		return err
	}
	m := newMessage(expectation{}, r.watcher.keep())
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

// resume makes the stream readable again after the wait for a Pong, which the library was told had ended it.
func (r *run) resume() error {
	if !r.wire.EndsAtPong() {
		return nil
	}
	r.wire.EndAtPong(false)
	socket, err := dial(context.Background(), &r.probe.spec, resumed{r.wire})
	if err != nil {
		return fmt.Errorf("resuming the stream: %w", err)
	}
	r.socket.free()
	socket.inflate, r.socket = r.wire.Inflater(), socket
	return nil
}

// resumed is the transport of a handshake that has taken place.
type resumed struct{ wire *frame.Stream }

func (r resumed) RoundTrip(req *http.Request) (*http.Response, error) {
	header := http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade"},
		"Sec-Websocket-Accept": {acceptKey(req.Header.Get("Sec-WebSocket-Key"))}}
	if r.wire.Inflater() != nil {
		header.Set("Sec-Websocket-Extensions", frame.PermessageDeflate)
	}
	return &http.Response{StatusCode: http.StatusSwitchingProtocols, Header: header, Body: r.wire}, nil
}
