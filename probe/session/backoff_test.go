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
		ends []Setback
		want []time.Duration
	}{
		"opens that fail":                   {make([]Setback, 10), []time.Duration{500 * ms, sec, 2 * sec, 4 * sec, 8 * sec, 16 * sec, 32 * sec, 60 * sec, 60 * sec, 60 * sec}},
		"sessions that do not last go on":   {[]Setback{{Lasted: 10 * sec}, {Lasted: 59 * sec}, {Lasted: 10 * sec}}, []time.Duration{500 * ms, sec, 2 * sec}},
		"a session that lasted begins anew": {[]Setback{{}, {}, {Lasted: 60 * sec}, {}}, []time.Duration{500 * ms, sec, 500 * ms, sec}},
		"a renewal does not wait":           {[]Setback{{}, {Planned: true, Lasted: sec}, {}}, []time.Duration{500 * ms, 0, 500 * ms}},
		"1012":                              {[]Setback{{Code: 1012, Lasted: time.Hour}}, []time.Duration{30 * sec}},
		"1013":                              {[]Setback{{Code: 1013, Lasted: time.Hour}}, []time.Duration{60 * sec}},
		"1001":                              {[]Setback{{Code: 1001, Lasted: time.Hour}}, []time.Duration{500 * ms}},
		"Retry-After":                       {[]Setback{{}, {RetryAfter: 20 * sec}}, []time.Duration{500 * ms, 21 * sec}},
		"Retry-After of a day":              {[]Setback{{RetryAfter: 24 * time.Hour}}, []time.Duration{MaxRetryAfter + 500*ms}},
	} {
		t.Run(name, func(t *testing.T) {
			var b Backoff
			for i, end := range test.ends {
				if got := b.Wait(bounds, end, most); !near(got, test.want[i]) {
					t.Errorf("wait %d: %v, want %v", i, got, test.want[i])
				}
			}
		})
	}
	var b Backoff
	if got := b.Wait(bounds, Setback{}, 0); got != 0 {
		t.Errorf("the least wait is %v", got)
	}
	for _, least := range []struct {
		end  Setback
		want time.Duration
	}{{Setback{Code: 1012}, 5 * sec}, {Setback{Code: 1013}, 30 * sec}, {Setback{RetryAfter: sec}, sec}} {
		if got := b.Wait(bounds, least.end, 0); got != least.want {
			t.Errorf("%+v: the least wait is %v", least.end, got)
		}
	}
}

// TestBackoffDoesNotStorm: sessions that end together open spread over the bound of their wait.
func TestBackoffDoesNotStorm(t *testing.T) {
	bounds := Reconnect{Min: 500 * ms, Max: 60 * sec}
	var backoffs [1000]Backoff
	for round := range 20 {
		var total time.Duration
		for i := range backoffs {
			total += backoffs[i].Wait(bounds, Setback{Lasted: 50 * ms}, float64(i)/float64(len(backoffs)))
		}
		if mean := total / time.Duration(len(backoffs)); round >= 7 && mean < 29*sec {
			t.Errorf("round %d: a mean wait of %v", round, mean)
		}
	}
}
