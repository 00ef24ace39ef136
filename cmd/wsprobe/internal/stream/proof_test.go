package stream

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/buffer"
	"github.com/wsprobe/wsprobe/probe/bare"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// ack acknowledges a message in which one event is, or several.
func ack(t *testing.T, text string) wstest.Frame {
	return wstest.Text(strings.Join(idsIn(t, text), " "))
}

func idsIn(t *testing.T, text string) (ids []string) {
	for _, e := range decoded(t, text) {
		ids = append(ids, e.ID)
	}
	return ids
}

// TestProofs holds what proves that an event arrived, and what does not: an event without a proof is sent again on the
// next connection.
func TestProofs(t *testing.T) {
	none := []wstest.Frame{}
	var held []string // of an endpoint that answers later
	for name, test := range map[string]struct {
		peer   peer
		change func(*Options)
		want   string // what arrived
		sent   int64
		ends   string
	}{
		"a write proves with written":           {peer{pong: func(int, string) []wstest.Frame { return none }}, func(o *Options) { o.Acknowledgements = Written; o.PingInterval = 0 }, "1:a 1:b 1:c", 3, ""},
		"a Pong proves what is before its Ping": {peer{}, nil, "1:a 1:b 1:c", 3, ""},
		"a Pong with another payload proves nothing": {peer{pong: func(n int, payload string) []wstest.Frame {
			if n == 1 {
				payload = "12345678"
			}
			return []wstest.Frame{wstest.Pong(payload)}
		}}, nil, "1:a 1:b 1:c 2:a*1 2:b*1 2:c*1", 3, "timeout 1001 x1"},
		"a Pong that nobody asked for proves nothing": {peer{pong: func(n int, payload string) []wstest.Frame { return none },
			message: func(n int, _ string) []wstest.Frame { return []wstest.Frame{wstest.Pong("")} }}, nil, "1:a 1:b 1:c 2:a*1 2:b*1 2:c*1", 0, "timeout 1001 x1"},
		"a Pong with another payload is a sign of life": {peer{pong: func(int, string) []wstest.Frame { return []wstest.Frame{wstest.Pong("x")} }},
			func(o *Options) { o.Acknowledgements = Written; o.PingInterval = sec }, "1:a 1:b 1:c", 3, ""},
		"a message with its id proves an event": {peer{message: func(_ int, text string) []wstest.Frame { return []wstest.Frame{ack(t, text)} }},
			func(o *Options) { o.Acknowledgements = Message }, "1:a 1:b 1:c", 3, ""},
		"a Pong proves nothing where a message does": {peer{}, func(o *Options) { o.Acknowledgements = Message }, "1:a 1:b 1:c", 0, ""},
		"acknowledgements in another order, twice, and of unknown events": {peer{message: func(_ int, text string) []wstest.Frame {
			if held = append(held, idsIn(t, text)...); len(held) < 3 {
				return nil
			}
			a, b, c := held[0], held[1], held[2]
			held = nil
			return []wstest.Frame{wstest.Text(c), wstest.Text("unknown"), wstest.Text(a), wstest.Text(c), wstest.Text(b), wstest.Text("")}
		}}, func(o *Options) { o.Acknowledgements = Message }, "1:a 1:b 1:c", 3, ""},
		"one acknowledgement of a batch": {peer{message: func(_ int, text string) []wstest.Frame {
			return []wstest.Frame{wstest.Text(`{"ok":["` + strings.Join(idsIn(t, text), `","`) + `"]}`)}
		}}, func(o *Options) { o.Acknowledgements, o.AckPath, o.Batch.Events = Message, "ok", 3 }, "1:a+b+c", 3, ""},
		"an event of a batch that is not acknowledged": {peer{message: func(n int, text string) []wstest.Frame {
			if n == 1 {
				return []wstest.Frame{wstest.Text("a"), wstest.Text("c")}
			}
			return []wstest.Frame{ack(t, text)}
		}}, func(o *Options) { o.Acknowledgements, o.Batch.Events = Message, 3 }, "1:a+b+c 2:b*1", 3, "timeout 1001 x1"},
		"acknowledgements in binary messages": {peer{message: func(_ int, text string) []wstest.Frame { return []wstest.Frame{wstest.Binary(idsIn(t, text)[0])} }},
			func(o *Options) { o.Acknowledgements = Message }, "1:a 1:b 1:c", 3, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := start(t, test.peer, test.change)
				defer r.stop()
				r.wait(sec)
				r.observe("p", "a", "b", "c")
				r.wait(11*sec + 500*ms)
				if test.ends != "" && strings.Contains(name, "batch") {
					r.wait(ackTimeout)
				}
				if got := r.arrived(); got != test.want {
					t.Errorf("%s arrived, want %s", got, test.want)
				}
				if got := r.stream.Counts().Sent; got != test.sent {
					t.Errorf("%d proven, want %d", got, test.sent)
				}
				if got := r.ends(); got != test.ends {
					t.Errorf("ends: %s, want %s", got, test.ends)
				}
				r.balanced()
			})
		})
	}
}

