//go:build linux && (amd64 || arm64 || loong64 || ppc64le || riscv64)

package tcp

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// pair makes a connection and the server's end of it.
func pair(t *testing.T) (*Conn, *net.TCPConn) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = client.Close(), server.Close() })
	return New(client), server.(*net.TCPConn)
}

// TestEndedAt: an end that was read late is told with the time at which it came.
func TestEndedAt(t *testing.T) {
	c, server := pair(t)
	if _, err := server.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 9)); err != nil {
		t.Fatal(err)
	}
	time.Sleep(200 * time.Millisecond)
	before := time.Now()
	if err := server.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	after := time.Now()
	time.Sleep(300 * time.Millisecond)
	if _, err := c.Read(make([]byte, 9)); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	const tick = 20 * time.Millisecond // of the slowest kernel, twice
	if at := c.EndedAt(); at.Before(before.Add(-tick)) || at.After(after.Add(tick)) {
		t.Errorf("ended %v after the FIN went out", at.Sub(before))
	}
}

// TestPolledWrite: what TLS says while it reads does not wait for a server that reads nothing, and other writes then do.
func TestPolledWrite(t *testing.T) {
	c, _ := pair(t)
	c.SetEnd(time.Now().Add(200 * time.Millisecond))
	if _, err := c.Write(make([]byte, 64<<20)); !IsTimeout(err) { // the buffers are full
		t.Fatal(err)
	}
	end := time.Now().Add(time.Minute) // only a hang meets it
	c.SetEnd(end)
	c.Polling = true
	if _, err := c.Write(make([]byte, 64<<20)); !IsTimeout(err) || !time.Now().Before(end) {
		t.Errorf("got %v", err)
	}
	if c.Polling = false; !c.until.Equal(end) {
		t.Errorf("the end of all waits is now %v", c.until)
	}
}
