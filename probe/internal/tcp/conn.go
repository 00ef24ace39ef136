// Package tcp is a TCP connection below TLS, with one deadline, polling, kernel timestamps.
package tcp

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"time"
)

// Conn is a connection that owns its deadline: every wait ends by SetEnd or Abort, never because a library gave up. It
// also knows when bytes last came, and can read the bytes that are there already without a wait for more.
//
// One goroutine reads, and the same or another one writes. Others may call SetEnd, SetWriteEnd, Abort and Late meanwhile.
type Conn struct {
	net.Conn
	// Polling makes Read return the bytes that are there instead of waiting.
	Polling bool
	// Polled says that a poll follows the next timeout. Read then does not look itself for bytes that came in time.
	Polled bool
	// ArrivedAt is when the bytes of the last Read came, by the clock that Source names. Lag is how long they then
	// waited for that Read.
	ArrivedAt time.Time
	Source    TimestampSource
	Lag       time.Duration

	stamper *stamper        // nil without timestamps of the kernel
	file    syscall.RawConn // without them, for polls; nil for a connection that is not backed by a file descriptor
	since   time.Time       // since when both clocks are known to run alike: since the handover, at first
	sentAt  time.Time       // when the first Write since Sending began, or zero
	bare    *Bare           // not nil once it was made bare
	found   error           // of a look after the end of a wait, for the next Read: the system reports a reset once

	mu      sync.Mutex
	until   time.Time // the end of every wait
	same    bool      // reads and writes have it
	aborted bool
}

// New takes over a connection. It switches the timestamps of the kernel on, if the system has any.
func New(conn net.Conn) *Conn {
	c := &Conn{Conn: conn, stamper: newStamper(conn), since: time.Now()}
	if f, ok := conn.(syscall.Conn); ok && c.stamper == nil {
		c.file, _ = f.SyscallConn()
	}
	return c
}

// Pollable reports whether Bare can make the connection bare.
func (c *Conn) Pollable() bool { return c.stamper != nil }

// tryReader is for connections without a file descriptor that can be polled. TryRead returns ErrNothing, or any other
// timeout, if no byte is there.
type tryReader interface {
	TryRead(p []byte) (int, error)
}

// Read reads as the connection does, or returns ErrNothing at once while polling.
func (c *Conn) Read(p []byte) (int, error) {
	if c.bare != nil {
		n, err := c.bare.Read(p)
		if n > 0 {
			c.ArrivedAt = c.bare.receiver.ArrivedAt
		}
		return n, err
	}
	var (
		n     int
		stamp time.Time
		err   error
	)
	if err = c.found; err != nil {
		c.found = nil
		return 0, err
	}
	if c.stamper != nil {
		if n, stamp, err = c.stamper.read(p, !c.Polling); err != nil && !c.Polling && !c.Polled && IsTimeout(err) {
			n, stamp, err = c.inTime(p, err)
		}
	} else {
		n, err = c.read(p)
	}
	if n > 0 {
		now := time.Now()
		c.arrived(stamp, now, clocksSince(c.since, now))
	}
	return n, err
}

// arrived notes when bytes came. The time for which both clocks must have run alike begins anew after a step of the wall
// clock, and from time to time: a connection can outlive many steps, and a day has room for a step of a minute.
func (c *Conn) arrived(stamp, now time.Time, gap clockGap) {
	c.ArrivedAt, c.Source = arrivalTime(stamp, now, gap)
	c.Lag = now.Sub(c.ArrivedAt)
	if gap.stepped() || gap.monotonic > maxSteady && c.Lag < maxUnsteady {
		c.since = now
	}
}

const (
	maxSteady   = time.Minute
	maxUnsteady = time.Millisecond // what waited longer may be in front of more that waits
)

// Wait waits until there is something to read, without a buffer. It reports false, and at once, if the connection cannot
// do that. The error is a timeout; every other one is for the next Read.
func (c *Conn) Wait() (bool, error) {
	if c.found != nil {
		return true, nil
	}
	if c.stamper == nil {
		return false, nil
	}
	err := c.stamper.wait()
	if IsTimeout(err) {
		return true, err
	}
	if err != nil && !errors.Is(err, io.EOF) {
		c.found = err
	}
	return true, nil
}

