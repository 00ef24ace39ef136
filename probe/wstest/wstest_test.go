package wstest

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func pipe(t *testing.T) (client, server net.Conn) {
	client, server = Pipe(netip.MustParseAddrPort("192.0.2.9:81"))
	t.Cleanup(func() { _ = client.Close(); _ = server.Close() })
	return client, server
}

func read(c net.Conn) string {
	buf := make([]byte, 100)
	n, err := c.Read(buf)
	if err != nil {
		return err.Error()
	}
	return string(buf[:n])
}

func TestPipe(t *testing.T) {
	client, server := pipe(t)
	try := client.(interface{ TryRead([]byte) (int, error) })
	if n, err := try.TryRead(make([]byte, 9)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("nothing there: %d, %v", n, err)
	}
	if _, err := io.WriteString(server, "hello"); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 3)
	if n, err := try.TryRead(buf); n != 3 || err != nil || string(buf) != "hel" {
		t.Errorf("%q, %v", buf[:n], err)
	}
	if err := server.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got := read(client); got != "lo" {
		t.Errorf("got %q", got)
	}
	if _, err := client.Read(buf); err != io.EOF {
		t.Errorf("after the end: %v", err)
	}
	if _, err := io.WriteString(client, "still"); err != nil || read(server) != "still" {
		t.Errorf("the other direction: %v", err)
	}
	if client.RemoteAddr().String() != "192.0.2.9:81" || server.LocalAddr().String() != "192.0.2.9:81" {
		t.Errorf("addresses %v, %v", client.RemoteAddr(), server.LocalAddr())
	}
}

func TestPipeReset(t *testing.T) {
	for name, end := range map[string]func(server net.Conn){
		"linger": func(server net.Conn) { _ = server.(interface{ SetLinger(int) error }).SetLinger(0) },
		"unread": func(net.Conn) {},
	} {
		client, server := pipe(t)
		if _, err := io.WriteString(client, "unread"); err != nil {
			t.Fatal(err)
		}
		if name == "linger" {
			read(server)
		}
		_, _ = io.WriteString(server, "last words")
		end(server)
		_ = server.Close()
		if got := read(client); got != "last words" {
			t.Errorf("%s: got %q", name, got)
		}
		if _, err := client.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := client.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("%s: writing: %v", name, err)
		}
		if _, err := server.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: after Close: %v", name, err)
		}
	}
}

func TestPipeDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _ := pipe(t)
		begin := time.Now()
		_ = client.SetDeadline(begin.Add(time.Second))
		if _, err := client.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) ||
			time.Since(begin) != time.Second {
			t.Errorf("read: %v after %v", err, time.Since(begin))
		}
		if n, err := client.Write(make([]byte, 1)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("write: %d, %v", n, err)
		}
		_ = client.SetDeadline(time.Now().Add(time.Second))
		if n, err := client.Write(make([]byte, 1<<20)); n != flowSize || !errors.Is(err, os.ErrDeadlineExceeded) ||
			time.Since(begin) != 2*time.Second {
			t.Errorf("long write: %d, %v after %v", n, err, time.Since(begin))
		}
		time.AfterFunc(time.Second, func() { _ = client.SetDeadline(time.Unix(1, 0)) })
		_ = client.SetDeadline(time.Time{})
		if _, err := client.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) ||
			time.Since(begin) != 3*time.Second {
			t.Errorf("aborted: %v after %v", err, time.Since(begin))
		}
	})
}

func TestFrameBytes(t *testing.T) {
	for want, f := range map[string]Frame{
		"\x81\x05Hello": Text("Hello"), // the examples of RFC 6455 5.7
		"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58": {Opcode: OpText, Payload: "Hello", Masked: true},
		"\x01\x03Hel":   {Opcode: OpText, Payload: "Hel", More: true},
		"\x80\x02lo":    {Payload: "lo"},
		"\x89\x05Hello": Ping("Hello"),
		"\x82\x7e\x01\x00" + strings.Repeat("x", 256):                           Binary(strings.Repeat("x", 256)),
		"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00" + strings.Repeat("x", 65536): Binary(strings.Repeat("x", 65536)),
		"\x88\x05\x03\xe8bye": Close(1000, "bye"),
		"\x88\x00":            Close(1005, ""),
		"\xca\x7e\x00\x01x":   {Opcode: OpPong, Payload: "x", RSV: 4, Length: Length16},
	} {
		if got := f.Bytes(); got != want {
			t.Errorf("%+v: %q, want %q", f, got[:min(len(got), 20)], want[:min(len(want), 20)])
		}
	}
}

// TestClose ends scripts in whatever they wait for.
func TestClose(t *testing.T) {
	for name, script := range map[string]Script{
		"pause": func(c *Conn) { c.Pause(time.Hour) },
		"read":  func(c *Conn) { c.Read() },
		"hold":  func(c *Conn) { c.Hold() },
		"write": func(c *Conn) { c.Flood(strings.Repeat("x", 1000)) }, "request": func(c *Conn) { c.Request() },
	} {
		for transport, serve := range map[string]func(Script) *Server{
			"memory": Memory, "tcp": Start, "tls": func(s Script) *Server { return StartTLS(s, nil) },
		} {
			started := make(chan struct{})
			s := serve(func(c *Conn) { close(started); script(c) })
			conn, err := s.Dial(context.Background(), netip.MustParseAddrPort(memoryAddr))
			if err != nil {
				t.Fatal(err)
			}
			<-started
			s.Close()
			s.Close()
			s.Wait()
			if s.Connections() != 1 {
				t.Errorf("%s, %s: %d connections", name, transport, s.Connections())
			}
			if _, err := s.Dial(context.Background(), netip.MustParseAddrPort(memoryAddr)); err == nil {
				t.Errorf("%s, %s: a closed server accepts", name, transport)
			}
			_ = conn.Close()
		}
	}
}

func TestCatalogueNames(t *testing.T) {
	seen := make(map[string]bool)
	for _, c := range Catalogue("text") {
		if c.Name == "" || c.Does == "" || c.Script == nil || seen[c.Name] ||
			strings.Trim(c.Name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			t.Errorf("case %+v", c)
		}
		seen[c.Name] = true
	}
}
