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
	stamper *stamper        // nil where the kernel does not tell when it received something
	opened  time.Time       // when the connection was handed over
	polling bool            // Read takes what is there and does not wait
	readAt  time.Time       // when the bytes came that the last Read brought
	clock   Clock           // whose time that is
	lag     time.Duration   // how long they had been there by then
	sentAt  time.Time       // when the first Write began since this was zero

	mu      sync.Mutex
	until   time.Time // the end of every wait
	aborted bool
}

func newRawConn(conn net.Conn) *rawConn {
	c := &rawConn{Conn: conn, stamper: newStamper(conn), opened: time.Now()}
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
	var (
		n     int
		stamp time.Time
		err   error
	)
	if c.stamper != nil {
		if n, stamp, err = c.stamper.read(p, !c.polling); !c.polling && isTimeout(err) {
			n, stamp, err = c.inTime(p, err)
		}
	} else {
		n, err = c.read(p)
	}
	if n > 0 {
		now := time.Now()
		c.readAt, c.clock = received(stamp, now, sinceThen(c.opened, now))
		c.lag = now.Sub(c.readAt)
	}
	return n, err
}

// inTime looks, once a wait has ended, for what had come before the end: a busy agent wakes up late, and what lies
// there in time is no timeout of the endpoint's. What came later stays where it is.
func (c *rawConn) inTime(p []byte, timeout error) (int, time.Time, error) {
	c.mu.Lock()
	until := c.until
	c.mu.Unlock()
	c.bound(time.Time{})
	defer c.bound(until)
	n, stamp, err := c.stamper.peek(p)
	now := time.Now()
	at, clock := received(stamp, now, sinceThen(c.opened, now))
	if n == 0 || err != nil || clock != ClockKernel || at.After(until) {
		return 0, time.Time{}, timeout
	}
	return c.stamper.read(p[:n], false)
}

// Write notes when it began: below TLS, so that encryption is not in the time of what is sent.
func (c *rawConn) Write(p []byte) (int, error) {
	if c.sentAt.IsZero() {
		c.sentAt = time.Now()
	}
	return c.Conn.Write(p)
}

// sending is called before a message is written, and sent after it; sent returns when the writing began.
func (c *rawConn) sending() { c.sentAt = time.Time{} }

func (c *rawConn) sent() time.Time {
	if c.sentAt.IsZero() {
		return time.Now()
	}
	return c.sentAt
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
		c.until = t
		_ = c.Conn.SetDeadline(t) // fails only on a closed connection, where nothing waits
	}
}

// abort ends every wait on the connection, now and later.
func (c *rawConn) abort() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.aborted, c.until = true, time.Unix(1, 0)
	_ = c.Conn.SetDeadline(c.until)
}

// late reports whether waits have come to their end.
func (c *rawConn) late() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !time.Now().Before(c.until)
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
