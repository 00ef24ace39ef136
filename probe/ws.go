package probe

import (
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/coder/websocket"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/probe/internal/match"
	"github.com/wsprobe/wsprobe/probe/internal/opening"
	"github.com/wsprobe/wsprobe/probe/internal/say"
	"github.com/wsprobe/wsprobe/reasons"
)

// socket is an open WebSocket. This is the only file that knows the library: it masks and joins data frames, and never
// waits on a clock of its own, because every wait ends by the deadline of the raw connection. A context with a deadline
// would make it drop the connection, after which no close frame could be sent.
type socket struct {
	conn    *websocket.Conn
	inflate *frame.Inflater // nil if nothing is compressed
}

// anyURL is the URL for the library, whose transport is connected already.
const anyURL = "ws://endpoint"

// newSocket hands an open stream to the library. If compression was agreed upon, the library compresses every message
// that it sends, none with the help of an earlier one: a compressor of its own for each connection would cost more than
// a megabyte. Messages that it reads seem uncompressed.
func newSocket(stream *frame.Stream) (*socket, error) {
	options := &websocket.DialOptions{HTTPClient: &http.Client{Transport: opened{stream}}}
	if stream.Inflater() != nil {
		options.CompressionMode, options.CompressionThreshold = websocket.CompressionNoContextTakeover, 1
	}
	conn, _, err := websocket.Dial(context.Background(), anyURL, options)
	if err != nil {
		return nil, err
	}
	conn.SetReadLimit(-1) // the frame scanner is the judge of sizes
	return &socket{conn: conn, inflate: stream.Inflater()}, nil
}

// opened is the transport of a handshake that has taken place: it gives the library the answer that it wants, and the
// stream as its body. How compression is done is up to each side.
type opened struct{ stream *frame.Stream }

func (o opened) RoundTrip(req *http.Request) (*http.Response, error) {
	values := []string{"websocket", "Upgrade", opening.AcceptKey(req.Header.Get("Sec-WebSocket-Key"))}
	header := http.Header{"Upgrade": values[:1], "Connection": values[1:2], "Sec-Websocket-Accept": values[2:]}
	if o.stream.Inflater() != nil {
		header.Set("Sec-Websocket-Extensions", frame.PermessageDeflate)
	}
	return &http.Response{StatusCode: http.StatusSwitchingProtocols, Header: header, Body: o.stream}, nil
}

// write sends one message.
func (s *socket) write(message []byte, binary bool) error {
	kind := websocket.MessageText
	if binary {
		kind = websocket.MessageBinary
	}
	return s.conn.Write(context.Background(), kind, message)
}

// receive reads the next data message into m, chunk by chunk.
func (s *socket) receive(m *match.Message, buf []byte) error {
	kind, r, err := s.conn.Reader(context.Background())
	if err != nil {
		return err
	}
	if s.inflate != nil {
		r = s.inflate.Message(r)
	}
	m.Begin(kind == websocket.MessageText)
	for {
		n, err := r.Read(buf)
		if !m.Write(buf[:n]) {
			return invalidText()
		}
		if errors.Is(err, io.EOF) {
			if !m.End() {
				return invalidText()
			}
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// invalidText is the breach of a text message that is not UTF-8 (RFC 6455 8.1).
func invalidText() *frame.Breach {
	return &frame.Breach{Type: reasons.ProtocolError, Code: frame.CloseInvalidData,
		About: say.Own("protocol error: text message that is not UTF-8")}
}

// free frees the library's memory. The stream has sent the close frame already.
func (s *socket) free() { _ = s.conn.CloseNow() }
