package wstest

import (
	"fmt"
	"time"
)

// The endpoints of this file stay open until something happens to them. Their parameters say when.

const (
	// heldMessage is the longest message that an endpoint that stays open takes, in bytes: many may be open at once.
	heldMessage = 64 << 10
	// heldWrite is how long a client may leave an endpoint that stays open with something to write.
	heldWrite = 30 * time.Second
	// farewellTime is how long a client may take to answer a close frame.
	farewellTime = 5 * time.Second
)

// held is the server's end of a connection that stays open, with the parameters of its request.
type held struct {
	*Conn
	text     string // answers each message
	mute     bool   // messages get no answer
	answered int    // messages, or passed over while mute
	values   map[string]int64
}

// hold makes an endpoint of a script that stays open. A query that cannot be obeyed is refused with 400.
func hold(text string, script func(*held), parameters []Parameter) Script {
	return func(c *Conn) {
		values, err := values(c.Request().URL.RawQuery, parameters)
		if err != nil {
			c.Refuse(400, err.Error()+"\n")
		}
		c.longest, c.stall = heldMessage, heldWrite
		script(&held{Conn: c, text: text, values: values})
	}
}

func (h *held) duration(name string) time.Duration { return time.Duration(h.values[name]) }

// in is the time after a duration that a parameter has.
func (h *held) in(name string) time.Time { return time.Now().Add(h.duration(name)) }

// answer does what an ordinary server does with a frame: it answers a Ping with a Pong, a Close with a Close, and a
// message with the text.
func (h *held) answer(f Frame) {
	h.control(f)
	for ; h.answered < h.visit.Messages; h.answered++ {
		if !h.mute {
			h.Send(Text(h.text))
		}
	}
}

// until serves until a time, or until the client closes if the time is zero.
func (h *held) until(limit time.Time) {
	for {
		f, came := h.ReadBy(limit)
		if !came {
			return
		}
		h.answer(f)
	}
}

// farewell closes, and waits at most 5 s for the answer.
func (h *held) farewell(code int, reason string) {
	h.Send(Close(code, reason))
	for limit := time.Now().Add(farewellTime); h.visit.CloseCode == 0; {
		if _, came := h.ReadBy(limit); !came {
			return
		}
	}
}

// idleCut ends a connection after a time without a frame, or without a message if Pings do not count: by a close frame
// if there is a parameter code, else by a bare FIN.
func idleCut(pingsCount bool) func(*held) {
	return func(h *held) {
		h.Accept()
		for limit := h.in("after"); ; {
			before := h.visit.Messages
			f, came := h.ReadBy(limit)
			if !came {
				if code := h.values["code"]; code != 0 {
					h.farewell(int(code), "")
				}
				return
			}
			h.answer(f)
			if pingsCount || h.visit.Messages > before {
				limit = h.in("after")
			}
		}
	}
}

// lifetime ends a connection at an age: by a close frame, or by a bare FIN if the code is 0.
func lifetime(code int) func(*held) {
	return func(h *held) {
		h.Accept()
		h.until(h.in("after"))
		if code != 0 {
			h.farewell(code, "going away")
		}
	}
}

// drain closes all connections at the same moment, again and again, as a deployment does. It counts periods from start.
// After each but the first, it refuses new connections for a time.
func drain(start time.Time, code int, reason string) func(*held) {
	return func(h *held) {
		every, down := h.duration("every"), h.duration("down")
		age := time.Since(start)
		period, into := age/every, age%every
		if period > 0 && into < down {
			h.Refuse(503, "draining\n", retryAfter(down-into))
		}
		h.Accept()
		h.until(start.Add((period + 1) * every))
		h.farewell(code, reason)
	}
}

// connectThenDrop opens, answers no message, and ends the TCP connection.
func connectThenDrop(h *held) {
	h.mute = true
	h.Accept()
	h.until(h.in("after"))
}

// halfOpen serves for a time. Then it keeps the TCP connection, and says and answers nothing, a Ping or Close neither.
func halfOpen(h *held) {
	h.Accept()
	h.until(h.in("after"))
	h.Hold()
}

// heartbeatStops answers some messages, and then Pings only.
func heartbeatStops(h *held) {
	h.Accept()
	for {
		h.mute = int64(h.visit.Messages) >= h.values["messages"]
		f, _ := h.ReadBy(time.Time{})
		h.answer(f)
	}
}

// serverPings pings, and gives up a client that does not answer in time.
func serverPings(h *held) {
	h.Accept()
	for {
		h.until(h.in("every"))
		before := h.visit.Pongs
		h.Send(Ping("are you there?"))
		for limit := h.in("within"); h.visit.Pongs == before; {
			f, came := h.ReadBy(limit)
			if !came {
				h.farewell(1011, "keepalive ping timeout")
				return
			}
			h.answer(f)
		}
	}
}

// maxOwed is how many Pongs slowPong owes at most. Later Pings get none.
const maxOwed = 100

// slowPong answers messages at once, and Pings after a time.
func slowPong(h *held) {
	type pong struct {
		at      time.Time
		payload string
	}
	var owed []pong
	h.Accept()
	for {
		var limit time.Time
		if len(owed) > 0 {
			limit = owed[0].at
		}
		f, came := h.ReadBy(limit)
		switch {
		case !came:
			h.Send(Pong(owed[0].payload))
			owed = owed[1:]
		case f.Opcode != OpPing:
			h.answer(f)
		case len(owed) < maxOwed:
			owed = append(owed, pong{h.in("after"), f.Payload[:min(len(f.Payload), 125)]})
		}
	}
}

// retryAfter is a header line, with at least one second.
func retryAfter(d time.Duration) string {
	return fmt.Sprintf("Retry-After: %d", max(1, (d+time.Second-1)/time.Second))
}
