package probe_test

import (
	"context"
	"fmt"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/wstest"
)

// A server that answers, and one that hangs up: every value that was measured is in the result.
func ExampleProbe_Run() {
	for _, script := range []wstest.Script{wstest.Reply(`{"op":"pong"}`), wstest.CloseWith(4001, "token expired")} {
		server := wstest.Memory(script)
		p, err := probe.New(probe.Spec{
			Opening:        probe.Opening{URL: server.URL, Dial: server.Dial},
			Interpretation: probe.RoundTripLatency,
			Send:           `{"op":"ping"}`,
			Expect:         `"op":"pong"`,
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		result, err := p.Run(context.Background())
		if err != nil {
			fmt.Println("nothing was measured:", err)
			return
		}
		_, measured := probe.RoundTripLatency.Value(result)
		success, _ := probe.ConnectionSuccess.Value(result)
		fmt.Println(result.Reason, result.ErrorType, result.CloseCode, measured, success)
		server.Close()
	}
	// Output:
	// ok  0 true 1
	// ws_closed_early close_frame 4001 false 1
}

// A message goes from a publisher to a subscriber. The round trip is the time from the one to the other.
func ExampleStep_fanOut() {
	server := wstest.Memory(relayed())
	defer server.Close()
	join, message := "join", "{{nonce}}"
	p, err := probe.New(probe.Spec{
		Opening:        probe.Opening{URL: server.URL, Dial: server.Dial},
		Interpretation: probe.RoundTripLatency,
		Exchange: []probe.Step{
			{On: "subscriber", Send: &join, Expect: new("joined")},
			{Send: &message},
			{On: "subscriber", Expect: &message, Measure: true},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := p.Run(context.Background())
	fmt.Println(err, result.Reason, result.Replied, len(result.Steps))
	// Output: <nil> ok true 3
}

// relayed is a server that passes messages on to the connection that has joined.
func relayed() wstest.Script {
	joined := make(chan *wstest.Conn, 1)
	return func(c *wstest.Conn) {
		c.Accept()
		text := c.Message()
		if text == "join" {
			c.Send(wstest.Text("joined"))
			joined <- c
			c.Serve()
			return
		}
		(<-joined).Send(wstest.Text(text))
		c.Serve()
	}
}
