package match

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"
)

// TestSameNumber: numbers are compared as they are, and not as float64 rounds them.
func TestSameNumber(t *testing.T) {
	for _, test := range []struct {
		a, b string
		same bool
	}{
		{"653247040368672768", "6.532470403686728e+17", false}, {"653247040368672800", "6.532470403686728e+17", true},
		{"653247040368672768", "653247040368672768.0", true}, {"9007199254740993", "9007199254740992.0", false},
		{"9007199254740993", "9007199254740993.0", true}, {"1.000000000000000001", "1.000000000000000002", false},
		{"0.1", "0.1000000000000000055511151231257827", false},
		{"1e400", "1e401", false},
		{"1e400", "10e399", true},
		{"1e-400", "0", false},
		{"0", "-0", true},
		{"0", "-0.0", true},
		{"0", "0e5", true},
		{"-0e-5", "0.000", true},
		{"0e99999999999999999999", "0", true},
		{"100", "1e2", true},
		{"100", "1E+2", true},
		{"100", "1E0002", true},
		{"100", "0.1e3", true},
		{"100", "1000e-1", true},
		{"100", "10", false},
		{"1", "-1", false},
		{"-1", "-1.0", true},
		{"1.5", "15e-1", true},
		{"1.50", "1.5", true},
		{"0.5", "5e-1", true},
		{"0.05", "5e-1", false},
		{"1", "1e-1", false}, {"10.01", "1001e-2", true}, {"1001", "101", false},
		{"1e99999999999999999999", "1e99999999999999999999", true},
		{"1e99999999999999999999", "1e99999999999999999998", false},
		{"1e18446744073709551616", "1", false}, {"1e-9223372036854775808", "1e-9223372036854775807", false},
	} {
		if sameNumber(test.a, test.b) != test.same || sameNumber(test.b, test.a) != test.same {
			t.Errorf("%s and %s: not %v", test.a, test.b, test.same)
		}
	}
}

// TestSameNumberOfHostileServer: a megabyte of digits or of an exponent is read once.
func TestSameNumberOfHostileServer(t *testing.T) {
	digits := strings.Repeat("1", 1<<20)
	if !sameNumber(digits, digits+".0") || sameNumber(digits, "1e"+digits) || sameNumber("1e"+digits, "1") ||
		!sameNumber("0e"+digits, "0") {
		t.Error("a long number is taken for another")
	}
	if zeros := strings.Repeat("0", 1<<20); !sameNumber("1"+zeros, "1e1048576") ||
		!sameNumber("0."+zeros+"1", "1e-1048577") || !sameNumber("1e"+zeros+"2", "100") {
		t.Error("many zeros make another number")
	}
}

// FuzzSameNumber: two numbers are the same if math/big finds them so.
func FuzzSameNumber(f *testing.F) {
	for _, seed := range []string{"0", "-0", "1e2", "100", "1.50", "15e-1", "653247040368672768",
		"6.532470403686728e+17", "-0.001e3", "1E-7"} {
		f.Add(seed, "100")
		f.Add(seed, "1.5")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if !json.Valid([]byte(a)) || !json.Valid([]byte(b)) || len(a) > 40 || len(b) > 40 {
			return
		}
		for _, n := range []string{a, b} {
			if i := strings.IndexAny(n, "eE"); i >= 0 && len(strings.TrimLeft(n[i:], "eE+-0")) > 3 {
				return // math/big would take minutes
			}
		}
		x, okX := new(big.Rat).SetString(a)
		y, okY := new(big.Rat).SetString(b)
		if !okX || !okY || strings.ContainsAny(a+b, `"{[tfn _/`) {
			return
		}
		if got, want := sameNumber(a, b), x.Cmp(y) == 0; got != want {
			t.Errorf("%s and %s: %v, want %v", a, b, got, want)
		}
	})
}
