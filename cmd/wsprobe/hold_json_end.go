package main

import (
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/session"
	"github.com/wsprobe/wsprobe/reasons"
)

// holdEnd is the end of a session.
type holdEnd struct {
	holdHead
	Cause        session.Cause     `json:"cause" doc:"end: close, fin, reset, network, ping, heartbeat, silence, write, breach, memory, lifetime or stop"`
	Planned      bool              `json:"planned" doc:"end: ended on purpose, by --max-lifetime or at the end of hold"`
	Reason       string            `json:"reason" doc:"end: ok, or one of the five codes"`
	ErrorType    reasons.ErrorType `json:"error_type" doc:"end: what broke; empty for a planned end"`
	CloseCode    int               `json:"close_code" doc:"end: of the server's close frame, 1005 for one without a code, 1006 for an end without a frame, or else the one that was sent"`
	CloseReason  string            `json:"close_reason" doc:"end: the server's text beside the code"`
	Connection   string            `json:"connection,omitempty" doc:"end: the connection that ended, if that is not the main one"`
	Detail       string            `json:"detail" doc:"end: a sentence about a breach or a failure"`
	Text         string            `json:"text"`
	Lifetime     float64           `json:"lifetime_ms" doc:"end: time since the open"`
	IdleIn       float64           `json:"idle_in_ms" doc:"end: time since the last byte from the server, or since the open"`
	IdleOut      float64           `json:"idle_out_ms" doc:"end: time since the last byte to the server, or since the open"`
	LongestIdle  float64           `json:"longest_idle_ms" doc:"end: longest time without traffic that the session outlived"`
	SinceMessage float64           `json:"since_message_ms" doc:"end: time since the last data message, or since the open"`
	SinceWanted  float64           `json:"since_wanted_ms" doc:"end: time since the last wanted message, or since the open"`
	InFlight     []string          `json:"in_flight" doc:"end: what had no end: ping, heartbeat, message"`
	Wait         *float64          `json:"next_open_in_ms,omitempty"`
	holdTotals
}

// holdTotals are sums over a session, or over all.
type holdTotals struct {
	BytesIn    uint64 `json:"bytes_in" doc:"end, summary: bytes of frames that came"`
	BytesOut   uint64 `json:"bytes_out" doc:"end, summary: bytes of frames that were sent"`
	Messages   uint64 `json:"messages" doc:"end, summary: data messages that came"`
	Wanted     uint64 `json:"wanted_messages" doc:"end, summary: the wanted ones of them"`
	Pings      uint64 `json:"pings" doc:"end, summary: Pings that were sent"`
	Pongs      uint64 `json:"pongs" doc:"end, summary: Pings that were answered"`
	Beats      uint64 `json:"heartbeats" doc:"end, summary: heartbeats that were answered"`
	Lost       uint64 `json:"lost"`
	Repeated   uint64 `json:"repeated"`
	Disordered uint64 `json:"disordered"`
}

func totalsAsJSON(t session.Totals) holdTotals {
	return holdTotals{t.BytesIn, t.BytesOut, t.Messages, t.Wanted, t.Pings, t.Pongs, t.Beats, t.Lost, t.Repeated, t.Disordered}
}

func endAsJSON(head holdHead, e session.Event) holdEnd {
	end := e.End
	view := holdEnd{
		holdHead: head, Cause: end.Cause, Planned: end.Cause.Planned(), Reason: end.Reason.String(), ErrorType: end.ErrorType,
		CloseCode: end.Code, CloseReason: end.CloseReason, Connection: end.Connection, Detail: end.Detail, Text: end.String(),
		Lifetime: probe.Millis(end.Lifetime), IdleIn: probe.Millis(end.IdleIn), IdleOut: probe.Millis(end.IdleOut),
		LongestIdle: probe.Millis(end.LongestIdle), SinceMessage: probe.Millis(end.SinceMessage), SinceWanted: probe.Millis(end.SinceWanted),
		InFlight: []string{}, holdTotals: totalsAsJSON(end.Totals),
	}
	for _, part := range []struct {
		name string
		is   bool
	}{{"ping", end.InFlight.Ping}, {"heartbeat", end.InFlight.Heartbeat}, {"message", end.InFlight.Message}} {
		if part.is {
			view.InFlight = append(view.InFlight, part.name)
		}
	}
	if end.Cause != session.ByStop {
		view.Wait = millis(e.Wait)
	}
	return view
}

