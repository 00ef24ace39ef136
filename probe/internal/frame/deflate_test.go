package frame

import (
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// TestAcceptDeflate: what a server may answer to the offer, and what it may not (RFC 7692 7.1, RFC 6455 9.1).
func TestAcceptDeflate(t *testing.T) {
	for _, test := range []struct {
		values string // lines are header fields
		want   string // what was agreed, or after "! " the problem
	}{
		{"", ""},
		{" , ,", ""},
		{"permessage-deflate", "permessage-deflate"},
		{", permessage-deflate ,", "permessage-deflate"},
		{"\npermessage-deflate", "permessage-deflate"},
		{"permessage-deflate;server_no_context_takeover", "permessage-deflate; server_no_context_takeover"},
		{"permessage-deflate ; client_no_context_takeover ; server_max_window_bits = 15",
			"permessage-deflate; client_no_context_takeover; server_max_window_bits=15"},
		{`permessage-deflate; server_max_window_bits="8"`, "permessage-deflate; server_max_window_bits=8"},
		{`permessage-deflate; server_max_window_bits="1\0"`, "permessage-deflate; server_max_window_bits=10"},
		{"x-made-up", "! which was not offered"},
		{"Permessage-Deflate", "! which was not offered"},
		{`"permessage-deflate"`, "! which was not offered"},
		{"permessage-deflate, x-made-up", "! which was not offered"},
		{"x-made-up; a=\"b,permessage-deflate\"", "! which was not offered"},
		{"; server_no_context_takeover", "! which was not offered"},
		{"permessage-deflate, permessage-deflate", "! which is there twice"},
		{"permessage-deflate\npermessage-deflate; server_no_context_takeover", "! which is there twice"},
		{"permessage-deflate; made_up_param", "! with a parameter that RFC 7692 does not know"},
		{"permessage-deflate;", "! with a parameter that RFC 7692 does not know"},
		{"permessage-deflate; SERVER_NO_CONTEXT_TAKEOVER", "! with a parameter that RFC 7692 does not know"},
		{"permessage-deflate; server_no_context_takeover; server_no_context_takeover", "! with the parameter server_no_context_takeover twice"},
		{"permessage-deflate; server_max_window_bits=9; server_max_window_bits=9", "! with the parameter server_max_window_bits twice"},
		{"permessage-deflate; server_no_context_takeover=true", "! with a value for server_no_context_takeover, which takes none"},
		{"permessage-deflate; client_no_context_takeover=", "! with a value for client_no_context_takeover, which takes none"},
		{"permessage-deflate; server_max_window_bits", "! with a value for server_max_window_bits that is not from 8 to 15"},
		{"permessage-deflate; server_max_window_bits=7", "! with a value for server_max_window_bits that is not from 8 to 15"},
		{"permessage-deflate; server_max_window_bits=16", "! with a value for server_max_window_bits that is not from 8 to 15"},
		{"permessage-deflate; server_max_window_bits=08", "! with a value for server_max_window_bits that is not from 8 to 15"},
		{"permessage-deflate; server_max_window_bits=+9", "! with a value for server_max_window_bits that is not from 8 to 15"},
		{`permessage-deflate; server_max_window_bits="9`, "! with a value for server_max_window_bits that is not from 8 to 15"},
		{"permessage-deflate; client_max_window_bits=15", "! with client_max_window_bits, which was not offered (RFC 7692 7.1.2.2)"},
		{"permessage-deflate; client_max_window_bits", "! with client_max_window_bits, which was not offered (RFC 7692 7.1.2.2)"},
	} {
		values := strings.Split(test.values, "\n")
		agreed, problem := AcceptDeflate(values, true)
		got := ""
		if agreed != nil {
			got = agreed.String()
		}
		if problem != "" {
			got += "! " + problem
		}
		if got != test.want {
			t.Errorf("%q: %q, want %q", test.values, got, test.want)
		}
		if agreed != nil && agreed.takeover == strings.Contains(test.values, "server_no") {
			t.Errorf("%q: takeover %v", test.values, agreed.takeover)
		}
		if strings.Trim(test.values, " ,") != "" {
			if agreed, problem := AcceptDeflate(values, false); agreed != nil || problem != "which was not offered" {
				t.Errorf("%q, not offered: %v, %q", test.values, agreed, problem)
			}
		}
	}
}

// inflateAll inflates payloads that came one after the other, and stops at the first that cannot be.
func inflateAll(limit int64, payloads ...string) ([]string, error) {
	scan := &Scanner{Parser: Parser{deflate: true}}
	f := &Inflater{scan: scan, limit: limit, takeover: true}
	var texts []string
	for _, payload := range payloads {
		scan.compressed = append(scan.compressed, true)
		text, err := io.ReadAll(f.Message(strings.NewReader(payload)))
		if err != nil {
			return texts, err
		}
		texts = append(texts, string(text))
	}
	return texts, nil
}

// TestInflateEveryPrefix: a message that was cut short is no message, wherever the cut is.
func TestInflateEveryPrefix(t *testing.T) {
	text := strings.Repeat("a sentence that comes again and again, ", 20) + "and its end"
	payload := wstest.NewDeflater().Message(text)
	for n := 1; n < len(payload); n++ {
		_, err := inflateAll(1<<20, payload[:n])
		var b *Breach
		if !errors.As(err, &b) || b.Type != reasons.ProtocolError || b.Code != CloseInvalidData {
			t.Errorf("%d of %d bytes: %v", n, len(payload), err)
		}
	}
	if got, err := inflateAll(int64(len(text)), payload); err != nil || got[0] != text {
		t.Errorf("the whole: %q, %v", got, err)
	}
	if _, err := inflateAll(int64(len(text))-1, payload); err == nil || err.Error() != tooBig(int64(len(text))-1).About {
		t.Errorf("one byte over the limit: %v", err)
	}
}

// TestInflateMemory: the size of a message does not matter to the memory that inflating it takes.
func TestInflateMemory(t *testing.T) {
	payload := wstest.Bomb(64)
	scan := &Scanner{compressed: []bool{true}}
	f := &Inflater{scan: scan, limit: 1 << 30, takeover: true}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, f.Message(strings.NewReader(payload)), make([]byte, 4096))
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; err != nil || n != 64<<20 || took > 512<<10 {
		t.Errorf("%d bytes, %v, with %d KiB", n, err, took>>10)
	}
}

