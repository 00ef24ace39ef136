package feed

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/event"
	"github.com/wsprobe/wsprobe/reasons"
)

// BenchmarkObserve is the cost of an event of 1,000 bytes for the probe that has it, beside its encoding.
func BenchmarkObserve(b *testing.B) {
	text := make([]byte, 1000)
	encode := func(*event.Event) []byte { return text }
	probes := identities(5000)
	events := make([]*event.Event, len(probes))
	for i, p := range probes {
		events[i] = happen(i, p, reasons.OK)
	}
	b.Run("clients=0", func(b *testing.B) {
		f := New(Options{Encode: encode})
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			f.Observe(events[i%len(events)])
		}
	})
	b.Run("clients=100/selecting", func(b *testing.B) {
		f := New(Options{Encode: encode})
		for range MaxClients {
			c, _ := f.enter()
			f.begin(c, request{selection: event.Selection{Probes: []string{"none-*"}, Labels: map[string][]string{"team": {"edge"}}}})
			f.take(c, nil)
		}
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			f.Observe(events[i%len(events)])
		}
	})
}

// BenchmarkClients is the cost of an event of 1,000 bytes that 100 clients read, all of it in one process.
func BenchmarkClients(b *testing.B) {
	text := append(append([]byte(`"`), make([]byte, 998)...), '"')
	f := New(Options{Encode: func(*event.Event) []byte { return text }})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	s := start(l, f)
	defer s.stop()
	for range MaxClients {
		ws, _, err := websocket.Dial(b.Context(), fmt.Sprintf("ws://%s/", l.Addr()), nil)
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = ws.CloseNow() }()
		go func() {
			for {
				if _, _, err := ws.Read(b.Context()); err != nil {
					return
				}
			}
		}()
	}
	probes := identities(50)
	b.ReportAllocs()
	n := 0
	for ; b.Loop(); n++ {
		f.Observe(happen(n, probes[n%len(probes)], reasons.OK))
		for n%100 == 0 && f.behind() > 500 { // on a busy machine some are late
			time.Sleep(100 * time.Microsecond)
		}
	}
	if stats := f.Stats(); stats.Slow > 0 {
		b.Error("a client was too slow")
	}
}

// behind returns how many events the last of the clients has still to get.
func (f *Feed) behind() (most uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.clients {
		if c.place != nil && !c.place.idle {
			most = max(most, f.past.newest+1-c.place.next)
		}
	}
	return most
}
