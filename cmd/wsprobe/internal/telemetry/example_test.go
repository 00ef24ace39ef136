package telemetry_test

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/telemetry"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/reasons"
)

// Two runs of a probe, the second without a reply, and what a back end receives about them.
func Example() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	backend := receiver.Receiver{Point: func(p receiver.Point) {
		if p.Kind == "gauge" && p.Time.Year() == 2026 && p.Time.Month() == time.January { // the others are of the collection
			fmt.Println(p.Time.UTC().Format(time.TimeOnly), p.Metric, p.Value, p.Attributes["wsprobe.reason"])
		}
	}}
	serving, stopServing := context.WithCancel(context.Background())
	defer stopServing()
	served := make(chan error)
	go func() { served <- backend.Serve(serving, listener) }()

	t, err := telemetry.New(telemetry.Options{Endpoint: "http://" + listener.Addr().String()})
	if err != nil {
		fmt.Println(err)
		return
	}
	chat := metrics.NewIdentity(metrics.Target{
		Name: "chat", Interpretation: probe.RoundTripLatency, Address: "chat.example.com", Port: 443, Scheme: "wss",
	})
	series := t.Probe(chat)
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	series.Observe(&metrics.Observation{Probe: chat, Result: probe.Result{
		Started: noon, Ended: noon.Add(time.Second),
		Opened: true, Handshake: 40 * time.Millisecond, Replied: true, RoundTrip: 12 * time.Millisecond,
	}})

	series.Observe(&metrics.Observation{Probe: chat, Result: probe.Result{
		Started: noon.Add(time.Minute), Ended: noon.Add(time.Minute + time.Second),
		Opened: true, Handshake: 45 * time.Millisecond,
		Reason: reasons.ReplyTimeout, ErrorType: reasons.ReplyTimedOut,
	}})

	ctx, stop := context.WithCancel(context.Background())
	stop() // Run delivers what there is, and returns
	if err := t.Run(ctx); err != nil {
		fmt.Println(err)
	}
	stopServing()
	<-served

	// Output:
	// 12:00:01 wsprobe.handshake_latency 40 <nil>
	// 12:01:01 wsprobe.handshake_latency 45 <nil>
	// 12:00:01 wsprobe.round_trip_latency 12 <nil>
	// 12:00:01 wsprobe.connection_success 1 ok
	// 12:01:01 wsprobe.connection_success 1 ws_reply_timeout
	// 12:00:01 wsprobe.success 1 <nil>
	// 12:01:01 wsprobe.success 0 <nil>
}
