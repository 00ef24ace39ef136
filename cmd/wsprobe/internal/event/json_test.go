package event

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe/shape"
)

// FuzzNumber: numbers are written as encoding/json writes them, but for those that JSON has no name for.
func FuzzNumber(f *testing.F) {
	for _, n := range []float64{0, 1, -1, 0.1, 12.5, 0.000001, 0.0000001, 1e-7, 31.25, 123456.789012, 1e15, 1e21, 1e300, 5e-324, 999999999.999999, 1.0000005, 0.3, math.Copysign(0, -1)} {
		f.Add(n)
	}
	f.Fuzz(func(t *testing.T, n float64) {
		want, err := json.Marshal(n)
		if err != nil {
			want = []byte("null")
		}
		got := appendFloat(nil, n)
		if bytes.ContainsRune(got, 'e') { // the exponent may have a zero in front
			var back float64
			if json.Unmarshal(got, &back) != nil || back != n {
				t.Errorf("%g is written %s", n, got)
			}
			return
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%g is written %s, want %s", n, got, want)
		}
		for _, scale := range []float64{1, 10, 1e3, 1e6} { // as are those with few digits
			few := math.Round(n*scale) / scale
			want, err := json.Marshal(few)
			if got := appendFloat(nil, few); err == nil && !bytes.ContainsRune(got, 'e') && !bytes.Equal(got, want) {
				t.Errorf("%g is written %s, want %s", few, got, want)
			}
		}
	})
}

// FuzzText: a text is read as it was, with a mark in the place of what is not UTF-8.
func FuzzText(f *testing.F) {
	for _, s := range []string{"", "a", "\"\\\n\r\t\b\f\x00\x7f", "é 漢 🦊 \u2028\u2029", "\xff\xfe\xff", "a\xffb", "\uFFFD\xff\uFFFD"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text := appendQuoted(nil, s)
		var back string
		if err := json.Unmarshal(text, &back); err != nil || back != string(bytes.ToValidUTF8([]byte(s), []byte("\uFFFD"))) {
			t.Errorf("%q is written %s: %v", s, text, err)
		}
	})
}

// FuzzTime: times are written as package time writes them.
func FuzzTime(f *testing.F) {
	f.Add(int64(0), int64(0))
	f.Add(int64(1767355200), int64(120000000))
	f.Add(int64(253402300799), int64(999999999))
	f.Add(int64(253402300800), int64(1))
	f.Add(int64(-62135596800), int64(0))
	f.Add(int64(-99999999999), int64(5))
	f.Fuzz(func(t *testing.T, seconds, nanoseconds int64) {
		at := time.Unix(seconds%1e12, nanoseconds)
		got, want := string(newStamp(shape.RFC3339).append(nil, at)), at.UTC().Format(time.RFC3339Nano)
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	})
}
