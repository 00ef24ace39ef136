package stream

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/probe/wstest"
)

// dice are random numbers for several connections.
type dice struct {
	mu     sync.Mutex
	random *rand.Rand
}

func (d *dice) below(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.random.IntN(n)
}

func (d *dice) float() float64 { return float64(d.below(1e9)) / 1e9 }

// fickle is an endpoint with random faults, until a time. Then it is healthy.
func fickle(t *testing.T, random *dice, until time.Time, acknowledges bool) peer {
	healthy := func() bool { return !time.Now().Before(until) }
	chance := func(percent int) bool { return !healthy() && random.below(100) < percent }
	var mu sync.Mutex
	var kept []string // acknowledgements that come later
	return peer{
		opened: func(_ int, c *wstest.Conn) {
			switch {
			case chance(10):
				c.Reset()
			case chance(10):
				c.Refuse(503, "", "Retry-After: 1")
			case chance(5):
				c.Pause(10 * sec)
			}
			c.Accept()
		},
		mute: func(int) bool { return chance(10) },
		pong: func(_ int, payload string) []wstest.Frame {
			switch {
			case chance(5):
				return nil
			case chance(5):
				return []wstest.Frame{wstest.Pong("other")}
			case chance(5):
				return []wstest.Frame{wstest.Close([]int{1000, 1001, 1008, 1009, 1012, 4000}[random.below(6)], "")}
			case chance(10):
				time.Sleep(time.Duration(random.below(4)) * sec)
			}
			return []wstest.Frame{wstest.Pong(payload)}
		},
		message: func(_ int, text string) []wstest.Frame {
			switch {
			case chance(3):
				return []wstest.Frame{{Opcode: 3}} // a breach
			case chance(3):
				return []wstest.Frame{wstest.Close(1011, "")}
			case !acknowledges:
				return nil
			}
			mu.Lock()
			defer mu.Unlock()
			if chance(20) {
				kept = append(kept, idsIn(t, text)...)
				return nil
			}
			late := kept
			kept = nil
			slices.Reverse(late)
			return []wstest.Frame{wstest.Text(strings.Join(late, " ")), ack(t, text)}
		},
	}
}

// TestModel: whatever an endpoint does, each event arrives at least once, in the order of its probe, a second time only on
// another connection, and every sum is right.
func TestModel(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				random := &dice{random: rand.New(rand.NewPCG(seed, 14))}
				how := []Proof{Pong, Message}[seed%2]
				r := start(t, fickle(t, random, time.Now().Add(2*time.Minute), how == Message), func(o *Options) {
					o.Acknowledgements, o.Workers = how, 1+random.below(3)
					o.Batch = Batch{Events: 1 + random.below(5), Bytes: 100 + int64(random.below(1000)), Linger: time.Duration(random.below(500)) * ms}
					o.PingInterval, o.PingTimeout, o.WriteTimeout = time.Duration(1+random.below(10))*sec, time.Duration(1+random.below(5))*sec, 3*sec
					o.Reconnect.Max, o.Random = 5*sec, random.float
					if seed%20 == 0 { // a disk takes its time
						o.Buffer.Dir = dir
					}
				})
				const each = 300
				for i := range each {
					for _, probe := range []string{"p", "q", "r", "s"} {
						r.observe(probe, fmt.Sprintf("%s%03d", probe, i))
					}
					r.wait(time.Duration(random.below(800)) * ms)
				}
				r.wait(5 * time.Minute)
				r.stop()
				r.judge(4 * each)
			})
		})
	}
}

// judge checks what arrived.
func (r *rig) judge(events int) {
	seen := make(map[string]int)    // the replay of each event
	on := make(map[string]string)   // its connection
	last := make(map[string]string) // the last event of each probe that came for the first time
	r.mu.Lock()                     // a handler may not have returned
	texts := slices.Clone(r.texts)
	r.mu.Unlock()
	for _, text := range texts {
		connection, body, _ := strings.Cut(text, " ")
		for _, e := range decoded(r.t, body) {
			before, again := seen[e.ID]
			switch {
			case again && on[e.ID] == connection:
				r.t.Errorf("%s twice on connection %s", e.ID, connection)
			case again && e.Replay == before:
				r.t.Errorf("%s again with replay %d", e.ID, e.Replay)
			case !again && e.ID < last[e.Probe]:
				r.t.Errorf("%s after %s", e.ID, last[e.Probe])
			case !again:
				last[e.Probe] = e.ID
			}
			seen[e.ID], on[e.ID] = e.Replay, connection
		}
	}
	c := r.stream.Counts()
	if len(seen) != events || c.Sent != int64(events) || c.Events != int64(events) {
		r.t.Errorf("%d of %d events arrived, %+v", len(seen), events, c)
	}
	r.t.Log(r.ends(), c.Resent)
	if c.Established < 2 || len(texts) == 0 {
		r.t.Errorf("no faults: %+v", c)
	}
}
