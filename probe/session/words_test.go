package session

import (
	"testing"
	"time"
)

// TestEndInWords: an end is told as what it was.
func TestEndInWords(t *testing.T) {
	cut := fin(60*sec+20*ms, 12*time.Minute+3*sec)
	busy := fin(120*ms, 800*ms)
	busy.InFlight = InFlight{Ping: true, Heartbeat: true, Message: true}
	drain := closedWith(1001, "", 200*ms, time.Hour)
	for want, end := range map[string]*End{
		"FIN after 60 s without traffic, lifetime 12m3s":                                                           cut,
		"FIN amid traffic, lifetime 800 ms, in the middle of a message, a Ping unanswered, a heartbeat unanswered": busy,
		"RST after 1.5 s without traffic, lifetime 2m0s":                                                           {Cause: ByReset, IdleIn: 1500 * ms, IdleOut: 3 * sec, Lifetime: 2 * time.Minute},
		"close frame 1001 amid traffic, lifetime 1h0m0s":                                                           drain,
		`close frame 4001 "token expired" after 9 s without traffic, lifetime 10 s`:                                closedWith(4001, "token expired", 9*sec, 10*sec),
		"close frame without a code amid traffic, lifetime 10 s":                                                   closedWith(1005, "", 0, 10*sec),
		"no Pong in time, nothing came for 30.1 s, lifetime 40 s":                                                  {Cause: ByPing, IdleIn: 30100 * ms, IdleOut: 10 * sec, Lifetime: 40 * sec, InFlight: InFlight{Ping: true}},
		"no answer to the heartbeat in time, nothing came for 5 s, lifetime 25 s":                                  {Cause: ByHeartbeat, IdleIn: 5 * sec, IdleOut: 5 * sec, Lifetime: 25 * sec},
		"no wanted message for 30 s, lifetime 5m0s":                                                                {Cause: BySilence, SinceWanted: 30 * sec, IdleIn: 40 * ms, Lifetime: 5 * time.Minute},
		"the server does not read, lifetime 11 s":                                                                  {Cause: ByWrite, Lifetime: 11 * sec},
		"breach of the protocol (a reserved bit is set), lifetime 1 s":                                             {Cause: ByBreach, Detail: "a reserved bit is set", Lifetime: sec},
		"no memory left for messages, lifetime 1 s":                                                                {Cause: ByMemory, Detail: "all sessions together", Lifetime: sec},
		"failure of the network (no route to host) after 15 s without traffic, lifetime 119.9 s":                   {Cause: ByNetwork, Detail: "no route to host", IdleIn: 15 * sec, IdleOut: 15 * sec, Lifetime: 119900 * ms},
		"renewed as planned, lifetime 1h0m0s":                                                                      {Cause: ByLifetime, Lifetime: time.Hour},
		"stopped as planned, lifetime 3 s":                                                                         {Cause: ByStop, Lifetime: 3 * sec},
	} {
		if got := end.String(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
