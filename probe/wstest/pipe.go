package wstest

import (
	"context"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

// memoryListener hands connections in memory from dial to Accept.
type memoryListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

// memoryAddr is where a server in memory says it is: an address for documentation (RFC 5737), which no
// network has. Being a literal, it needs no name resolution.
const memoryAddr = "192.0.2.1:80"

func newMemoryListener() *memoryListener {
	return &memoryListener{conns: make(chan net.Conn), done: make(chan struct{})}
}

func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *memoryListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *memoryListener) Addr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(memoryAddr))
}

func (l *memoryListener) dial(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
	client, server := Pipe(addr)
	fail := func(err error) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "memory", Addr: net.TCPAddrFromAddrPort(addr), Err: err}
	}
	select {
	case l.conns <- server:
		return client, nil
	case <-ctx.Done():
		return fail(ctx.Err())
	case <-l.done:
		return fail(syscall.ECONNREFUSED)
	}
}

// Pipe makes a connection in memory to an address and returns both ends. It behaves like TCP: writes are
// buffered, deadlines hold, one side can be closed (CloseWrite) and SetLinger(0) makes Close a reset. TryRead
// on either end reads what is there without waiting. No goroutine belongs to it.
func Pipe(to netip.AddrPort) (client, server net.Conn) {
	there := net.TCPAddrFromAddrPort(to)
	here := net.TCPAddrFromAddrPort(netip.MustParseAddrPort("192.0.2.2:49152"))
	up, down := newFlow(), newFlow()
	return &memoryConn{in: down, out: up, local: here, remote: there}, &memoryConn{in: up, out: down, local: there, remote: here}
}

// flow is one direction of a connection.
type flow struct {
	mu      sync.Mutex
	changed sync.Cond
	data    []byte
	fin     bool // nothing more will be written
	unread  bool // nothing more will be read
	reset   bool

	readBy, writeBy waitLimit
}

// flowSize is how much a flow buffers before its writer waits.
const flowSize = 64 << 10

func newFlow() *flow {
	f := &flow{}
	f.changed.L = &f.mu
	return f
}

// waitLimit is a deadline that wakes those who wait.
type waitLimit struct {
	at    time.Time
	timer *time.Timer
}

func (w *waitLimit) passed() bool { return !w.at.IsZero() && !time.Now().Before(w.at) }

func (w *waitLimit) set(t time.Time, f *flow) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if w.timer != nil {
		w.timer.Stop()
		w.timer = nil
	}
	w.at = t
	if wait := time.Until(t); !t.IsZero() && wait > 0 {
		w.timer = time.AfterFunc(wait, func() {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.changed.Broadcast()
		})
	}
	f.changed.Broadcast()
}

func (w *waitLimit) stop() {
	if w.timer != nil {
		w.timer.Stop()
	}
}

func (f *flow) read(p []byte, wait bool) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		switch {
		case f.unread:
			return 0, net.ErrClosed
		case wait && f.readBy.passed():
			return 0, os.ErrDeadlineExceeded
		case len(f.data) > 0:
			n := copy(p, f.data)
			f.data = f.data[n:]
			f.changed.Broadcast()
			return n, nil
		case f.reset:
			return 0, syscall.ECONNRESET
		case f.fin:
			return 0, io.EOF
		case len(p) == 0:
			return 0, nil
		case !wait:
			return 0, os.ErrDeadlineExceeded
		}
		f.changed.Wait()
	}
}

func (f *flow) write(p []byte) (n int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		switch {
		case f.reset:
			return n, syscall.ECONNRESET
		case f.fin:
			return n, net.ErrClosed
		case f.writeBy.passed():
			return n, os.ErrDeadlineExceeded
		case f.unread:
			return n, syscall.EPIPE
		case n == len(p):
			return n, nil
		}
		if room := min(flowSize-len(f.data), len(p)-n); room > 0 {
			f.data = append(f.data, p[n:n+room]...)
			n += room
			f.changed.Broadcast()
			continue
		}
		f.changed.Wait()
	}
}

// mark changes a flow and wakes all who wait on it.
func (f *flow) mark(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
	f.changed.Broadcast()
}

// memoryConn is one end of a connection in memory.
type memoryConn struct {
	in, out       *flow
	local, remote net.Addr
	linger        bool // Close is a reset
}

func (c *memoryConn) Read(p []byte) (int, error) {
	n, err := c.in.read(p, true)
	return n, c.wrap("read", err)
}

// TryRead reads what is there, and returns a timeout if nothing is.
func (c *memoryConn) TryRead(p []byte) (int, error) {
	n, err := c.in.read(p, false)
	return n, c.wrap("read", err)
}

func (c *memoryConn) Write(p []byte) (int, error) {
	n, err := c.out.write(p)
	return n, c.wrap("write", err)
}

func (c *memoryConn) wrap(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &net.OpError{Op: op, Net: "memory", Source: c.local, Addr: c.remote, Err: err}
}

// CloseWrite ends the outgoing direction.
func (c *memoryConn) CloseWrite() error {
	c.out.mark(func() { c.out.fin = true })
	return nil
}

// SetLinger makes Close a reset if the time is 0, as that of net.TCPConn does.
func (c *memoryConn) SetLinger(seconds int) error {
	c.out.mark(func() { c.linger = seconds == 0 })
	return nil
}

// Close ends both directions. Like that of TCP, it is a reset if bytes were left unread.
func (c *memoryConn) Close() error {
	left := false
	c.in.mark(func() {
		left = len(c.in.data) > 0
		c.in.unread = true
		c.in.data = nil
		c.in.readBy.stop()
	})
	c.out.mark(func() {
		if (left || c.linger) && !c.out.fin {
			c.out.reset = true
		}
		c.out.fin = true
		c.out.writeBy.stop()
	})
	return nil
}

func (c *memoryConn) LocalAddr() net.Addr  { return c.local }
func (c *memoryConn) RemoteAddr() net.Addr { return c.remote }

func (c *memoryConn) SetDeadline(t time.Time) error {
	_ = c.SetReadDeadline(t)
	return c.SetWriteDeadline(t)
}

func (c *memoryConn) SetReadDeadline(t time.Time) error {
	c.in.readBy.set(t, c.in)
	return nil
}

func (c *memoryConn) SetWriteDeadline(t time.Time) error {
	c.out.writeBy.set(t, c.out)
	return nil
}
