package e2e

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/wsprobe/wsprobe/deploy/e2e/lab"
)

// noLimit passes where no limit is known.
const noLimit = 17 << 20

// receivers are the libraries, with what a Pong of each says and which message is too long for it as it comes. The page
// of streams has the table.
var receivers = map[string]struct {
	// ahead: the Pong leaves before the program has the message. Else it proves that the program has it.
	ahead bool
	pings string // of two Pings that came at once: which Pongs come
	limit int    // of a message in bytes; 0 if 17 MiB pass
	ends  string // after a longer message: the close code, or "cut"
}{
	"ws":             {pings: "a b", limit: 100 << 20, ends: "1009"},
	"websocket":      {pings: "a b", limit: 64 << 10, ends: "1009"},
	"faye-websocket": {pings: "a b", limit: 1<<26 - 1, ends: "1009"},
	"websockets":     {pings: "a b", ahead: true, limit: 1 << 20, ends: "1009"},
	"aiohttp":        {pings: "a b", limit: 4<<20 - 1, ends: "1009"},
	"tornado":        {pings: "a b", limit: 10 << 20, ends: "1009"},
	"websocketd":     {pings: "a b", ahead: true},
	"coder":          {pings: "a b", limit: 32 << 10, ends: "1009"},
	"gorilla":        {pings: "a b"},
	"gobwas":         {pings: "a b"},
	"gws":            {pings: "a b", limit: 16 << 20, ends: "1009"},
	"x-net":          {pings: "a b"},
	"benthos":        {pings: "a b"},
}

// TestPongsOfReceivers sends messages and Pings to every receiver, and compares what comes back with the table.
func TestPongsOfReceivers(t *testing.T) {
	t.Parallel()
	for library, want := range receivers {
		t.Run(library, func(t *testing.T) {
			t.Parallel()
			slow := newReceiver(t, library, "slow")
			conn := dialRaw(t, slow.addr+"/")
			conn.write(t, ws.NewTextFrame([]byte(`{"id":"first"}`)))
			conn.write(t, ws.NewPingFrame([]byte("a")), ws.NewPingFrame([]byte("b")))
			first := conn.pong(t)
			ahead := len(slow.messages(t)) == 0
			if pings := strings.TrimSpace(first + " " + conn.pong(t)); pings != want.pings {
				t.Errorf("Pongs %q after the Pings a and b, want %q", pings, want.pings)
			}
			if ahead != want.ahead {
				t.Errorf("a Pong ahead of the program: %v, want %v", ahead, want.ahead)
			}
			r, longest := newReceiver(t, library, ""), cmp.Or(want.limit, noLimit)
			if end := r.send(t, longest); end != "" {
				t.Errorf("a message of %d bytes ends the connection: %s", longest, end)
			}
			if want.limit == 0 {
				return
			}
			if end := r.send(t, longest+1); end != want.ends {
				t.Errorf("a message of %d bytes: %q, want %q", longest+1, end, want.ends)
			}
		})
	}
}

// send sends a message of some length, and tells how the connection ended. It is empty if the program has the message.
func (r *receiver) send(t *testing.T, length int) (end string) {
	t.Helper()
	before := r.size(t)
	conn := dialRaw(t, r.addr+"/")
	sent := make(chan error, 1)
	go func() {
		sent <- ws.WriteFrame(conn.Conn, ws.MaskFrame(ws.NewTextFrame([]byte(strings.Repeat("x", length)))))
	}()
	ended := make(chan string, 1)
	go func() { ended <- conn.end() }()
	lab.Eventually(t, serverLimit, fmt.Sprintf("a message of %d bytes or the end", length), func() (bool, string) {
		select {
		case end = <-ended:
			return true, ""
		default:
		}
		return r.size(t) > before+int64(length), "" // base64 is longer
	})
	conn.Close()
	<-sent
	return end
}

// size is that of the file with what the receiver wrote down.
func (r *receiver) size(t *testing.T) int64 {
	t.Helper()
	info, err := os.Stat(r.file)
	if err != nil {
		return 0
	}
	return info.Size()
}

// rawConn is a connection whose frames are written and read one by one, so that no library answers or waits.
type rawConn struct {
	net.Conn
	in io.Reader // with what came behind the answer to the handshake
}

func dialRaw(t *testing.T, addr string) rawConn {
	t.Helper()
	conn, early, _, err := ws.Dial(t.Context(), "ws://"+addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(serverLimit)); err != nil {
		t.Fatal(err)
	}
	if early == nil {
		return rawConn{conn, conn}
	}
	return rawConn{conn, io.MultiReader(io.LimitReader(early, int64(early.Buffered())), conn)}
}

// write sends frames in one piece.
func (c rawConn) write(t *testing.T, frames ...ws.Frame) {
	t.Helper()
	var all []byte
	for _, f := range frames {
		all = append(all, ws.MustCompileFrame(ws.MaskFrame(f))...)
	}
	if _, err := c.Write(all); err != nil {
		t.Fatal(err)
	}
}

// read returns the next frame.
func (c rawConn) read() (op ws.OpCode, payload []byte, err error) {
	header, err := ws.ReadHeader(c.in)
	if err != nil {
		return 0, nil, err
	}
	payload = make([]byte, header.Length)
	_, err = io.ReadFull(c.in, payload)
	return header.OpCode, payload, err
}

// pong returns the payload of the next Pong.
func (c rawConn) pong(t *testing.T) string {
	t.Helper()
	for {
		op, payload, err := c.read()
		if err != nil {
			t.Fatal(err)
		}
		if op == ws.OpPong {
			return string(payload)
		}
	}
}

// end reads until the connection ends, and tells how.
func (c rawConn) end() string {
	for {
		op, payload, err := c.read()
		switch {
		case errors.Is(err, io.EOF):
			return "cut"
		case err != nil:
			return err.Error()
		case op == ws.OpClose:
			code, _ := ws.ParseCloseFrameData(payload)
			return fmt.Sprint(int(code))
		}
	}
}
