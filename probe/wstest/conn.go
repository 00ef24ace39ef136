package wstest

import (
	"bufio"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Visit is what a client did on a connection.
type Visit struct {
	// Head is the request head as it came, up to and with the blank line.
	Head string
	// Messages counts the data messages, LastMessage is the last of them as it came, and Compressed says that it
	// was marked as compressed. Pongs counts the pongs.
	Messages    int
	LastMessage string
	Compressed  bool
	Pongs       int
	// CloseCode is that of the client's close frame, 1005 if it had none, 0 if none came.
	CloseCode   int
	CloseReason string
}

// Conn is the server's end of one connection. It belongs to its script: its methods may not be called
// concurrently. They end the script when the connection is gone.
type Conn struct {
	raw     net.Conn
	stream  net.Conn // raw, or TLS on it
	reader  *bufio.Reader
	done    <-chan struct{}
	request *http.Request
	visit   Visit
	partial []byte        // of a fragmented message
	longest uint64        // frame and message that is taken, in bytes
	stall   time.Duration // longest time that a write may take; 0: any
}

// gone ends a script from within, as http.ErrAbortHandler does.
type gone struct{}

func newConn(raw net.Conn, config *tls.Config, done <-chan struct{}) *Conn {
	c := &Conn{raw: raw, stream: raw, done: done, longest: maxFrame}
	if config != nil {
		c.stream = tls.Server(raw, config)
	}
	c.reader = bufio.NewReader(io.TeeReader(c.stream, &headRecorder{visit: &c.visit}))
	return c
}

func (c *Conn) play(script Script) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(gone); !ok {
				panic(r)
			}
		}
	}()
	script(c)
}

// end closes the connection, with a close_notify if it is TLS.
func (c *Conn) end() {
	_ = c.raw.SetDeadline(time.Now().Add(time.Second))
	_ = c.stream.Close()
	_ = c.raw.Close()
}

// headRecorder keeps the bytes of the request head as they come.
type headRecorder struct {
	visit *Visit
	whole bool
}

const maxHead = 1 << 20

func (h *headRecorder) Write(p []byte) (int, error) {
	if h.whole {
		return len(p), nil
	}
	h.visit.Head += string(p)
	if end := strings.Index(h.visit.Head, "\r\n\r\n"); end >= 0 {
		h.visit.Head, h.whole = h.visit.Head[:end+4], true
	} else if len(h.visit.Head) > maxHead {
		h.whole = true
	}
	return len(p), nil
}

// Request returns the upgrade request. The first call reads it.
func (c *Conn) Request() *http.Request {
	if c.request == nil {
		request, err := http.ReadRequest(c.reader)
		if err != nil {
			panic(gone{})
		}
		c.request = request
	}
	return c.request
}

// Accept answers the request with 101, with more header lines if there are any, each without its line end.
func (c *Conn) Accept(lines ...string) { c.Raw(c.AcceptHead(lines...)) }

// AcceptHead is what Accept would write, for scripts that falsify it first.
func (c *Conn) AcceptHead(lines ...string) string {
	key := c.Request().Header.Get("Sec-WebSocket-Key")
	var b strings.Builder
	b.WriteString("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
	fmt.Fprintf(&b, "Sec-WebSocket-Accept: %s\r\n", AcceptKey(key))
	for _, line := range lines {
		b.WriteString(line + "\r\n")
	}
	b.WriteString("\r\n")
	return b.String()
}

// AcceptKey is the Sec-WebSocket-Accept that answers a key (RFC 6455 4.2.2).
func AcceptKey(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// refusalTime is how long a client that was refused may take to close.
const refusalTime = 10 * time.Second

// Refuse answers the request with another status than 101, more header lines and a body. It waits at most 10 s for the
// client to close.
func (c *Conn) Refuse(status int, body string, lines ...string) {
	c.Request()
	c.Raw(fmt.Sprintf("HTTP/1.1 %d %s\r\nContent-Length: %d\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n%s\r\n%s",
		status, http.StatusText(status), len(body), joinLines(lines), body))
	c.FIN()
	_ = c.raw.SetReadDeadline(time.Now().Add(refusalTime))
	c.Watch()
}

func joinLines(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return strings.Join(lines, "\r\n") + "\r\n"
}

// Raw writes bytes as they are, inside TLS if there is TLS.
func (c *Conn) Raw(data string) {
	if c.stall > 0 {
		_ = c.raw.SetWriteDeadline(time.Now().Add(c.stall))
	}
	if _, err := io.WriteString(c.stream, data); err != nil {
		panic(gone{})
	}
}

// BelowTLS writes bytes to the TCP connection itself, under TLS.
func (c *Conn) BelowTLS(data string) {
	if _, err := io.WriteString(c.raw, data); err != nil {
		panic(gone{})
	}
}

// Drip writes bytes one at a time, with a pause before each but the first.
func (c *Conn) Drip(data string, gap time.Duration) {
	for i := range len(data) {
		if i > 0 {
			c.Pause(gap)
		}
		c.Raw(data[i : i+1])
	}
}

// Pause waits.
func (c *Conn) Pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.done:
		panic(gone{})
	}
}

// FIN ends the server's side of the TCP connection. The client can still send.
func (c *Conn) FIN() {
	if half, ok := c.raw.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}

// Reset ends the connection with a TCP reset.
func (c *Conn) Reset() {
	if tcp, ok := c.raw.(interface{ SetLinger(int) error }); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.raw.Close()
	panic(gone{})
}

// TLS returns the state of the TLS connection, after its handshake.
func (c *Conn) TLS() tls.ConnectionState {
	secured, ok := c.stream.(*tls.Conn)
	if !ok {
		return tls.ConnectionState{}
	}
	if err := secured.Handshake(); err != nil {
		panic(gone{})
	}
	return secured.ConnectionState()
}

// Hold waits until the client or the server closes, without a word.
func (c *Conn) Hold() {
	_, _ = io.Copy(io.Discard, c.raw)
}

// Tunnel carries bytes to and from an address until both sides are done, as a proxy does after CONNECT.
func (c *Conn) Tunnel(addr string) {
	there, err := net.Dial("tcp", addr)
	if err != nil {
		panic(gone{})
	}
	var copying sync.WaitGroup
	copying.Go(func() {
		_, _ = io.Copy(there, c.reader)
		_ = there.Close()
	})
	_, _ = io.Copy(c.stream, there)
	c.end()
	copying.Wait()
}
