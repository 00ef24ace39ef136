package session

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe/wstest"
)

// TestFloodBesideOthers: servers that flood some sessions of a Hub keep no Ping of the others away, and a stop is a stop.
func TestFloodBesideOthers(t *testing.T) {
	const many, flooded, pings = 100, 6, 5
	floods := map[string]wstest.Script{
		"/messages": flood(wstest.Text("x").Bytes()),
		"/empty":    flood(wstest.Text("").Bytes()),
		"/pings":    flood(wstest.Ping("p").Bytes()),
		"/long":     flood(wstest.Binary(strings.Repeat("x", 60_000)).Bytes()),
		"/":         ordinary,
	}
	server := wstest.Start(wstest.ByPath(floods))
	defer server.Close()
	hub := NewHub(Options{})
	add := func(path string, s Spec, observe func(Event)) {
		s.URL, s.Timeout = strings.TrimSuffix(server.URL, "/")+path, 30*sec
		session := newSession(t, hub, s)
		hub.Add(session, observe)
	}
	var mu sync.Mutex
	var late []time.Duration
	var received int
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // only a hang meets it
	defer cancel()
	quiet := many
	books := make([]ledger, many)
	for i := range books {
		var begun time.Time
		n := 0
		add("/", Spec{PingInterval: sec, PingTimeout: time.Minute}, func(e Event) {
			mu.Lock()
			defer mu.Unlock()
			books[i].note(e)
			switch e.Kind {
			case Opened:
				begun = e.At
			case Ponged:
				late = append(late, e.At.Add(-e.RTT).Sub(begun)%sec)
				if n++; n == pings {
					quiet--
				}
			}
			if quiet == 0 {
				cancel()
			}
		})
	}
	for path := range floods {
		for range flooded {
			if path != "/" {
				add(path, Spec{}, func(e Event) {
					mu.Lock()
					defer mu.Unlock()
					if e.Kind == Received {
						received++
					}
				})
			}
		}
	}
	began := time.Now()
	hub.Run(ctx)
	slices.Sort(late)
	t.Logf("%d messages in %v; Pings late by p50 %v, p99 %v", received, time.Since(began), late[len(late)/2], late[len(late)*99/100])
	for i := range books {
		if problem := books[i].verdict(); problem != "" || books[i].opened != 1 {
			t.Errorf("%d opened, %s", books[i].opened, problem)
		}
	}
}

// flood opens, and floods with bytes.
func flood(bytes string) wstest.Script {
	return func(c *wstest.Conn) { c.Accept(); c.Flood(strings.Repeat(bytes, 1+(16<<10)/len(bytes))) }
}
