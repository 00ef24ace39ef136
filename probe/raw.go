package probe

import (
	"net"
	"sync"
	"syscall"
	"time"
)

// rawConn is the one TCP connection of a run, below TLS. It owns the deadlines: every wait of a run ends
// because this connection says so, and never because a library gave up. It also knows when bytes last came,
// and can look for bytes that are already there without waiting for more.
type rawConn struct {
	net.Conn
	file    syscall.RawConn // nil for a connection that is not backed by a file descriptor
	polling bool            // Read takes what is there and does not wait
	readAt  time.Time       // when the last Read that brought bytes returned

	mu      sync.Mutex
	aborted bool
}

func newRawConn(conn net.Conn) *rawConn {
	c := &rawConn{Conn: conn}
	if f, ok := conn.(syscall.Conn); ok {
		c.file, _ = f.SyscallConn()
	}
	return c
}

// tryReader is implemented by connections without a file descriptor that can say what is already there.
// TryRead returns errNothing, or any error that is a timeout, if nothing is.
type tryReader interface {
	TryRead(p []byte) (int, error)
}

// Read reads as the connection does, or returns errNothing at once while polling.
func (c *rawConn) Read(p []byte) (int, error) {
	n, err := c.read(p)
	if n > 0 {
		c.readAt = time.Now()
	}
	return n, err
}

func (c *rawConn) read(p []byte) (int, error) {
	if !c.polling {
		return c.Conn.Read(p)
	}
	if c.file != nil {
		return pollRead(c.file, p)
	}
	if t, ok := c.Conn.(tryReader); ok {
		return t.TryRead(p)
	}
	return 0, errNothing{}
}

// bound sets the end of every wait on the connection. It does not bring an aborted one back to life.
func (c *rawConn) bound(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.aborted {
		_ = c.Conn.SetDeadline(t) // fails only on a closed connection, where nothing waits
	}
}

// abort ends every wait on the connection, now and later.
func (c *rawConn) abort() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.aborted = true
	_ = c.Conn.SetDeadline(time.Unix(1, 0))
}

// SetDeadline, SetReadDeadline and SetWriteDeadline do nothing: crypto/tls sets deadlines of its own when
// it closes, which would take the place of the run's.
func (c *rawConn) SetDeadline(time.Time) error      { return nil }
func (c *rawConn) SetReadDeadline(time.Time) error  { return nil }
func (c *rawConn) SetWriteDeadline(time.Time) error { return nil }

// errNothing is what a poll finds when no byte is there. It is temporary, so that crypto/tls keeps the
// connection usable.
type errNothing struct{}

func (errNothing) Error() string   { return "nothing received yet" }
func (errNothing) Timeout() bool   { return true }
func (errNothing) Temporary() bool { return true }
