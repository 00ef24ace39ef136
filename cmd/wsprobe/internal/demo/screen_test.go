package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// terminal understands as much of a terminal as a screen needs. It scrolls, at a height of its own.
type terminal struct {
	t      *testing.T
	height int

	lines    []string // all that was ever there, the last ones are visible
	row, col int
	hidden   bool
	writes   []time.Duration // when something came
	start    time.Time
}

func (v *terminal) Write(p []byte) (int, error) {
	v.writes = append(v.writes, time.Since(v.start))
	for rest := string(p); rest != ""; {
		rest = v.take(rest)
	}
	return len(p), nil
}

// take obeys one character or control sequence and returns what follows it.
func (v *terminal) take(s string) string {
	top := max(len(v.lines)-v.height, 0)
	if n := len(hideCursor); len(s) >= n && (s[:n] == hideCursor || s[:n] == showCursor) {
		v.hidden = s[:n] == hideCursor
		return s[n:]
	}
	if body, ok := strings.CutPrefix(s, "\x1b["); ok {
		i := strings.IndexAny(body, "ABCDHJKm")
		n, _ := strconv.Atoi(body[:i])
		switch body[i] {
		case 'A':
			v.row = max(v.row-n, top)
		case 'H':
			v.row, v.col = top, 0
		case 'K':
			v.set("")
		case 'J':
			if n == 2 {
				v.lines = v.lines[:top]
			} else {
				v.lines = v.lines[:min(v.row, len(v.lines))]
			}
		case 'm':
		default:
			v.t.Errorf("control sequence %q", body[:i+1])
		}
		return body[i+1:]
	}
	switch r := []rune(s)[0]; r {
	case '\r':
		v.col = 0
	case '\n':
		v.set(v.line())
		v.row, v.col = v.row+1, 0
	default:
		if v.col == 0 && v.line() != "" {
			v.t.Errorf("%q is written over %q", r, v.line())
		}
		v.set(v.line() + string(r))
		v.col++
	}
	return s[len(string([]rune(s)[0])):]
}

func (v *terminal) line() string {
	if v.row < len(v.lines) {
		return v.lines[v.row]
	}
	return ""
}

func (v *terminal) set(line string) {
	for len(v.lines) <= v.row {
		v.lines = append(v.lines, "")
	}
	v.lines[v.row] = line
}

func (v *terminal) String() string { return strings.Join(v.lines, "\n") + "\n" }

// show runs a screen in a bubble and returns a function that ends it.
func show(t *testing.T, a *Account, w io.Writer, s Screen) func() error {
	ctx, cancel := context.WithCancel(t.Context())
	shown := make(chan error, 1)
	go func() { shown <- a.Run(ctx, w, s) }()
	return func() error { cancel(); return <-shown }
}

// TestTerminal: one picture stands on the screen, beneath what was there before, and stays there at the end.
func TestTerminal(t *testing.T) {
	for _, height := range []int{24, 12} {
		t.Run(fmt.Sprintf("height %d", height), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := &terminal{t: t, height: height, start: time.Now()}
				fmt.Fprint(v, strings.Repeat("$ before\n", 30))
				s := Screen{Terminal: true, Page: "http://127.0.0.1:9464/", Size: func() (int, int) { return 100, height }}
				a := NewAccount(described())
				end := show(t, a, v, s)
				expect := func(when string) {
					t.Helper()
					synctest.Wait()
					want := strings.Repeat("$ before\n", 30) + escapes.ReplaceAllString(a.picture(s, 100, height), "")
					if got := v.String(); got != want {
						t.Errorf("%s:\n%s\nwant\n%s", when, got, want)
					}
				}
				expect("at the start")
				if !v.hidden {
					t.Error("the cursor is in the way")
				}
				for range 20 {
					time.Sleep(refresh)
					received(a, "chat", time.Now(), 1, 2, Outcome{})
				}
				time.Sleep(refresh)
				expect("later")
				received(a, "gateway", time.Now(), 1, 0, a.endpoints[5].Outcomes[0])
				if err := end(); err != nil {
					t.Error(err)
				}
				expect("at the end")
				if v.hidden {
					t.Error("the cursor is gone")
				}
			})
		})
	}
}

