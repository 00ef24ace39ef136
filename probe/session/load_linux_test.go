//go:build linux && (amd64 || arm64 || loong64 || ppc64le || riscv64)

package session

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/probe/wstest"
)

// TestRelief: one poller serves all sessions until it is busy. A second one then takes half of them, and none is cut.
func TestRelief(t *testing.T) {
	const many = 40
	if runtime.GOMAXPROCS(0) < 2 {
		t.Skip("one processor has one poller")
	}
	server := wstest.Start(ordinary)
	defer server.Close()
	hub := NewHub(Options{})
	s := Spec{PingInterval: MinInterval, PingTimeout: time.Minute}
	s.URL = server.URL
	session := newSession(t, hub, s)
	pollers := func() int {
		hub.mu.Lock()
		defer hub.mu.Unlock()
		return len(hub.pollers)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // only a hang meets it
	defer cancel()
	var opened, since, stopped, others atomic.Int64
	for range many {
		pongs := 0
		hub.Add(session, func(e Event) {
			switch e.Kind {
			case Opened:
				opened.Add(1)
			case Ponged:
				if opened.Load() < many {
					return
				}
				for begun := time.Now(); time.Since(begun) < 5*ms; { // busy for as long as twice what there is
				}
				if pollers() == 1 {
					return
				}
				if pongs++; pongs == 3 && since.Add(1) == many {
					cancel()
				}
			case Ended:
				if e.End.Cause == ByStop {
					stopped.Add(1)
				} else {
					others.Add(1)
				}
			}
		})
	}
	hub.Run(ctx)
	if since.Load() != many || stopped.Load() != many || others.Load() != 0 {
		t.Errorf("%d went on with two pollers, %d ended by the stop, %d otherwise", since.Load(), stopped.Load(), others.Load())
	}
}
