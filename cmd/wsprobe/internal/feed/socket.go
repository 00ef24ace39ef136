package feed

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/coder/websocket"
)

const (
	// writeTimeout is how long a client may take nothing.
	writeTimeout = 10 * time.Second
	// closeTimeout is how long the answer to a close frame may take.
	closeTimeout = 2 * time.Second
	// corkBytes is how much is written at once.
	corkBytes = 32 << 10
	// kernelBytes is how much the kernel is asked to keep for a client. By itself it keeps megabytes.
	kernelBytes = 256 << 10
	// maxMessage is the length of a message of a client. None of them says anything to the feed.
	maxMessage = 16 << 10
	// noiseBytes is how much a client may send in noiseTime.
	noiseBytes = 64 << 10
	noiseTime  = 10 * time.Second
)

// closeCode is how a connection is closed (RFC 6455 7.4.1).
type closeCode = websocket.StatusCode

const (
	goingAway     = websocket.StatusGoingAway
	policyBreach  = websocket.StatusPolicyViolation
	tryAgainLater = websocket.StatusTryAgainLater
	protocolError = websocket.StatusProtocolError
)

// socket is the WebSocket of a client. Messages are not compressed, because each client would take a compressor.
type socket struct {
	ws   *websocket.Conn
	conn *conn
}

// accept answers a request. After an error the response was written. loud is called when the client sends too much.
func accept(w http.ResponseWriter, r *http.Request, loud func()) (*socket, error) {
	taken := &hijacker{ResponseWriter: w, loud: loud}
	ws, err := websocket.Accept(taken, r, &websocket.AcceptOptions{InsecureSkipVerify: true}) // welcome has looked at the Origin
	if err != nil {
		return nil, err
	}
	ws.SetReadLimit(maxMessage)
	return &socket{ws, taken.conn}, nil
}

// write writes messages at once. The client has writeTimeout for each part.
func (s *socket) write(messages ...[]byte) error {
	s.conn.cork()
	for _, message := range messages {
		if err := s.ws.Write(context.Background(), websocket.MessageText, message); err != nil {
			_ = s.conn.uncork() // a close frame may be among what is held
			return err
		}
	}
	return s.conn.uncork()
}

// skip reads a message to its end.
func (s *socket) skip() error {
	_, message, err := s.ws.Reader(context.Background())
	if err == nil {
		_, err = io.Copy(io.Discard, message)
	}
	return err
}

// ping sends a Ping, and waits for its Pong.
func (s *socket) ping(timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return s.ws.Ping(ctx)
}

// close closes with a code, and waits for the answer.
func (s *socket) close(code closeCode, reason string) {
	defer time.AfterFunc(closeTimeout, s.cut).Stop()
	_ = s.ws.Close(code, reason) // whether the client answers is its business
}

// cut closes the connection below. Whoever reads or writes gets an error.
func (s *socket) cut() { _ = s.conn.Conn.Close() }

// hijacker puts a conn between the library and the server's connection.
type hijacker struct {
	http.ResponseWriter
	loud func()
	conn *conn
}

// Hijack takes over the connection of the request.
func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	below, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	if tcp, ok := below.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(kernelBytes) // it costs memory if it fails
	}
	h.conn = &conn{Conn: below, mu: make(chan struct{}, 1), loud: h.loud}
	return h.conn, bufio.NewReadWriter(rw.Reader, bufio.NewWriter(h.conn)), nil
}

// conn writes several messages at once, and counts what it reads.
type conn struct {
	net.Conn

	mu     chan struct{} // holds an element while somebody writes
	corked bool
	held   []byte
	broken error // of a write, of which a part may have gone out: whatever followed would be taken for the rest

	loud   func()    // called when the client sends too much
	window time.Time // when the count of what was read began
	count  int
}

// Read counts. One goroutine reads at a time.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if now := time.Now(); now.Sub(c.window) > noiseTime {
		c.window, c.count = now, 0
	}
	if c.count += n; c.count > noiseBytes {
		c.loud()
	}
	return n, err
}

// Write writes, or holds a part of a batch.
func (c *conn) Write(p []byte) (int, error) {
	c.mu <- struct{}{}
	defer func() { <-c.mu }()
	if !c.corked {
		return c.send(p)
	}
	if c.held = append(c.held, p...); len(c.held) < corkBytes {
		return len(p), nil
	}
	if err := c.flush(); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (c *conn) send(p []byte) (n int, err error) {
	if c.broken != nil {
		return 0, c.broken
	}
	if err = c.SetWriteDeadline(time.Now().Add(writeTimeout)); err == nil {
		n, err = c.Conn.Write(p)
	}
	c.broken = err
	return n, err
}

func (c *conn) flush() error {
	_, err := c.send(c.held)
	c.held = c.held[:0]
	return err
}

// Close is for the library, which closes behind its close frame. That may be among what is held. A write that waits for
// the client is not waited for.
func (c *conn) Close() error {
	late := time.NewTimer(time.Second)
	defer late.Stop()
	select {
	case c.mu <- struct{}{}:
		if len(c.held) > 0 {
			_ = c.flush() // the connection may be broken
		}
		<-c.mu
	case <-late.C:
	}
	return c.Conn.Close()
}

// cork begins a batch.
func (c *conn) cork() {
	c.mu <- struct{}{}
	defer func() { <-c.mu }()
	c.corked = true
}

// uncork ends a batch.
func (c *conn) uncork() error {
	c.mu <- struct{}{}
	defer func() { <-c.mu }()
	c.corked = false
	if len(c.held) == 0 {
		return nil
	}
	return c.flush()
}
