package main

import (
	"encoding/json"
	"io"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/session"
	"github.com/wsprobe/wsprobe/reasons"
)

// holdJSON prints a line for each event. The keys and their doc tags are those of the README.
type holdJSON struct {
	out   *json.Encoder
	probe *metrics.Identity
	words reasons.Words // of whom hints are for
}

func newHoldJSON(w io.Writer, probe *metrics.Identity, words reasons.Words) *holdJSON {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false) // it goes to a terminal or to jq
	return &holdJSON{out: out, probe: probe, words: words}
}

// holdHead is what every line has.
type holdHead struct {
	Event   string    `json:"event" doc:"start, open, open_failed, pong, ping (of the server), unanswered, heartbeat, message, messages, renewal, end, closed, finding or summary"`
	At      time.Time `json:"at" doc:"when it happened, UTC"`
	Session int       `json:"session,omitempty" doc:"number of the session, from 1; that of a failed open is the next one"`
}

type holdStart struct {
	holdHead
	Probe string `json:"probe" doc:"start: name of the probe; of hold URL, its URL"`
	URL   string `json:"url" doc:"start: the endpoint, without its query"`
}

type holdOpen struct {
	holdHead
	Downtime *float64             `json:"downtime_ms,omitempty" doc:"open: from the last end to this open; 0 if this session opened first, absent for the first one"`
	Wait     *float64             `json:"next_open_in_ms,omitempty" doc:"open_failed, end: time until the next open"`
	Result   *metrics.Observation `json:"result" doc:"open, open_failed: the open, as once --json has a result"`
}

type holdTrip struct {
	holdHead
	RTT float64 `json:"rtt_ms" doc:"pong, heartbeat: from the Ping or the message to its answer"`
}

type holdMessage struct {
	holdHead
	Text       string   `json:"text" doc:"message: how it begins, at most 256 bytes; end, finding: the same for people"`
	Binary     bool     `json:"binary" doc:"message: it is a binary one"`
	Bytes      int      `json:"bytes" doc:"message: its length after inflating; messages: of all"`
	Wanted     bool     `json:"wanted" doc:"message: it is one of the wanted ones; messages: how many are"`
	Gap        *float64 `json:"gap_ms,omitempty" doc:"message: time since the wanted message before, or since the open"`
	Age        *float64 `json:"age_ms,omitempty" doc:"message: its age by --sent-at; messages: the greatest"`
	Lost       int64    `json:"lost" doc:"message, messages: numbers of --sequence that are missing before; end, summary: those that never came"`
	Repeated   bool     `json:"repeated" doc:"message: its number came before; messages, end, summary: how many are so"`
	Disordered bool     `json:"disordered" doc:"message: its number is lower than an earlier one; messages, end, summary: how many are so"`
}

// holdMessages are messages without a line of their own.
type holdMessages struct {
	holdHead
	Count      int      `json:"count" doc:"messages: how many came without a line of their own"`
	Bytes      int64    `json:"bytes"`
	Wanted     int      `json:"wanted"`
	Age        *float64 `json:"age_ms,omitempty"`
	Lost       int64    `json:"lost"`
	Repeated   int      `json:"repeated"`
	Disordered int      `json:"disordered"`
}

// holdClosed is the end of the connection, after that of the session.
type holdClosed struct {
	holdHead
	Clean bool `json:"clean" doc:"closed: both close frames were exchanged and the server ended the connection"`
}

func (d *holdJSON) begin(spec session.Spec) error {
	return d.out.Encode(holdStart{holdHead{"start", time.Now().UTC(), 0}, d.probe.Name(), d.probe.Target().URL})
}

func (d *holdJSON) event(e heldEvent) error {
	head := holdHead{At: e.At.UTC(), Session: e.number}
	as := func(name string) holdHead {
		head.Event = name
		return head
	}
	switch e.Kind {
	case session.Opened:
		view := holdOpen{holdHead: as("open"), Result: d.result(e)}
		if e.number > 1 {
			view.Downtime = millis(e.Downtime)
		}
		return d.out.Encode(view)
	case session.OpenFailed:
		return d.out.Encode(holdOpen{holdHead: as("open_failed"), Wait: millis(e.Wait), Result: d.result(e)})
	case session.Ponged:
		return d.out.Encode(holdTrip{as("pong"), probe.Millis(e.RTT)})
	case session.Beat:
		return d.out.Encode(holdTrip{as("heartbeat"), probe.Millis(e.RTT)})
	case session.Unanswered:
		return d.out.Encode(as("unanswered"))
	case session.Pinged:
		return d.out.Encode(as("ping"))
	case session.RenewalDue:
		return d.out.Encode(as("renewal"))
	case session.Received:
		return d.out.Encode(messageAsJSON(as("message"), e.Message))
	case session.Ended:
		return d.out.Encode(endAsJSON(as("end"), e.Event))
	case session.Closed:
		return d.out.Encode(holdClosed{as("closed"), e.Clean})
	case session.Explained:
		return d.out.Encode(findingAsJSON(as("finding"), e.Event, d.words))
	}
	return nil
}

// result is an open as a result.
func (d *holdJSON) result(e heldEvent) *metrics.Observation {
	return &metrics.Observation{Probe: d.probe, Result: *e.Open, Words: d.words}
}

func messageAsJSON(head holdHead, m session.Message) holdMessage {
	view := holdMessage{holdHead: head, Text: m.Beginning(), Binary: m.Binary, Bytes: m.Size, Wanted: m.Wanted, Lost: m.Lost, Repeated: m.Repeated, Disordered: m.Disordered}
	if m.Wanted {
		view.Gap = millis(m.Gap)
	}
	if m.Dated {
		view.Age = millis(m.Age)
	}
	return view
}

func (d *holdJSON) several(c crowd) error {
	view := holdMessages{holdHead{Event: "messages", At: c.until.UTC()}, c.messages, c.bytes, c.wanted, nil, c.lost, c.repeated, c.disorder}
	if c.dated {
		view.Age = millis(c.oldest)
	}
	return d.out.Encode(view)
}

// pulse shows nothing: each line is an event.
func (d *holdJSON) pulse(*tally, time.Time) error { return nil }

func millis(d time.Duration) *float64 {
	ms := probe.Millis(d)
	return &ms
}
