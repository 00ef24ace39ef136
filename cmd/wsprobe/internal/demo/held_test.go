package demo

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/probe/session"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// TestHeldEndpoint: the feed speaks, goes deaf while Pongs still come, and speaks again once it is opened anew.
func TestHeldEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := trades()
		server := wstest.Memory(x.script)
		defer server.Close()
		spec := *x.Session
		spec.URL, spec.Dial = server.URL+x.Name+x.query, server.Dial
		held, err := session.NewHub(session.Options{Random: func() float64 { return 0.5 }}).New(spec)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 8750*time.Millisecond)
		defer cancel()
		began := time.Now()
		var story []string
		messages, pongs := 0, 0
		held.Hold(ctx, func(e session.Event) {
			switch e.Kind {
			case session.Opened:
				story = append(story, fmt.Sprint(e.At.Sub(began), " opened"))
			case session.Received:
				messages++
			case session.Ponged:
				pongs++
			case session.Ended:
				story = append(story, fmt.Sprint(e.At.Sub(began), " ", e.End, ": ", e.End.Reason, " ", e.End.ErrorType))
			}
		})
		want := []string{
			"0s opened",
			"5.5s no wanted message for 2 s, lifetime 5.5 s: ws_reply_timeout stale",
			"6.5s opened",
			"8.75s stopped as planned, lifetime 2.2 s: ok ",
		}
		if !slices.Equal(story, want) {
			t.Errorf("got %q, want %q", story, want)
		}
		if messages != 8+5 || pongs != 5+2 {
			t.Errorf("%d messages and %d Pongs", messages, pongs)
		}
	})
}
