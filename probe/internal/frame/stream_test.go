package frame

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe/internal/tcp"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// chatterbox is a connection on which there is always more to read, up to a bound.
type chatterbox struct {
	net.Conn
	text  string
	bytes int
}

const mostChatter = 64 << 20

func (c *chatterbox) TryRead(p []byte) (int, error) {
	if c.bytes > mostChatter {
		return 0, tcp.ErrNothing{}
	}
	n := copy(p, c.text)
	c.bytes += n
	return n, nil
}

// TestDrainEnds: however much a server says before it is asked, and in frames of whichever kind, it will be asked.
func TestDrainEnds(t *testing.T) {
	for name, frame := range map[string]wstest.Frame{
		"pings": wstest.Ping(""), "pongs": wstest.Pong(""), "messages": wstest.Text("x"), "fragments": {More: true},
	} {
		t.Run(name, func(t *testing.T) {
			box := &chatterbox{text: wstest.Frame{Opcode: wstest.OpText, More: name == "fragments"}.Bytes() + strings.Repeat(frame.Bytes(), 500)}
			raw := tcp.New(box)
			w := NewStream(raw, raw, Options{Limit: 1 << 20, Chunk: make([]byte, 16<<10)})
			w.Drain()
			if box.bytes > 2*maxEarly {
				t.Errorf("%d bytes were taken", box.bytes)
			}
		})
	}
}

// brokenConn is a connection whose writes fail and whose reads find the end.
type brokenConn struct {
	net.Conn
	write error
}

func (c brokenConn) Write([]byte) (int, error) { return 0, c.write }
func (c brokenConn) Read([]byte) (int, error)  { return 0, io.EOF }

// TestResetSeenByAWrite: the system reports a reset once, to the write or to the read, and either way it is a reset.
func TestResetSeenByAWrite(t *testing.T) {
	reset := &net.OpError{Op: "write", Err: os.NewSyscallError("write", syscall.ECONNRESET)}
	pipe := &net.OpError{Op: "write", Err: os.NewSyscallError("write", syscall.EPIPE)}
	for name, test := range map[string]struct {
		write error
		want  error
	}{
		"reset":                    {reset, syscall.ECONNRESET},
		"closed before":            {pipe, io.ErrUnexpectedEOF}, // the server closed in an orderly way, and was then written to
		"closed without any write": {nil, io.ErrUnexpectedEOF},
	} {
		t.Run(name, func(t *testing.T) {
			raw := tcp.New(brokenConn{write: test.write})
			w := NewStream(raw, raw, Options{Limit: 1000, Chunk: make([]byte, 100)})
			if test.write != nil {
				if _, err := w.Write([]byte("x")); !errors.Is(err, test.write) {
					t.Fatal(err)
				}
			}
			if err := w.Await(); !errors.Is(err, test.want) || !errors.Is(w.Fault(), test.want) {
				t.Errorf("got %v, fault %v, want %v", err, w.Fault(), test.want)
			}
		})
	}
}

// TestCloseAfterTheTimeIsUp: what was not said for want of time keeps the close frame from nothing, and what was cut
// off keeps every other frame from being said.
func TestCloseAfterTheTimeIsUp(t *testing.T) {
	said := func(before func(*Stream)) string {
		here, there := net.Pipe()
		raw := tcp.New(here)
		w := NewStream(raw, raw, Options{Limit: 1000})
		w.scan.Scan([]byte(wstest.Ping("x").Bytes()), new(bytes.Buffer))
		raw.SetEnd(time.Now().Add(-time.Second))
		before(w)
		heard := make(chan string)
		go func() {
			all, _ := io.ReadAll(there)
			heard <- string(all)
		}()
		raw.SetEnd(time.Now().Add(time.Minute))
		w.SendClose(CloseNormal)
		_ = here.Close()
		return <-heard
	}
	for name, test := range map[string]struct {
		before func(*Stream)
		want   int // bytes: a close frame has 8
	}{
		"pong":    {(*Stream).AnswerPings, 8},
		"ping":    {func(w *Stream) { _ = w.Ping() }, 8},
		"message": {func(w *Stream) { _, _ = w.Write([]byte("cut off")) }, 0},
	} {
		if got := said(test.before); len(got) != test.want {
			t.Errorf("after a %s: %x was said", name, got)
		}
	}
}
