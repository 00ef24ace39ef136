package probe

import (
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/coder/websocket"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
)

// socket is an open WebSocket. This is the only file that knows the library: it dials through a transport
// of ours, masks and joins data frames, and never waits on a clock of its own, because every wait ends by the
// deadline of the raw connection. A context with a deadline would make it drop the connection, after which no
// close frame could be sent.
type socket struct {
	conn    *websocket.Conn
	inflate *frame.Inflater // nil if nothing is compressed
}

// anyURL is what the library is told to dial. The transport knows where to.
const anyURL = "ws://endpoint"

// dial performs the opening handshake over the transport. If that agrees to compression, the library compresses
// every message that it sends, none with the help of an earlier one: a compressor of its own for each connection
// would cost more than a megabyte. What it reads seems uncompressed to it.
func dial(ctx context.Context, spec *Spec, transport http.RoundTripper) (*socket, error) {
	options := &websocket.DialOptions{HTTPClient: &http.Client{Transport: transport}}
	if spec.Compression == CompressionOn {
		options.CompressionMode, options.CompressionThreshold = websocket.CompressionNoContextTakeover, 1
	}
	conn, _, err := websocket.Dial(ctx, anyURL, options)
	if err != nil {
		return nil, err
	}
	conn.SetReadLimit(-1) // the frame scanner is the judge of sizes
	return &socket{conn: conn}, nil
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
func (s *socket) receive(m *message, buf []byte) error {
	kind, r, err := s.conn.Reader(context.Background())
	if err != nil {
		return err
	}
	if s.inflate != nil {
		r = s.inflate.Message(r)
	}
	m.begin(kind == websocket.MessageText)
	for {
		n, err := r.Read(buf)
		if b := m.write(buf[:n]); b != nil {
			return b
		}
		if errors.Is(err, io.EOF) {
			if b := m.end(); b != nil {
				return b
			}
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// free gives back what the library holds. All that there is to say to the server has been said by the wire.
func (s *socket) free() { _ = s.conn.CloseNow() }
