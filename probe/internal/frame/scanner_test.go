package frame

import (
	"bytes"
	"testing"

	"github.com/wsprobe/wsprobe/probe/wstest"
)

// outcome is all that a scanner says of a stream.
type outcome struct {
	breach              string
	code, messages      int
	pong, closed        bool
	closeCode           int
	closeReason         string
	inMessage, inHeader bool
	passed              string // what is read as data
	compressed          string // messages, one character each
}

// judge scans a stream in pieces.
func judge(stream, cuts []byte, deflate bool) outcome {
	s := Scanner{Parser: Parser{limit: 1000, deflate: deflate}, wantPong: "mine"}
	var v outcome
	var data bytes.Buffer
	for _, chunk := range wstest.Chunks(stream, cuts) {
		if b := s.Scan(chunk, &data); b != nil {
			v.breach, v.code = b.About, b.Code
			break
		}
	}
	v.passed = data.String()
	v.messages, v.pong, v.closed, v.closeCode, v.closeReason = s.messages, s.pong, s.closed, int(s.closeCode), s.closeReason
	v.inMessage, v.inHeader = s.inMessage, s.headerLen > 0
	for _, compressed := range s.compressed {
		v.compressed += map[bool]string{false: "-", true: "c"}[compressed]
	}
	return v
}

// FuzzFrameScanner: however a stream is cut, the outcome is the same, and nothing makes the scanner panic. What it
// passes on of compressed messages is sound without compression.
func FuzzFrameScanner(f *testing.F) {
	for _, frames := range [][]wstest.Frame{
		{wstest.Text("hello"), wstest.Binary("\xff")}, wstest.Fragments(wstest.OpText, "a", "", "b"),
		{wstest.Ping("x"), wstest.Pong("mine"), wstest.Close(1000, "bye"), wstest.Text("after")},
		{{Opcode: wstest.OpText, Payload: "x", Masked: true}}, {{Opcode: 11}}, {{Opcode: 3}}, {{Opcode: wstest.OpText, RSV: 4}},
		{{Opcode: wstest.OpText, Payload: "x", Length: wstest.Length16}}, {{Opcode: wstest.OpText, Payload: "x", Length: wstest.Length64}},
		{{Opcode: wstest.OpText, Announce: 1 << 63}}, {{Opcode: wstest.OpText, Announce: 1<<63 - 1}}, {{Opcode: wstest.OpText, Announce: 1001}},
		{wstest.Close(1005, "")}, {wstest.Close(999, "")}, {{Opcode: wstest.OpClose, Payload: "x"}}, {wstest.Close(1008, "\xff")},
		{{Opcode: wstest.OpText, Payload: "a", RSV: 4, More: true}, wstest.Ping("x"), {Payload: "b"}, wstest.Text("c"), wstest.Compressed("d")},
		{{Opcode: wstest.OpPing, RSV: 4}}, {{Opcode: wstest.OpText, More: true}, {RSV: 4}}, {{Opcode: wstest.OpText, RSV: 4, Announce: 7000}},
		{{Opcode: wstest.OpText, Payload: "a", More: true}, wstest.Text("b")}, {{Payload: "a"}}, {{Opcode: wstest.OpPing, More: true}},
	} {
		var stream string
		for _, frame := range frames {
			stream += frame.Bytes()
		}
		f.Add([]byte(stream), []byte("\x01"))
		f.Add([]byte(stream), []byte("\x03\x00\x02"))
	}
	f.Fuzz(func(t *testing.T, stream, cuts []byte) {
		for _, deflate := range []bool{false, true} {
			whole, cut := judge(stream, nil, deflate), judge(stream, cuts, deflate)
			if whole != cut {
				t.Fatalf("%x: whole %+v, cut %+v", stream, whole, cut)
			}
			if whole.breach != "" && whole.code != CloseProtocol && whole.code != CloseInvalidData && whole.code != CloseTooBig {
				t.Fatalf("breach %q answered by %d", whole.breach, whole.code)
			}
			plain := Scanner{Parser: Parser{limit: 1 << 20}}
			if b := plain.Scan([]byte(whole.passed), &bytes.Buffer{}); b != nil || whole.breach == "" && plain.messages != whole.messages {
				t.Fatalf("%x passes on what is a breach: %v, %d messages", stream, b, plain.messages)
			}
		}
	})
}

// TestDataBytes holds that a breach and a close frame end the stream exactly there: what is in front of them still
// counts, and what comes after them does not. Control frames are not among the data.
func TestDataBytes(t *testing.T) {
	good := wstest.Text("good").Bytes()
	for name, tail := range map[string]string{
		"breach":      wstest.Frame{Opcode: 11, Payload: "x"}.Bytes(),
		"close frame": wstest.Close(1000, "bye").Bytes() + good,
	} {
		s, data := Scanner{Parser: Parser{limit: 1000}}, bytes.Buffer{}
		b := s.Scan([]byte(good+wstest.Ping("x").Bytes()+good+wstest.Pong("y").Bytes()+tail), &data)
		if data.String() != good+good || s.messages != 2 || (b != nil) == s.closed {
			t.Errorf("%s: %x passed on, %d messages, breach %v", name, data.Bytes(), s.messages, b)
		}
	}
}
