package session_test

import (
	"context"
	"fmt"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/session"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// A session tells of its messages and of its end. This server goes after the second message, and its numbers have a gap.
func ExampleHub() {
	server := wstest.Start(func(c *wstest.Conn) {
		c.Accept()
		c.Send(wstest.Text(`{"seq":1}`), wstest.Text(`{"seq":4}`), wstest.Close(1012, "deploy"))
		c.Watch()
	})
	defer server.Close()

	held, err := session.NewHub(session.Options{}).New(session.Spec{
		Opening:      probe.Opening{URL: server.URL},
		PingInterval: 20 * time.Second,
		Sequence:     "seq",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	held.Hold(ctx, func(e session.Event) {
		switch e.Kind {
		case session.Received:
			fmt.Println("message, lost before it:", e.Message.Lost)
		case session.Ended:
			fmt.Println("ended by", e.End.Cause, e.End.Code, e.End.CloseReason, e.End.Reason, e.End.ErrorType)
			cancel()
		}
	})
	// Output:
	// message, lost before it: 0
	// message, lost before it: 2
	// ended by close 1012 deploy ws_closed_early close_frame
}

// The bounds of the waits double from setback to setback, and begin anew after a session that lasted. A random number
// picks a part of each bound; here it is always the half.
func ExampleBackoff() {
	bounds := session.Reconnect{Min: 500 * time.Millisecond, Max: time.Minute}
	var b session.Backoff
	for _, s := range []session.Setback{
		{},                         // an open that failed
		{Lasted: 10 * time.Second}, // a session that did not last
		{Lasted: time.Hour},        // one that lasted
		{Code: 1012},               // service restart
		{RetryAfter: 20 * time.Second},
	} {
		fmt.Println(b.Wait(bounds, s, 0.5))
	}
	// Output:
	// 250ms
	// 500ms
	// 250ms
	// 17.5s
	// 21s
}
