package e2e

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The opcodes of RFC 6455 that these tests look at.
const (
	opText   = 1
	opBinary = 2
	opClose  = 8
	opPing   = 9
	opPong   = 10
)

// wireConn is a WebSocket connection as the packets tell it.
type wireConn struct {
	path   string
	opened time.Time // the last byte of the response, whose status is 101
	events []wireEvent
}

// wireEvent is a frame, the end of a direction (FIN) or of the connection (RST).
type wireEvent struct {
	at         time.Time
	fromServer bool
	fin, rst   bool
	opcode     byte // of a frame
	size       int  // of a frame with its header
	payload    []byte
}

// halves are both directions of a TCP connection.
type halves struct {
	conn             wireConn
	client, server   half
	request, refused bool
}

// half is one direction.
type half struct {
	next   uint32 // the sequence number that follows
	unread []byte
	ended  bool
}

// assemble makes WebSocket connections of packets, by their path. Connections that were refused are not among them.
func assemble(t *testing.T, list []packet, port uint16) map[string][]*wireConn {
	t.Helper()
	open, found := map[uint16]*halves{}, map[string][]*wireConn{}
	for _, p := range list {
		fromServer := p.from == port
		client := p.from
		if fromServer {
			client = p.to
		}
		if p.syn && !fromServer {
			open[client] = &halves{}
		}
		c := open[client]
		if c == nil {
			continue // the test asked whether somebody listens, before the capture
		}
		wasOpen := !c.conn.opened.IsZero()
		c.take(t, p, fromServer)
		if !wasOpen && !c.conn.opened.IsZero() {
			found[c.conn.path] = append(found[c.conn.path], &c.conn)
		}
	}
	return found
}

// take takes the next packet.
func (c *halves) take(t *testing.T, p packet, fromServer bool) {
	t.Helper()
	h := &c.client
	if fromServer {
		h = &c.server
	}
	if p.syn {
		h.next = p.seq + 1
		return
	}
	if p.rst {
		c.conn.events = append(c.conn.events, wireEvent{at: p.at, fromServer: fromServer, rst: true})
		return
	}
	payload := p.payload
	if again := int32(h.next - p.seq); again < 0 {
		t.Fatal("the capture has a gap")
	} else if int(again) >= len(payload) {
		payload = nil // sent again
	} else {
		payload = payload[again:]
	}
	h.next += uint32(len(payload))
	h.unread = append(h.unread, payload...)
	c.read(t, h, p.at, fromServer)
	if p.fin && !h.ended {
		h.ended = true
		h.next++
		c.conn.events = append(c.conn.events, wireEvent{at: p.at, fromServer: fromServer, fin: true})
	}
}

// read takes what is whole among the bytes of a direction: first the head of the request or the response, then frames.
func (c *halves) read(t *testing.T, h *half, at time.Time, fromServer bool) {
	t.Helper()
	if !fromServer && !c.request || fromServer && c.conn.opened.IsZero() && !c.refused {
		head, rest, whole := bytes.Cut(h.unread, []byte("\r\n\r\n"))
		if !whole {
			return
		}
		h.unread = rest
		c.head(t, head, at, fromServer)
	}
	if c.refused {
		h.unread = nil
	}
	for {
		e, size := frameOf(h.unread)
		if size == 0 {
			return
		}
		h.unread = h.unread[size:]
		e.at, e.fromServer = at, fromServer
		c.conn.events = append(c.conn.events, e)
	}
}

// head takes the head of the request or of the response.
func (c *halves) head(t *testing.T, head []byte, at time.Time, fromServer bool) {
	t.Helper()
	line, _, _ := strings.Cut(string(head), "\r\n")
	words := strings.Fields(line)
	if len(words) < 2 {
		t.Fatalf("the first line is %q", line)
	}
	switch {
	case !fromServer:
		request, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(append(head, "\r\n\r\n"...))))
		if err != nil {
			t.Fatal(err)
		}
		c.request, c.conn.path = true, request.URL.Path
	case words[1] == strconv.Itoa(http.StatusSwitchingProtocols):
		c.conn.opened = at
	default:
		c.refused = true
	}
}

// frameOf takes the first frame of the bytes apart. Its size is 0 if it is not whole.
func frameOf(b []byte) (e wireEvent, size int) {
	if len(b) < 2 {
		return e, 0
	}
	length, head := int(b[1]&0x7f), 2
	switch {
	case length == 126 && len(b) >= 4:
		length, head = int(binary.BigEndian.Uint16(b[2:])), 4
	case length == 127 && len(b) >= 10:
		length, head = int(binary.BigEndian.Uint64(b[2:])), 10
	case length > 125:
		return e, 0
	}
	var mask []byte
	if b[1]&0x80 != 0 && len(b) >= head+4 {
		mask = b[head : head+4]
	}
	if b[1]&0x80 != 0 {
		head += 4
	}
	if size = head + length; len(b) < size {
		return e, 0
	}
	payload := bytes.Clone(b[head:size])
	for i := range payload {
		if mask != nil {
			payload[i] ^= mask[i%4]
		}
	}
	return wireEvent{opcode: b[0] & 0x0f, size: size, payload: payload}, size
}
