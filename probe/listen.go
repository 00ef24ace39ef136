package probe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/probe/internal/match"
	"github.com/wsprobe/wsprobe/probe/internal/tcp"
	"github.com/wsprobe/wsprobe/reasons"
)

// listen reads the messages that the endpoint sends of its own accord, for a length of time or until the context ends. A
// close by the endpoint is noted and no failure, because the caller asked for nothing more.
func (r *run) listen(length time.Duration) error {
	r.stage = reasons.StageReply
	r.due, r.limit = time.Now().Add(length), length
	r.raw.SetEnd(r.due)
	if err := r.resume(); err != nil {
		return err
	}
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

// resume makes the stream readable again after the wait for a Pong, at which the library saw it end.
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
