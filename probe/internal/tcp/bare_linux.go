//go:build linux && (amd64 || arm64 || loong64 || ppc64le || riscv64)

package tcp

import (
	"bytes"
	"errors"
	"io"
	"os"
	"syscall"
	"time"
)

// Receiver receives for all the connections of one poller. Package net keeps as much for each.
type Receiver struct {
	// ArrivedAt is when the bytes of the last read came, as in Conn.
	ArrivedAt time.Time

	receiver
	since, next time.Time // on both clocks; since is the older one
}

// clockTime is how often a Receiver reads the clocks anew. The wall clock can be set in the life of a connection, but
// seldom in so short a time.
const clockTime = time.Second

// Wait is to be called before each wait of the poller: bytes that come later are not older than the clocks that it
// reads. It returns the present time.
func (r *Receiver) Wait() (now time.Time) {
	if now = time.Now(); now.Sub(r.next) >= clockTime {
		r.since, r.next = r.next, now
	}
	if r.since.IsZero() {
		r.since = r.next
	}
	return now
}

// Bare is a TCP connection by its descriptor alone. It takes a tenth of the memory of one of package net. It never
// waits, because a poller knows when there is something to do. All calls are the poller's.
type Bare struct {
	receiver *Receiver
	unsent   *bytes.Buffer // nil if the kernel has all
	fd       int32
	brief    bool // a short read is the last one
	empty    bool // the kernel has no more bytes
}

// Bare makes a connection bare, in b, and reports whether it could. If so, package net has no part in the connection any
// more: Read, Write and Close are those of b, and the other calls must not be used. TLS above goes on as before.
func (c *Conn) Bare(b *Bare, r *Receiver) bool {
	if c.stamper == nil || c.found != nil {
		return false
	}
	fd := -1
	err := c.stamper.file.Control(func(old uintptr) {
		if got, _, errno := syscall.Syscall(syscall.SYS_FCNTL, old, syscall.F_DUPFD_CLOEXEC, 0); errno == 0 {
			fd = int(got)
		}
	})
	if err != nil || fd < 0 {
		return false
	}
	_ = c.Conn.Close() // the connection lives on, by its other descriptor
	*b = Bare{receiver: r, fd: int32(fd)}
	c.bare, c.Conn, c.file, c.stamper = b, nil, nil, nil
	return true
}

// Move gives the connection to another poller. Neither serves it meanwhile.
func (b *Bare) Move(to *Receiver) { b.receiver = to }

// Descriptor returns the descriptor to poll.
func (b *Bare) Descriptor() int32 { return b.fd }

// ArrivedAt is when the bytes of the last Read came, until another connection of the poller is read.
func (b *Bare) ArrivedAt() time.Time { return b.receiver.ArrivedAt }

// Look has the next Read ask the kernel again. It does so until there are no more bytes, but if brief, until it finds
// fewer than it has room for. An end behind them is then still to be found.
func (b *Bare) Look(brief bool) { b.brief, b.empty = brief, false }

// Read reads what has come, or returns ErrNothing.
func (b *Bare) Read(p []byte) (int, error) {
	if b.empty || len(p) == 0 {
		return 0, ErrNothing{}
	}
	n, errno := b.receiver.receive(uintptr(b.fd), p, 0)
	switch {
	case errno == syscall.EAGAIN:
		b.empty = true
		return 0, ErrNothing{}
	case errno != 0:
		return 0, os.NewSyscallError("read", errno)
	case n == 0:
		return 0, io.EOF
	}
	b.empty = b.brief && n < len(p)
	now := time.Now()
	b.receiver.ArrivedAt, _ = arrivalTime(b.receiver.stamp(), now, clocksSince(b.receiver.since, now))
	return n, nil
}

// Write gives all bytes to the kernel, or keeps those that it has no room for until Flush.
func (b *Bare) Write(p []byte) (int, error) {
	if b.unsent != nil {
		return b.unsent.Write(p)
	}
	n, err := b.write(p)
	if err == nil && n < len(p) {
		b.unsent = bytes.NewBuffer(bytes.Clone(p[n:]))
	}
	return len(p), err
}

// Flush gives to the kernel what Write has kept, as far as there is room. It reports whether that was all.
func (b *Bare) Flush() (all bool, err error) {
	if b.unsent == nil {
		return true, nil
	}
	n, err := b.write(b.unsent.Bytes())
	if b.unsent.Next(n); b.unsent.Len() == 0 || err != nil {
		b.unsent = nil
	}
	return b.unsent == nil, err
}

// Unsent is the number of bytes that Write has kept.
func (b *Bare) Unsent() int {
	if b.unsent == nil {
		return 0
	}
	return b.unsent.Len()
}

// write writes as much as there is room for.
func (b *Bare) write(p []byte) (n int, err error) {
	for n < len(p) {
		m, err := syscall.Write(int(b.fd), p[n:])
		switch {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EAGAIN):
			return n, nil
		case err != nil:
			return n, os.NewSyscallError("write", err)
		default:
			n += m
		}
	}
	return n, nil
}

// Close closes the connection.
func (b *Bare) Close() error { return syscall.Close(int(b.fd)) }