// TestLatePong holds that the time of a Pong counts from its Ping: one that comes later is none, whether the timeout is
// below the interval or above it.
func TestLatePong(t *testing.T) {
	for _, test := range []struct {
		interval, timeout, pong int // seconds
		over                    bool
	}{{30, 10, 9, false}, {30, 10, 11, true}, {10, 30, 29, false}, {10, 30, 31, true}, {10, 10, 9, false}, {1, 60, 59, false}} {
		for _, how := range []Proof{Written, Pong, Message} {
			t.Run(fmt.Sprint(test, how), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p := peer{opened: func(n int, c *wstest.Conn) {
						c.Accept()
						for n == 1 {
							if f := c.Read(); f.Opcode == wstest.OpPing {
								if f, more := c.ReadBy(time.Now().Add(seconds(min(test.pong, test.timeout)) - ms)); more && f.Opcode == wstest.OpPing {
									t.Error("a second Ping before the Pong")
								}
								c.Pause(seconds(test.pong-min(test.pong, test.timeout)) + ms)
								c.Send(wstest.Pong(f.Payload))
							} else if f.Opcode == wstest.OpClose {
								c.Hold()
							}
						}
					}}
					r := start(t, p, func(o *Options) {
						o.Acknowledgements, o.PingInterval, o.PingTimeout = how, seconds(test.interval), seconds(test.timeout)
					})
					defer r.stop()
					r.wait(seconds(test.interval + max(test.timeout, test.pong) + 1))
					want := ""
					if test.over {
						want = "timeout 1001 x1"
					}
					if got := r.ends(); got != want {
						t.Errorf("ends: %q, want %q", got, want)
					}
				})
			})
		}
	}
}

func seconds(n int) time.Duration { return time.Duration(n) * sec }

// TestHeldUp: a process that stood still finds the Pong that came meanwhile.
func TestHeldUp(t *testing.T) {
	p := newProof(&Options{Acknowledgements: Pong, PingInterval: sec, PingTimeout: sec}, newWindow(), nil, time.Now())
	now := time.Now().Add(sec)
	d := p.due(now)
	if d.ping == "" {
		t.Fatal("no Ping")
	}
	p.pinged(d.ping, now)
	if d := p.due(now.Add(time.Minute)); d.over.by != "" || !d.again.Equal(now.Add(time.Minute+grace)) {
		t.Errorf("%+v", d)
	}
	p.ponged(d.ping, now.Add(900*ms))
	if d := p.due(now.Add(time.Minute + grace)); d.over.by != "" {
		t.Errorf("%+v", d)
	}
}

