package wstest

import (
	"fmt"
	"time"
)

// feed sends numbered messages at a pace, each with its time, and answers those of the client. The function says which
// numbers go out at a tick, the first of which is 1. With a parameter step, messages are later by that at each tick. A
// feed that stops has a last tick, and goes on answering.
func feed(numbers func(h *held, tick int64) []int64, stops bool) func(*held) {
	return func(h *held) {
		h.Accept()
		every, step := h.duration("every"), h.duration("step")
		start := time.Now()
		for tick := int64(1); !stops || tick <= h.values["messages"]; tick++ {
			written := start.Add(time.Duration(tick-1) * every)
			sent := written.Add(time.Duration(tick-1) * step)
			h.until(sent)
			if step == 0 {
				written = time.Now()
			}
			var frames []Frame
			for _, n := range numbers(h, tick) {
				frames = append(frames, Text(trade(n, written)))
			}
			h.Send(frames...)
		}
		h.until(time.Time{})
	}
}

// trade is a message of a feed. Its nesting is that of many such feeds.
func trade(number int64, at time.Time) string {
	return fmt.Sprintf(`{"ch":"trades","data":{"seq":%d,"ts":"%s"}}`, number, at.UTC().Format(time.RFC3339Nano))
}

func everyNumber(_ *held, tick int64) []int64 { return []int64{tick} }

// withGaps leaves out numbers after each so many messages.
func withGaps(h *held, tick int64) []int64 {
	return []int64{tick + (tick-1)/h.values["messages"]*h.values["gap"]}
}

// withRepeats sends each so-many-th message twice.
func withRepeats(h *held, tick int64) []int64 {
	if tick%h.values["messages"] == 0 {
		return []int64{tick, tick}
	}
	return []int64{tick}
}

// withSwaps lets each so-many-th message change places with the one after it.
func withSwaps(h *held, tick int64) []int64 {
	switch messages := h.values["messages"]; {
	case tick%messages == 0:
		return []int64{tick + 1}
	case tick > 1 && (tick-1)%messages == 0:
		return []int64{tick - 1}
	}
	return []int64{tick}
}
