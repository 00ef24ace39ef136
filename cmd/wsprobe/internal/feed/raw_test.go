package feed

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// raw is a client without a library.
type raw struct {
	net.Conn
	in *bufio.Reader
}

func (s *served) raw(t *testing.T) *raw {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(bound))
	return &raw{c, bufio.NewReader(c)}
}

// ask sends a request line with fields, and returns the response.
func (r *raw) ask(t *testing.T, line string, fields ...string) *http.Response {
	t.Helper()
	if _, err := io.WriteString(r, line+"\r\nHost: "+r.RemoteAddr().String()+"\r\n"+strings.Join(fields, "\r\n")+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(r.in, nil)
	if err != nil {
		t.Fatal(err)
	}
	return response
}

// frame reads a frame of the server.
func (r *raw) frame() (opcode byte, text string, err error) {
	var head [2]byte
	if _, err = io.ReadFull(r.in, head[:]); err != nil {
		return 0, "", err
	}
	length := int(head[1] & 0x7f)
	if length == 126 {
		var long [2]byte
		_, err = io.ReadFull(r.in, long[:])
		length = int(binary.BigEndian.Uint16(long[:]))
	}
	payload := make([]byte, length)
	if err == nil {
		_, err = io.ReadFull(r.in, payload)
	}
	return head[0], string(payload), err
}

const upgrade, connection, version, key = "Upgrade: websocket", "Connection: keep-alive, Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="

// TestOpening holds the answers to openings as no library makes them.
func TestOpening(t *testing.T) {
	s := overTCP(t, Options{})
	const get = "GET /api/v1/stream HTTP/1.1"
	for _, c := range []struct {
		name, line string
		fields     []string
		want       int
	}{
		{"as it should be", get, []string{upgrade, connection, version, key}, 101},
		{"subprotocols and compression are offered", get, []string{upgrade, connection, version, key, "Sec-WebSocket-Protocol: a, b", "Sec-WebSocket-Extensions: permessage-deflate"}, 101},
		{"without a key", get, []string{upgrade, connection, version}, 400},
		{"with a bad key", get, []string{upgrade, connection, version, "Sec-WebSocket-Key: x"}, 400},
		{"an old version", get, []string{upgrade, connection, "Sec-WebSocket-Version: 8", key}, 400},
		{"another protocol", get, []string{"Upgrade: h2c", connection, version, key}, 426},
		{"without Connection", get, []string{upgrade, version, key}, 426},
		{"an old HTTP", "GET /api/v1/stream HTTP/1.0", []string{upgrade, connection, version, key}, 426},
		{"another method", "POST /api/v1/stream HTTP/1.1", []string{upgrade, connection, version, key, "Content-Length: 0"}, 405},
	} {
		t.Run(c.name, func(t *testing.T) {
			response := s.raw(t).ask(t, c.line, c.fields...)
			if response.StatusCode != c.want || response.Header.Get("Sec-WebSocket-Protocol")+response.Header.Get("Sec-WebSocket-Extensions") != "" {
				t.Errorf("%d %v, want %d", response.StatusCode, response.Header, c.want)
			}
		})
	}
	s.counts(t, Stats{Accepted: 2, Messages: whatever})
}

// TestBreaches holds how connections of clients end that do as no client should.
func TestBreaches(t *testing.T) {
	s := overTCP(t, Options{})
	masked := func(first byte, payload string) string {
		return string([]byte{first, 0x80 | byte(len(payload)), 0, 0, 0, 0}) + payload
	}
	for _, c := range []struct {
		name, bytes string
		want        int // close code, or 0 for none
	}{
		{"a frame without a mask", "\x81\x01x", 1002},
		{"a bit that stands for nothing", masked(0xc1, "x"), 1002},
		{"an unknown kind of frame", masked(0x83, "x"), 1002},
		{"a long Ping", string([]byte{0x89, 0xfe, 0, 200, 0, 0, 0, 0}) + strings.Repeat("x", 200), 1002},
		{"the middle of a message that did not begin", masked(0x80, "x"), 1002},
		{"a message of bytes is none of our business", masked(0x82, "\xff") + masked(0x88, "\x03\xe8"), 1000},
		{"a close frame", masked(0x88, "\x03\xe9bye"), 1001},
		{"a close frame without a code", masked(0x88, ""), 1005},
		{"a close frame with a code that there is not", masked(0x88, "\x03\xed"), 1002},
		{"a message without end", masked(0x01, "x") + strings.Repeat(masked(0x00, ""), 11000), 1008},
		{"Pings without end", strings.Repeat(masked(0x89, ""), 11000), 1008},
		{"nothing more, by FIN", "", 1002},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := s.raw(t)
			if response := r.ask(t, "GET /api/v1/stream HTTP/1.1", upgrade, connection, version, key); response.StatusCode != 101 {
				t.Fatal(response.Status)
			}
			go func() {
				_, _ = io.WriteString(r, c.bytes)
				if c.bytes == "" {
					_ = r.Conn.(*net.TCPConn).CloseWrite()
				}
			}()
			for {
				opcode, text, err := r.frame()
				if err != nil {
					t.Fatalf("no close frame: %v", err)
				}
				if opcode != 0x88 {
					continue
				}
				code := 1005
				if len(text) >= 2 {
					code = int(binary.BigEndian.Uint16([]byte(text)))
				}
				if code != c.want {
					t.Errorf("%d %q, want %d", code, text[min(2, len(text)):], c.want)
				}
				return
			}
		})
	}
	s.counts(t, Stats{Accepted: 12, Messages: whatever, Noisy: 2})
}