// TestHints holds what is said of acknowledgements that do not come.
func TestHints(t *testing.T) {
	for name, test := range map[string]struct {
		text string // of each message of the server, empty for none
		want string
	}{
		"no message":   {"", "no message came"},
		"a foreign id": {`{"id":"other"}`, "of no event under way"},
		"another path": {`{"ack":"a"}`, "none has an id"},
		"no JSON":      {"ok", "none has an id"},
		"a number":     {`{"id":7}`, "none has an id"},
		"a long one":   {`{"id":"` + strings.Repeat("a", maxText) + `"}`, "not read"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := start(t, peer{message: func(int, string) []wstest.Frame {
					if test.text == "" {
						return nil
					}
					return []wstest.Frame{wstest.Text(test.text)}
				}}, func(o *Options) { o.Acknowledgements, o.AckPath = Message, "id" })
				defer r.stop()
				r.observe("p", "a")
				r.wait(ackTimeout + 200*ms)
				for open := range 2 { // the state still says so on the next connection
					if s := r.stream.State(); s.Open != open || !strings.Contains(s.Detail, "event a is not acknowledged within 30 s") || !strings.Contains(s.Hint, test.want) {
						t.Errorf("%d open, %q, %q", s.Open, s.Detail, s.Hint)
					}
					r.wait(10 * sec)
				}
			})
		})
	}
}

// TestIDs holds where IDs are found in a message.
func TestIDs(t *testing.T) {
	for _, test := range []struct{ text, path, want string }{
		{"a", "", "a"}, {" a\n", "", "a"}, {"a b\nc", "", "a b c"}, {`"a"`, "", "a"}, {`["a","b"]`, "", "a b"}, {"", "", ""}, {"[", "", ""},
		{`{"id":"a"}`, "id", "a"}, {`{"ids":["a","b",3]}`, "ids", "a b"}, {`[{"id":"a"},{"id":"b"}]`, "#.id", "a b"}, {`{"m":{"id":"a"}}`, "m.id", "a"},
		{`{"id":1}`, "id", ""}, {"a", "id", ""}, {`{"id":"a"`, "id", ""}, {`{"id":{"id":"a"}}`, "id", ""}, {`{"a b":["c"]}`, "$['a b']", "c"},
		{`["a","b"]`, "$", "a b"}, {`"a"`, "$", "a"}, {`{"ids":["a","b"]}`, "$.ids[1]", "b"}, {`{"inner":"{\"id\":\"a\"}"}`, "inner|@fromstr|id", "a"},
	} {
		var path *bare.Path
		if test.path != "" {
			p := bare.NewPath(test.path)
			path = &p
		}
		if got := strings.Join(idsOf([]byte(test.text), path), " "); got != test.want {
			t.Errorf("%q, path %q: %q, want %q", test.text, test.path, got, test.want)
		}
	}
}

// TestAsked: whenever beat looks, it asks for a proof of what was written.
func TestAsked(t *testing.T) {
	now := time.Now()
	p := newProof(&Options{Acknowledgements: Pong, PingTimeout: sec}, newWindow(), func(...*buffer.Item) {}, now)
	fly := func() { p.flying([]*buffer.Item{{ID: "a"}}, now) }
	woken := func() bool { return len(p.stir) > 0 && <-p.stir == struct{}{} }
	fly()
	first := p.written(now)
	p.pinged(first, now)
	p.ponged(first, now)
	woken()
	p.due(now)
	fly()
	if d := p.due(now); !d.again.IsZero() { // between the take-off and the write
		t.Errorf("%+v", d)
	}
	if ping := p.written(now); ping != "" || !woken() {
		t.Errorf("Ping %q, and nobody is woken", ping)
	}
	if d := p.due(now); !d.again.Equal(now.Add(pace)) {
		t.Errorf("%+v", d)
	}
	if fly(); p.written(now) != "" || woken() {
		t.Error("beat is woken for nothing")
	}
	if d := p.due(now.Add(pace)); d.ping == "" {
		t.Errorf("%+v", d)
	}
}
