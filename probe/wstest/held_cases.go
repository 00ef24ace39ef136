package wstest

import "time"

const (
	day     = 24 * time.Hour
	tick    = 10 * time.Millisecond // the shortest of most times
	million = 1_000_000
)

// heldCases are the endpoints that stay open until something happens to them.
func heldCases(text string) []Case {
	var all []Case
	for _, family := range [][]heldCase{endingCases(), heartbeatCases(), feedCases()} {
		for _, c := range family {
			all = append(all, Case{c.name, c.does, hold(text, c.script, c.parameters), c.parameters})
		}
	}
	return all
}

// heldCase is an endpoint that stays open, before it knows its text.
type heldCase struct {
	name, does string
	script     func(*held)
	parameters []Parameter
}

func endingCases() []heldCase {
	idle := []Parameter{duration("after", "time without traffic", time.Minute, tick, day)}
	age := []Parameter{duration("after", "age at which it ends", 30*time.Second, tick, day)}
	soon := []Parameter{duration("after", "age at which it ends", 100*time.Millisecond, 0, day)}
	drains := []Parameter{
		duration("every", "time between drains", time.Minute, tick, day),
		duration("down", "time after a drain in which new connections get 503 with Retry-After", 0, 0, day),
	}
	start := time.Now()
	goingAway, restart := drain(start, 1001, "going away"), drain(start, 1012, "service restart")
	return []heldCase{
		{"idle-cut", "ends the TCP connection after a time without a frame, as proxies do", idleCut(true), idle},
		{"idle-cut-messages", "ends the TCP connection after a time without a message, Pings or not", idleCut(false), idle},
		{"idle-close", "closes with a code after a time without a frame, as some servers do", idleCut(true), []Parameter{
			idle[0], number("code", "close code; 1005 for none", 1000, 1000, 4999),
		}},
		{"lifetime-fin", "ends the TCP connection at an age", lifetime(0), age},
		{"lifetime-1001", "closes with 1001 at an age", lifetime(1001), age},
		{"drain-1001", "closes all its connections at once with 1001, again and again", goingAway, drains},
		{"drain-1012", "closes all its connections at once with 1012, again and again", restart, drains},
		{"connect-then-drop", "opens, answers no message, and ends the TCP connection", connectThenDrop, soon},
		{"half-open", "answers for a time, then keeps the TCP connection and is mute, to Pings too", halfOpen, []Parameter{
			duration("after", "time for which it answers", 10*time.Second, tick, day),
		}},
	}
}

func heartbeatCases() []heldCase {
	return []heldCase{
		{"heartbeat-stops", "answers some messages, then Pings only", heartbeatStops, []Parameter{
			number("messages", "messages that are answered", 3, 0, million),
		}},
		{"server-pings", "pings, and closes with 1011 if no Pong comes", serverPings, []Parameter{
			duration("every", "time from a Pong to the next Ping", 20*time.Second, tick, day),
			duration("within", "time for a Pong", 20*time.Second, tick, day),
		}},
		{"slow-pong", "answers messages at once, and Pings late", slowPong, []Parameter{
			duration("after", "time from a Ping to its Pong", 2*time.Second, tick, day),
		}},
	}
}

func feedCases() []heldCase {
	pace := duration("every", "time between messages", time.Second, tick, day)
	apart := func(means string, least int64) Parameter { return number("messages", means, 10, least, million) }
	const ms = time.Millisecond
	delay := duration("step", "delay by which each exceeds the one before", 100*ms, ms, time.Hour)
	return []heldCase{
		{"feed", "sends messages with a number (data.seq) and a time (data.ts)", feed(everyNumber, false), []Parameter{pace}},
		{"feed-deaf", "sends some messages, then only answers Pings and messages", feed(everyNumber, true), []Parameter{
			pace, apart("messages that are sent", 0),
		}},
		{"feed-gap", "sends messages, and leaves out numbers", feed(withGaps, false), []Parameter{
			pace, apart("messages from gap to gap", 1), number("gap", "numbers left out", 3, 1, million),
		}},
		{"feed-repeat", "sends messages, now and then one twice", feed(withRepeats, false), []Parameter{
			pace, apart("messages from repeat to repeat", 1),
		}},
		{"feed-disorder", "sends messages, now and then two in the wrong order", feed(withSwaps, false), []Parameter{
			pace, apart("messages from swap to swap", 2),
		}},
		{"feed-late", "sends messages later and later after their time", feed(everyNumber, false), []Parameter{
			pace, delay,
		}},
	}
}
