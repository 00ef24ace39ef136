//go:build amd64

package tcp

import (
	"errors"
	"net"
	"syscall"
	"testing"
	"time"
)

// TestInTime: what had come before the end of a wait is read after it, and what came later is not, and stays.
func TestInTime(t *testing.T) {
	release, err := KeepKernelClock()
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	stampless := 0
	for range 50 { // the kernel begins to stamp some time after it was asked to
		if inTime(t, l) {
			return
		}
		stampless++
	}
	t.Errorf("the kernel gave no time in %d attempts", stampless)
}

// TestResetFoundByALook: the look after the end of a wait may find a reset, which the next read then returns. Only the
// end of a wait tells nothing of what the endpoint did.
func TestResetFoundByALook(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c := New(client)
	c.SetEnd(time.Now().Add(-time.Second))
	if _, err := c.Read(make([]byte, 1)); !IsTimeout(err) {
		t.Fatalf("got %v before the reset", err)
	}
	_ = server.(*net.TCPConn).SetLinger(0)
	_ = server.Close()
	for hangs := time.Now().Add(time.Minute); IsTimeout(err) || err == nil; {
		if time.Now().After(hangs) {
			t.Fatal("no read returns the reset")
		}
		_, err = c.Read(make([]byte, 1))
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %v, want the reset", err)
	}
}

// inTime reports whether the kernel told its time.
func inTime(t *testing.T, l net.Listener) bool {
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	c := New(client)
	say := func(text string) {
		if _, err := server.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	// there waits until the kernel has something, and leaves it there.
	there := func() {
		c.SetEnd(time.Now().Add(10 * time.Second))
		for {
			if n, _, _ := c.stamper.peek(make([]byte, 10)); n > 0 {
				return
			}
		}
	}
	buf := make([]byte, 10)

	before := time.Now()
	say("late")
	there()
	c.SetEnd(before)
	if n, err := c.Read(buf); n != 0 || !IsTimeout(err) {
		t.Errorf("read %q, %v after the end of the wait", buf[:n], err)
	}
	c.SetEnd(time.Now().Add(10 * time.Second))
	if n, err := c.Read(buf); string(buf[:n]) != "late" || err != nil {
		t.Errorf("then read %q, %v", buf[:n], err)
	}

	say("in time")
	there()
	c.SetEnd(time.Now()) // has passed when Read looks at it
	n, err := c.Read(buf)
	if c.Source != KernelTime {
		return false
	}
	if string(buf[:n]) != "in time" || err != nil {
		t.Errorf("read %q, %v, which had come in time", buf[:n], err)
	}
	if n, err := c.Read(buf); n != 0 || !IsTimeout(err) {
		t.Errorf("read %q, %v where nothing is", buf[:n], err)
	}
	c.Abort()
	say("aborted")
	if n, err := c.Read(buf); n != 0 || !IsTimeout(err) {
		t.Errorf("read %q, %v from an aborted connection", buf[:n], err)
	}
	return !t.Failed()
}
