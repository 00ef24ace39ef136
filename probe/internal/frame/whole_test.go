package frame

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/probe/wstest"
)

// TestAppendMessage holds the three forms of a length (RFC 6455 5.2) and the mask of a client's data frame.
func TestAppendMessage(t *testing.T) {
	for _, n := range []int{0, 1, 125, 126, 0xffff, 0x10000} {
		message := bytes.Repeat([]byte("m"), n)
		said := AppendMessage([]byte("x"), Text, message)[1:]
		head := len(wstest.Text(string(message)).Bytes()) - n
		if said[0] != 0x81 || said[1]&0x80 == 0 || len(said) != head+4+n {
			t.Fatalf("%d bytes: %x of %d bytes", n, said[:min(14, len(said))], len(said))
		}
		mask, body := said[head:head+4], said[head+4:]
		for i := range body {
			body[i] ^= mask[i%4]
		}
		if !bytes.Equal(body, message) {
			t.Errorf("%d bytes: unmasked it is another message", n)
		}
	}
}

// TestInflaterWhole: one inflater serves connections in turn, each with its own window, and none beyond its limit.
func TestInflaterWhole(t *testing.T) {
	f := NewInflater()
	long := strings.Repeat("abc", 50_000)
	deflater := wstest.NewDeflater()
	payload, later := []byte(deflater.Message(long)), []byte(deflater.Message("abcabcabc"))
	message, window, err := f.Whole(nil, payload, nil, 1<<20)
	if err != nil || string(message) != long || len(window) != deflateWindow {
		t.Fatalf("%d bytes, window of %d, %v", len(message), len(window), err)
	}
	if other, _, err := f.Whole([]byte("behind "), []byte(wstest.NewDeflater().Message("b")), nil, 10); err != nil || string(other) != "behind b" {
		t.Errorf("%q, %v", other, err)
	}
	if again, _, err := f.Whole(nil, later, window, 10); err != nil || string(again) != "abcabcabc" {
		t.Errorf("with its window: %q, %v", again, err)
	}
	var breach *Breach
	if _, _, err := f.Whole(nil, payload, nil, 1000); !errors.As(err, &breach) || breach.Code != CloseTooBig {
		t.Errorf("over the limit: %v", err)
	}
	if _, _, err := f.Whole(nil, payload[:len(payload)/2], nil, 1<<20); !errors.As(err, &breach) || breach.Code != CloseInvalidData {
		t.Errorf("cut short: %v", err)
	}
}
