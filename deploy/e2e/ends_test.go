package e2e

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"testing"
	"time"
)

// apart is how far a time that was told may be from that of the packets. An idle limit and a reload differ by more.
const apart = time.Second

// wireEnd is the end of a connection as the packets tell it.
type wireEnd struct {
	heldEnd
	at      time.Time
	planned bool // by the client's close frame
}

// end goes through the packets up to the end of the session, and counts as wsprobe is to count.
func (c *wireConn) end(h *holding) (end wireEnd, ok bool) {
	lastIn, lastOut, seq, sends := c.opened, c.opened, int64(0), h.sends
	for _, e := range c.events {
		end.at = e.at
		end.LifetimeMS, end.IdleInMS, end.IdleOutMS = millis(e.at.Sub(c.opened)), millis(e.at.Sub(lastIn)), millis(e.at.Sub(lastOut))
		if e.fromServer {
			end.BytesIn += e.size
		}
		switch {
		case e.rst:
			end.Cause, end.Code = "reset", 1006
			return end, e.fromServer
		case e.fin:
			end.Cause, end.Code = "fin", 1006
			return end, e.fromServer
		case e.opcode == opClose:
			end.Cause, end.Code = "close", 1005
			if len(e.payload) >= 2 {
				end.Code, end.CloseReason = int(binary.BigEndian.Uint16(e.payload)), string(e.payload[2:])
			}
			end.planned = !e.fromServer
			return end, true
		case e.fromServer:
			lastIn = e.at
			if e.opcode == opPong {
				end.Pongs++
			} else if e.opcode < opClose {
				end.Messages++
				if h.counts {
					end.Lost += lost(e.payload, &seq)
				}
			}
		default:
			lastOut = e.at
			if sends && e.opcode < opClose {
				sends = false
				continue
			}
			end.BytesOut += e.size
			if e.opcode == opPing {
				end.Pings++
			}
		}
	}
	return end, false
}

// lost is how many numbers are missing before a message of the feed.
func lost(message []byte, seq *int64) int64 {
	var numbered struct{ Seq int64 }
	if json.Unmarshal(message, &numbered) != nil || numbered.Seq == 0 {
		return 0
	}
	missing := numbered.Seq - *seq - 1
	if *seq == 0 {
		missing = 0
	}
	*seq = numbered.Seq
	return missing
}

// checkAgainst compares every session that was told with a connection of the packets, once each and in order.
func (h *holding) checkAgainst(t *testing.T, conns []*wireConn) {
	t.Helper()
	told := h.ended(t)
	if len(told) != len(conns) {
		t.Fatalf("%s: %d ends were told, the packets have %d connections", h.path, len(told), len(conns))
	}
	var most float64 // the greatest difference of a time
	for i, conn := range conns {
		end, ok := conn.end(h)
		if !ok {
			t.Errorf("%s: connection %d was left without a word", h.path, i+1)
		}
		got := told[i]
		most = max(most, h.compareEnds(t, i+1, got, end))
	}
	var before time.Time
	n := 0
	for _, e := range h.events(t) {
		switch {
		case e.Event == "end":
			before = conns[n].endedAt(h)
			n++
		case opens(e) && n > 0:
			most = max(most, near(t, h.path, n+1, "downtime", e.DowntimeMS, millis(conns[n].opened.Sub(before))))
		}
	}
	t.Logf("%s: %d sessions agree with the packets, times within %.1f ms", h.path, n, most)
}

func (c *wireConn) endedAt(h *holding) time.Time {
	end, _ := c.end(h)
	return end.at
}

// compareEnds returns the greatest difference of a time.
func (h *holding) compareEnds(t *testing.T, n int, got heldEvent, want wireEnd) float64 {
	t.Helper()
	if want.planned { // what was on its way to the agent when it stopped is left out
		if got.Cause != "stop" || got.Reason != "ok" || got.ErrorType != "" || got.Code != want.Code {
			t.Errorf("%s, session %d: told %+v, the client sent close code %d", h.path, n, got, want.Code)
		}
		return near(t, h.path, n, "lifetime", got.LifetimeMS, want.LifetimeMS)
	}
	errorType := map[string]string{"close": "close_frame", "fin": "unexpected_eof", "reset": "connection_reset"}[want.Cause]
	if got.Reason != "ws_closed_early" || got.ErrorType != errorType {
		t.Errorf("%s, session %d: reason %q, error type %q; want ws_closed_early, %s", h.path, n, got.Reason, got.ErrorType, errorType)
	}
	if h.stood {
		if got.Cause != want.Cause || got.Code != want.Code || got.CloseReason != want.CloseReason {
			t.Errorf("%s, session %d: told %+v\nthe packets have %+v", h.path, n, got.heldEnd, want.heldEnd)
		}
		return near(t, h.path, n, "lifetime", got.LifetimeMS, want.LifetimeMS)
	}
	exact := got.heldEnd
	exact.LifetimeMS, exact.IdleInMS, exact.IdleOutMS = want.LifetimeMS, want.IdleInMS, want.IdleOutMS
	if exact != want.heldEnd {
		t.Errorf("%s, session %d: told %+v\nthe packets have %+v", h.path, n, exact, want.heldEnd)
	}
	return max(near(t, h.path, n, "lifetime", got.LifetimeMS, want.LifetimeMS),
		near(t, h.path, n, "idle in", got.IdleInMS, want.IdleInMS),
		near(t, h.path, n, "idle out", got.IdleOutMS, want.IdleOutMS),
		near(t, h.path, n, "time of the end", millis(got.At.Sub(want.at)), 0))
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// near returns the difference of two times in ms, and fails the test if it is too great.
func near(t *testing.T, path string, n int, what string, got, want float64) float64 {
	t.Helper()
	off := math.Abs(got - want)
	if off > millis(apart) {
		t.Errorf("%s, session %d: %s %.1f ms, the packets have %.1f ms", path, n, what, got, want)
	}
	return off
}