// holdFinding is what the open after an end tells of it.
type holdFinding struct {
	holdHead
	Verdict session.Verdict `json:"verdict" doc:"finding: likely story behind the end: planned, stopped, backend_gone, drained, limit_reached, unheard, replaced, mute, broken or unknown"`
	Sure    bool            `json:"sure" doc:"finding: it is certain"`
	Limit   session.Limit   `json:"limit" doc:"finding: idle or lifetime, if such a limit was reached"`
	Alike   int             `json:"alike_ends" doc:"finding: how many of the last ends were alike, 0 or from 3 on"`
	After   float64         `json:"alike_after_ms" doc:"finding: the idle time or the lifetime that these share"`
	Owners  []holdOwner     `json:"owners" doc:"finding: whose limit it may be, the surest first: product, version, setting"`
	Text    string          `json:"text"`
}

type holdOwner struct {
	Product string `json:"product"`
	Version string `json:"version"`
	Setting string `json:"setting"`
}

func findingAsJSON(head holdHead, e session.Event, words reasons.Words) holdFinding {
	f := e.Finding
	view := holdFinding{holdHead: head, Verdict: f.Verdict, Sure: f.Sure, Limit: f.Limit, Alike: f.Habit.Ends,
		After: probe.Millis(f.Habit.After), Owners: []holdOwner{}, Text: (&metrics.Session{End: e.End, Finding: f}).Hint(words)}
	for _, o := range f.Owners {
		view.Owners = append(view.Owners, holdOwner{o.Product, o.Version, o.Setting})
	}
	return view
}

// holdSummary is the last line.
type holdSummary struct {
	holdHead
	Held        bool                  `json:"held" doc:"summary: open at the end, without a failed open or an unplanned end; the exit code is then 0"`
	Sessions    int                   `json:"sessions" doc:"summary: how many opened"`
	FailedOpens int                   `json:"failed_opens" doc:"summary: how many opens failed"`
	Ends        map[session.Cause]int `json:"ends" doc:"summary: ends by their causes"`
	Unplanned   int                   `json:"unplanned_ends" doc:"summary: those that were not on purpose"`
	Total       float64               `json:"total_ms" doc:"summary: time from the start to the end"`
	Open        float64               `json:"open_ms" doc:"summary: time in which a session was open"`
	LongestDown float64               `json:"longest_downtime_ms" doc:"summary: longest time from an end to the next open"`
	Numbered    int                   `json:"numbered_messages" doc:"summary: wanted messages with a number at --sequence"`
	Dated       int                   `json:"dated_messages" doc:"summary: wanted messages with a time at --sent-at"`
	ServerPings int                   `json:"server_pings" doc:"summary: Pings of the server, of which several at once count as one"`
	Unanswered  int                   `json:"unanswered_pings" doc:"summary: Pings without an answer of their own that another Pong saved"`
	holdTotals
	LongestGap *float64    `json:"longest_gap_ms" doc:"summary: longest time between two wanted messages"`
	Handshake  *holdSpread `json:"handshake" doc:"summary: of the opens: min_ms, p50_ms, p99_ms, max_ms"`
	Ping       *holdSpread `json:"ping" doc:"summary: of the Pongs, likewise"`
	Heartbeat  *holdSpread `json:"heartbeat" doc:"summary: of the heartbeats, likewise"`
	Age        *holdSpread `json:"age" doc:"summary: of the wanted messages, likewise"`
}

// holdSpread is a distribution; nil if there is no value.
type holdSpread struct {
	Min float64 `json:"min_ms"`
	P50 float64 `json:"p50_ms"`
	P99 float64 `json:"p99_ms"`
	Max float64 `json:"max_ms"`
}

func spreadAsJSON(s *sample) *holdSpread {
	if s.n == 0 {
		return nil
	}
	q := s.quantiles(50, 99)
	return &holdSpread{probe.Millis(s.least), probe.Millis(q[0]), probe.Millis(q[1]), probe.Millis(s.most)}
}

func (d *holdJSON) sum(t *tally) error {
	view := holdSummary{
		holdHead: holdHead{Event: "summary", At: t.ended.UTC()}, Held: t.held(), Sessions: t.sessions, FailedOpens: t.failedOpens,
		Ends: t.ends, Unplanned: t.unplanned, Total: probe.Millis(t.ended.Sub(t.began)), Open: probe.Millis(t.openFor),
		LongestDown: probe.Millis(t.longestDown), Unanswered: t.unanswered, ServerPings: t.pinged, Numbered: t.numbered, Dated: t.ages.n, holdTotals: totalsAsJSON(t.totals),
		Handshake: spreadAsJSON(&t.opens), Ping: spreadAsJSON(&t.pings), Heartbeat: spreadAsJSON(&t.beats), Age: spreadAsJSON(&t.ages),
	}
	if view.Ends == nil {
		view.Ends = map[session.Cause]int{}
	}
	if t.gaps {
		view.LongestGap = millis(t.longestGap)
	}
	return d.out.Encode(view)
}