// TestInflateKeepsErrors: why a payload could not be read is no fault of the compression.
func TestInflateKeepsErrors(t *testing.T) {
	odd := errors.New("odd")
	payload := wstest.NewDeflater().Message("hello")
	for n := range len(payload) + 1 {
		scan := &Scanner{compressed: []bool{true}}
		f := &Inflater{scan: scan, limit: 100}
		_, err := io.ReadAll(f.Message(io.MultiReader(strings.NewReader(payload[:n]), failing{odd})))
		if !errors.Is(err, odd) {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// FuzzInflate: whatever is compressed comes back, message by message, and whatever is not compressed ends in a
// breach or within the limit.
func FuzzInflate(f *testing.F) {
	f.Add("hello", "hello", "\x00")
	f.Add("", strings.Repeat("x", 70_000), "\x03\x00\x03\x00")
	f.Add("a", "b", wstest.Bomb(2))
	f.Add("a", "b", wstest.NewDeflater().Final("a")+"\xff")
	f.Fuzz(func(t *testing.T, first, second, payload string) {
		d := wstest.NewDeflater()
		got, err := inflateAll(1<<20, d.Message(first), d.Flushed(second), d.Message(first))
		if len(first) <= 1<<20 && len(second) <= 1<<20 && (err != nil || got[0] != first || got[1] != second || got[2] != first) {
			t.Fatalf("%.50q, %.50q: %v", first, second, err)
		}
		got, err = inflateAll(1000, payload)
		var b *Breach
		if err != nil && !errors.As(err, &b) || err == nil && len(got[0]) > 1000 {
			t.Fatalf("%x: %d texts, %v", payload, len(got), err)
		}
	})
}
