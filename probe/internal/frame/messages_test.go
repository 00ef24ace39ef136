package frame

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/probe/internal/tcp"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// script is a connection that says a text and then ends, and keeps what it is told.
type script struct {
	net.Conn
	says io.Reader
	told strings.Builder
}

func (c *script) Read(p []byte) (int, error)  { return c.says.Read(p) }
func (c *script) Write(p []byte) (int, error) { return c.told.Write(p) }

// scripted is a stream whose endpoint says frames.
func scripted(deflate *Deflate, frames ...wstest.Frame) (*Stream, *script) {
	var says strings.Builder
	for _, f := range frames {
		says.WriteString(f.Bytes())
	}
	c := &script{says: strings.NewReader(says.String())}
	raw := tcp.New(c)
	return NewStream(raw, raw, Options{Limit: 1 << 20, Chunk: make([]byte, 1000), Compression: deflate}), c
}

// TestMessagesAreRead: whole, in order, whichever frames they came in.
func TestMessagesAreRead(t *testing.T) {
	long, huge := strings.Repeat("l", 300), strings.Repeat("h", 70_000)
	w, _ := scripted(nil, wstest.Text("one"), wstest.Frame{Opcode: wstest.OpBinary, Payload: "t", More: true}, wstest.Ping("x"),
		wstest.Frame{Payload: "w", More: true}, wstest.Frame{More: true}, wstest.Frame{Payload: "o"}, wstest.Text(long),
		wstest.Text(huge), wstest.Text(""), wstest.Frame{Opcode: wstest.OpText, Payload: "cut short", More: true})
	for _, want := range []struct {
		opcode  byte
		message string
	}{{Text, "one"}, {Binary, "two"}, {Text, long}, {Text, huge}, {Text, ""}} {
		opcode, err := w.Next()
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(w.Payload())
		if err != nil || string(got) != want.message || opcode != want.opcode {
			t.Errorf("got %d bytes with opcode %d, %v, want %d with %d", len(got), opcode, err, len(want.message), want.opcode)
		}
	}
	if _, err := w.Next(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(w.Payload()); string(got) != "cut short" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestNextPassesOver what was not read of the message before.
func TestNextPassesOver(t *testing.T) {
	w, _ := scripted(nil, wstest.Frame{Opcode: wstest.OpText, Payload: strings.Repeat("x", 2000), More: true},
		wstest.Frame{Payload: "rest"}, wstest.Text("next"))
	for range 2 {
		if _, err := w.Next(); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := io.ReadAll(w.Payload()); err != nil || string(got) != "next" {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestSendWritesOneFrame: masked, in the shortest form of its length, and compressed if that was agreed upon.
func TestSendWritesOneFrame(t *testing.T) {
	for _, size := range []int{0, 1, 125, 126, 986, 987, 0xffff, 0x10000, 200_000} {
		message := strings.Repeat("abcdefg", size/7+1)[:size]
		w, c := scripted(nil)
		if err := w.Send(Binary, []byte(message)); err != nil {
			t.Fatal(err)
		}
		if first, got := unmask(t, c.told.String()); got != message || first != 0x80|Binary {
			t.Errorf("%d bytes: got %d with the first byte %x", size, len(got), first)
		}
		w, c = scripted(&Deflate{forgets: true})
		if err := w.Send(Text, []byte(message)); err != nil {
			t.Fatal(err)
		}
		first, packed := unmask(t, c.told.String())
		if size == 0 && first == 0x80|Text {
			continue
		}
		got, _, err := NewInflater().Whole(nil, []byte(packed), nil, 1<<20)
		if err != nil || string(got) != message || first != 0x80|rsv1|Text {
			t.Errorf("%d bytes: got %d compressed with the first byte %x, %v", size, len(got), first, err)
		}
	}
}

// unmask takes the one frame of a client apart.
func unmask(t *testing.T, frame string) (first byte, payload string) {
	t.Helper()
	head, size := 2, uint64(frame[1]&0x7f)
	switch size {
	case 126:
		head, size = 4, uint64(binary.BigEndian.Uint16([]byte(frame[2:])))
	case 127:
		head, size = 10, binary.BigEndian.Uint64([]byte(frame[2:]))
	}
	mask, masked := frame[head:head+4], []byte(frame[head+4:])
	short := head == 2 || head == 4 && size > 125 || size > 0xffff
	if frame[1]&0x80 == 0 || !short || uint64(len(masked)) != size {
		t.Fatalf("a head %x, and %d bytes behind it", frame[:head], len(masked))
	}
	for i := range masked {
		masked[i] ^= mask[i%4]
	}
	return frame[0], string(masked)
}