// inTime reads bytes that came before the end of a wait that has timed out. A busy agent wakes up late, and bytes that
// came in time are no timeout of the endpoint. Later bytes stay in the kernel.
func (c *Conn) inTime(p []byte, timeout error) (int, time.Time, error) {
	c.mu.Lock()
	until := c.until
	c.mu.Unlock()
	c.SetEnd(time.Time{})
	defer c.SetEnd(until)
	n, stamp, err := c.stamper.peek(p)
	if err != nil && !IsTimeout(err) && !errors.Is(err, io.EOF) {
		c.found = err
	}
	now := time.Now()
	at, clock := arrivalTime(stamp, now, clocksSince(c.since, now))
	if n == 0 || err != nil || clock != KernelTime || at.After(until) {
		return 0, time.Time{}, timeout
	}
	return c.stamper.read(p[:n], false)
}

// Write notes when it began. It is below TLS, so that encryption is not in the time of a message.
func (c *Conn) Write(p []byte) (int, error) {
	if c.bare != nil {
		return c.bare.Write(p)
	}
	if c.sentAt.IsZero() {
		c.sentAt = time.Now()
	}
	if c.Polling {
		return c.writeSoon(p)
	}
	return c.Conn.Write(p)
}

// writeSoon writes what crypto/tls says while it reads: an alert, or new keys that the server asks for. Whoever polls
// does not wait, not even for a server that reads nothing.
func (c *Conn) writeSoon(p []byte) (int, error) {
	c.mu.Lock()
	until := c.until
	c.mu.Unlock()
	if soon := time.Now().Add(maxPollWrite); until.IsZero() || soon.Before(until) {
		c.SetEnd(soon)
		defer c.SetEnd(until)
	}
	return c.Conn.Write(p)
}

// maxPollWrite bounds a write inside a poll.
const maxPollWrite = 10 * time.Millisecond

// Sending marks the start of a message, so that SentAt returns when the writing of this message began.
func (c *Conn) Sending() { c.sentAt = time.Time{} }

// SentAt returns when the first Write since Sending began, or the present time if there was none.
func (c *Conn) SentAt() time.Time {
	if c.sentAt.IsZero() {
		return time.Now()
	}
	return c.sentAt
}

func (c *Conn) read(p []byte) (int, error) {
	if !c.Polling {
		return c.Conn.Read(p)
	}
	if c.file != nil {
		return pollRead(c.file, p)
	}
	if t, ok := c.Conn.(tryReader); ok {
		return t.TryRead(p)
	}
	return 0, ErrNothing{}
}

// Close closes the connection.
func (c *Conn) Close() error {
	if c.bare != nil {
		return c.bare.Close()
	}
	return c.Conn.Close()
}

// SetEnd sets the end of every wait on the connection. It does not undo Abort.
func (c *Conn) SetEnd(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.aborted && !(c.same && t.Equal(c.until)) {
		c.until, c.same = t, true
		_ = c.Conn.SetDeadline(t) // it fails only on a closed connection, where nothing waits
	}
}

// SetWriteEnd sets the end of the waits of writes only. The next SetEnd replaces it.
func (c *Conn) SetWriteEnd(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.aborted {
		c.same = false
		_ = c.Conn.SetWriteDeadline(t)
	}
}

// Abort ends every wait on the connection, now and later.
func (c *Conn) Abort() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.aborted, c.until = true, time.Unix(1, 0)
	_ = c.Conn.SetDeadline(c.until)
}

// Late reports whether the end of all waits has passed.
func (c *Conn) Late() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !time.Now().Before(c.until)
}

// SetDeadline, SetReadDeadline and SetWriteDeadline do nothing, because crypto/tls sets deadlines of its own when it
// closes, which would replace that of SetEnd.
func (c *Conn) SetDeadline(time.Time) error      { return nil }
func (c *Conn) SetReadDeadline(time.Time) error  { return nil }
func (c *Conn) SetWriteDeadline(time.Time) error { return nil }

// ErrNothing is the error of a poll without a byte. It is temporary, so that crypto/tls keeps the connection usable.
type ErrNothing struct{}

func (ErrNothing) Error() string   { return "nothing received yet" }
func (ErrNothing) Timeout() bool   { return true }
func (ErrNothing) Temporary() bool { return true }

// IsTimeout reports whether an error comes from the deadline of a Conn. The errors of a context, and of a kernel that
// gave up on a dead peer, call themselves timeouts, too, but are none.
func IsTimeout(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout() && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, syscall.ETIMEDOUT)
}
