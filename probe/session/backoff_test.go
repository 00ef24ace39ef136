package session

import (
	"testing"
	"time"
)

// TestBackoff holds the bounds of each wait: random is all of the bound, so that the waits are the bounds.
func TestBackoff(t *testing.T) {
	bounds := Reconnect{Min: 500 * ms, Max: 60 * sec}
	const most = 1 - 1.0/(1<<53)
	near := func(got, want time.Duration) bool { return got <= want && want-got < time.Microsecond }
	for name, test := range map[string]struct {
		ends []setback
		want []time.Duration
	}{
		"opens that fail":                   {make([]setback, 10), []time.Duration{500 * ms, sec, 2 * sec, 4 * sec, 8 * sec, 16 * sec, 32 * sec, 60 * sec, 60 * sec, 60 * sec}},
		"sessions that do not last go on":   {[]setback{{lasted: 10 * sec}, {lasted: 59 * sec}, {lasted: 10 * sec}}, []time.Duration{500 * ms, sec, 2 * sec}},
		"a session that lasted begins anew": {[]setback{{}, {}, {lasted: 60 * sec}, {}}, []time.Duration{500 * ms, sec, 500 * ms, sec}},
		"a renewal does not wait":           {[]setback{{}, {planned: true, lasted: sec}, {}}, []time.Duration{500 * ms, 0, 500 * ms}},
		"1012":                              {[]setback{{code: 1012, lasted: time.Hour}}, []time.Duration{30 * sec}},
		"1013":                              {[]setback{{code: 1013, lasted: time.Hour}}, []time.Duration{60 * sec}},
		"1001":                              {[]setback{{code: 1001, lasted: time.Hour}}, []time.Duration{500 * ms}},
		"Retry-After":                       {[]setback{{}, {retryAfter: 20 * sec}}, []time.Duration{500 * ms, 21 * sec}},
		"Retry-After of a day":              {[]setback{{retryAfter: 24 * time.Hour}}, []time.Duration{MaxRetryAfter + 500*ms}},
	} {
		t.Run(name, func(t *testing.T) {
			var b backoff
			for i, end := range test.ends {
				if got := b.wait(bounds, end, most); !near(got, test.want[i]) {
					t.Errorf("wait %d: %v, want %v", i, got, test.want[i])
				}
			}
		})
	}
	var b backoff
	if got := b.wait(bounds, setback{}, 0); got != 0 {
		t.Errorf("the least wait is %v", got)
	}
	for _, least := range []struct {
		end  setback
		want time.Duration
	}{{setback{code: 1012}, 5 * sec}, {setback{code: 1013}, 30 * sec}, {setback{retryAfter: sec}, sec}} {
		if got := b.wait(bounds, least.end, 0); got != least.want {
			t.Errorf("%+v: the least wait is %v", least.end, got)
		}
	}
}

// TestBackoffDoesNotStorm: sessions that end together open spread over the bound of their wait.
func TestBackoffDoesNotStorm(t *testing.T) {
	bounds := Reconnect{Min: 500 * ms, Max: 60 * sec}
	var backoffs [1000]backoff
	for round := range 20 {
		var total time.Duration
		for i := range backoffs {
			total += backoffs[i].wait(bounds, setback{lasted: 50 * ms}, float64(i)/float64(len(backoffs)))
		}
		if mean := total / time.Duration(len(backoffs)); round >= 7 && mean < 29*sec {
			t.Errorf("round %d: a mean wait of %v", round, mean)
		}
	}
}