// TestTerminalPace: the screen is drawn four times a second at most, and at once a second for the ages.
func TestTerminalPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &terminal{t: t, height: 24, start: time.Now()}
		a := NewAccount(described())
		end := show(t, a, v, Screen{Terminal: true})
		time.Sleep(100 * time.Millisecond)
		for range 10 { // a burst
			received(a, "chat", time.Now(), 1, 2, Outcome{})
			time.Sleep(time.Millisecond)
		}
		time.Sleep(1900 * time.Millisecond)
		_ = end()
		ms := func(n time.Duration) time.Duration { return n * time.Millisecond }
		// Cursor and picture; the burst; the age of the last run, which was at 109 ms; the cursor at the end.
		want := []time.Duration{0, 0, ms(250), ms(1250), ms(2010)}
		if !slices.Equal(v.writes, want) {
			t.Errorf("written at %v, want %v", v.writes, want)
		}
	})
}

// TestTerminalResized: with another width the picture is drawn anew on an empty screen.
func TestTerminalResized(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &terminal{t: t, height: 24, start: time.Now()}
		var width atomic.Int64
		width.Store(130)
		s := Screen{Terminal: true, Size: func() (int, int) { return int(width.Load()), 24 }}
		a := NewAccount(described())
		end := show(t, a, v, s)
		synctest.Wait()
		width.Store(80)
		time.Sleep(refresh)
		synctest.Wait()
		if got, want := v.String(), escapes.ReplaceAllString(a.picture(s, 80, 24), ""); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		_ = end()
	})
}

// timeline notes when text came.
type timeline struct {
	text  strings.Builder
	times []time.Duration
	start time.Time
}

func (l *timeline) Write(p []byte) (int, error) {
	l.times = append(l.times, time.Since(l.start))
	return l.text.Write(p)
}

// TestPlain: without a terminal an account comes when every endpoint has been heard of, or after a while, then
// every ten seconds and at the end; and never a control sequence.
func TestPlain(t *testing.T) {
	second := func(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }
	for _, test := range []struct {
		name string
		all  bool // endpoints are heard of, after a second
		want []time.Duration
	}{
		{"all", true, []time.Duration{0, second(1.25), second(11.25), second(21.25), second(26.1)}},
		{"some", false, []time.Duration{0, second(5), second(15), second(25), second(26.1)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := NewAccount(described())
				l := &timeline{start: time.Now()}
				end := show(t, a, l, Screen{Page: "http://127.0.0.1:9464/"})
				time.Sleep(1100 * time.Millisecond)
				for _, e := range a.endpoints {
					if test.all || !e.Faulty() {
						received(a, e.Name, time.Now(), 1, 2, e.Outcomes[0])
					}
				}
				time.Sleep(25 * time.Second)
				if err := end(); err != nil {
					t.Error(err)
				}
				if !slices.Equal(l.times, test.want) {
					t.Errorf("written at %v, want %v", l.times, test.want)
				}
				if strings.Contains(l.text.String(), "\x1b") {
					t.Error("there are control sequences")
				}
				golden(t, "plain-"+test.name+".txt", l.text.String())
			})
		})
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// TestBrokenWriter: nobody is left to look, so Run ends.
func TestBrokenWriter(t *testing.T) {
	for _, s := range []Screen{{}, {Terminal: true}} {
		if err := NewAccount(described()).Run(t.Context(), broken{}, s); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("%+v: %v", s, err)
		}
	}
}

// TestLatency: as many digits on both sides of 10 ms.
func TestLatency(t *testing.T) {
	for ms, want := range map[float64]string{0.12: "0.12 ms", 9.994: "9.99 ms", 9.996: "10.0 ms", 12: "12.0 ms"} {
		if got := (latency{ms: ms, ok: true}).String(); got != want {
			t.Errorf("%v ms: %q, want %q", ms, got, want)
		}
	}
	if got := (latency{}).String(); got != "-" {
		t.Errorf("not measured: %q", got)
	}
}

// TestTotalsFit: the sums of an afternoon, and what nobody meant to fail, are there in 80 columns.
func TestTotalsFit(t *testing.T) {
	sums := totals{requests: 9999, points: 99_999, runs: 9999, good: 5000, intended: 4900, unexpected: 99}
	text := render(sums.lines(), 80, false)
	if strings.Contains(text, "…") || !strings.Contains(text, "4900 failed on purpose\n99 failed unexpectedly: ") {
		t.Errorf("%s", text)
	}
}
