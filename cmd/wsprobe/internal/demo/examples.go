package demo

import (
	"crypto/tls"
	"slices"
	"sync/atomic"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/session"
	"github.com/wsprobe/wsprobe/probe/wstest"
	"github.com/wsprobe/wsprobe/reasons"
)

// What the probes say and expect, as a small chat protocol might have it.
const (
	ping = `{"op":"ping"}`
	pong = `{"op":"pong"}`
	want = `"op":"pong"`
)

// example is an endpoint before it is served.
type example struct {
	Endpoint
	script wstest.Script // nil for a port on which nothing listens
	tls    *tls.Config   // nil for none
	query  string        // of the URL, with its question mark
}

// examples are the endpoints of the demo in the order in which they are shown. A run of any of them is over
// within a second, so that a newcomer does not wait.
func examples() []example {
	const ms = time.Millisecond
	ok := Outcome{}
	fails := func(reason reasons.Code, what reasons.ErrorType) Outcome { return Outcome{reason, what} }
	return []example{
		roundTrip("chat", "answers at once", time.Second, 1000*ms, wstest.Reply(pong), ok),
		roundTrip("quotes", "answers in 2 to 150 ms", time.Second, 1000*ms, jitter(), ok),
		roundTrip("lobby", "greets, then answers", 2*time.Second, 1000*ms,
			wstest.Greeting(`{"op":"welcome"}`, pong), ok),
		payments(),
		roundTrip("feed", "silent every third run", time.Second, 500*ms, flapping(), ok, ok,
			fails(reasons.ReplyTimeout, reasons.ReplyTimedOut)),
		trades(),
		roundTrip("gateway", "opens, then is silent", time.Second, 400*ms, wstest.Silent,
			fails(reasons.ReplyTimeout, reasons.ReplyTimedOut)),
		roundTrip("session", "closes with code 4001", 2*time.Second, 1000*ms, wstest.CloseWith(4001, "token expired"),
			fails(reasons.ClosedEarly, reasons.CloseFrame)),
		roundTrip("search", "answers something else", 2*time.Second, 500*ms, wstest.Reply(`{"op":"busy"}`),
			fails(reasons.ReplyMismatch, reasons.ReplyMismatched)),
		roundTrip("admin", "refuses with HTTP 403", 3*time.Second, 1000*ms, wstest.Refuse(403, "who are you?"),
			fails(reasons.OpenFailed, reasons.HTTPStatus(403))),
		roundTrip("legacy", "stalls the handshake", 2*time.Second, 600*ms, wstest.StallHandshake,
			fails(reasons.HandshakeTimeout, reasons.UpgradeTimeout)),
		roundTrip("reports", "nothing listens there", 3*time.Second, 1000*ms, nil,
			fails(reasons.OpenFailed, reasons.ConnectionRefused)),
	}
}

// roundTrip is an example to which the ping is sent.
func roundTrip(name, about string, every, timeout time.Duration, script wstest.Script, outcomes ...Outcome) example {
	return example{
		Endpoint: Endpoint{
			Name: name, About: about, Outcomes: outcomes, Interval: every,
			Labels: map[string]string{"team": "demo"},
			Spec: probe.Spec{
				Interpretation: probe.RoundTripLatency, PingMode: probe.PingMessage, Timeout: timeout,
				Send: ping, Expect: want,
			},
		},
		script: script,
	}
}

// payments is an example of the default interpretation, which sends nothing.
func payments() example {
	return example{
		Endpoint: Endpoint{
			Name: "payments", About: "wss with its own CA", Outcomes: []Outcome{{}}, Interval: 2 * time.Second,
			Labels: map[string]string{"team": "demo"},
			Spec: probe.Spec{
				Interpretation: probe.HandshakeLatency, PingMode: probe.PingNone, Timeout: time.Second,
			},
		},
		script: wstest.Silent,
		// Without a certificate of ours the server makes one, and an authority which the system does not
		// know: the probe is told about it, as one does for services within a company.
		tls: &tls.Config{MinVersion: tls.VersionTLS12},
	}
}

// trades is an example that is held open: messages come, then stay away although Pongs still come, until the session
// is opened anew.
func trades() example {
	const pace = 500 * time.Millisecond
	feeds := wstest.Catalogue("")
	deaf := feeds[slices.IndexFunc(feeds, func(c wstest.Case) bool { return c.Name == "feed-deaf" })]
	return example{
		Endpoint: Endpoint{
			Name: "trades", About: "held open, goes deaf", Interval: time.Second,
			Outcomes: []Outcome{{}, {reasons.ReplyTimeout, reasons.Stale}},
			Labels:   map[string]string{"team": "demo"},
			Session: &session.Spec{
				Interpretation: probe.RoundTripLatency, Timeout: time.Second, PingInterval: time.Second, PingTimeout: time.Second, MaxSilence: 4 * pace,
				Expectation: session.Expectation{Expect: `"ch":"trades"`}, Sequence: "data.seq", SentAt: "data.ts",
				Reconnect: session.Reconnect{Min: 4 * pace, Max: 4 * pace},
			},
		},
		script: deaf.Script,
		query:  "?every=" + pace.String() + "&messages=8",
	}
}

// jitter answers now sooner and now later. The pauses come in a fixed order, not by dice, so that the demo
// looks alike every time.
func jitter() wstest.Script {
	pauses := []time.Duration{2, 11, 4, 38, 7, 150, 24, 3, 60, 14}
	var runs atomic.Int64
	return func(c *wstest.Conn) {
		n := runs.Add(1) - 1
		wstest.SlowReply(pauses[n%int64(len(pauses))]*time.Millisecond, pong)(c)
	}
}

// flapping answers twice and is silent once. Every run is a connection of its own.
func flapping() wstest.Script {
	var runs atomic.Int64
	return func(c *wstest.Conn) {
		if runs.Add(1)%3 == 0 {
			wstest.Silent(c)
			return
		}
		wstest.Reply(pong)(c)
	}
}
