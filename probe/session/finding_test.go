package session

import (
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/reasons"
)

// past ends, for tests.
func fin(idle, life time.Duration) *End {
	end := &End{Cause: ByFIN, Code: 1006, IdleIn: idle, IdleOut: idle, Lifetime: life}
	if idle < life {
		end.Totals.Messages = 1
	}
	return end
}

func closedWith(code int, reason string, idle, life time.Duration) *End {
	return &End{Cause: ByClose, Code: code, CloseReason: reason, IdleIn: idle, IdleOut: idle, Lifetime: life}
}

// found makes an end one that was found late.
func found(lag time.Duration, end *End) *End {
	end.Lag = lag
	return end
}

// TestHabit holds when the last ends have something in common.
func TestHabit(t *testing.T) {
	pinged := func(idle, life, longest time.Duration) *End {
		end := fin(idle, life)
		end.LongestIdle = longest
		return end
	}
	stop := &End{Cause: ByStop, Lifetime: sec}
	for name, test := range map[string]struct {
		ends []*End // the latest last
		want Habit
	}{
		"none":                            {nil, Habit{}},
		"two":                             {[]*End{fin(60*sec, 70*sec), fin(60*sec, 90*sec)}, Habit{}},
		"idle time":                       {[]*End{fin(60*sec, 70*sec), fin(60400*ms, 90*sec), fin(60*sec, 300*sec)}, Habit{IdleLimit, 60200 * ms, 3}},
		"both: the idle time explains it": {[]*End{fin(60*sec, 60*sec), fin(60*sec, 60*sec), fin(60*sec, 60*sec)}, Habit{IdleLimit, 60 * sec, 3}},
		"lifetime":                        {[]*End{fin(3*sec, 3600*sec), fin(8*sec, 3600*sec), fin(0, 3600*sec), fin(9*sec, 3600200*ms)}, Habit{LifetimeLimit, 3600100 * ms, 4}},
		"an idle time that was outlived before is no limit": {[]*End{pinged(10*sec, 3610*sec, 20*sec), pinged(10*sec, 3610*sec, 20*sec), pinged(10*sec, 3610*sec, 20*sec)},
			Habit{LifetimeLimit, 3610 * sec, 3}},
		"found too late by an agent that stood still": {[]*End{found(sec, fin(60*sec, 70*sec)), found(sec, fin(60*sec, 70*sec)), found(sec, fin(60*sec, 70*sec))}, Habit{}},
		"an earlier end differs":                      {[]*End{fin(7*sec, 8*sec), fin(60*sec, 70*sec), fin(60*sec, 80*sec), fin(60*sec, 90*sec)}, Habit{IdleLimit, 60 * sec, 3}},
		"the last end differs":                        {[]*End{fin(60*sec, 70*sec), fin(60*sec, 80*sec), fin(60*sec, 90*sec), fin(7*sec, 8*sec)}, Habit{}},
		"more than a second apart":                    {[]*End{fin(60*sec, 70*sec), fin(61*sec, 90*sec), fin(62*sec, 200*sec)}, Habit{}},
		"ended in another way":                        {[]*End{fin(60*sec, 70*sec), closedWith(1000, "", 60*sec, 80*sec), fin(60*sec, 90*sec)}, Habit{}},
		"our own stop between does not count":         {[]*End{fin(60*sec, 70*sec), fin(60*sec, 80*sec), stop, fin(60*sec, 90*sec)}, Habit{IdleLimit, 60 * sec, 3}},
		"five at most": {[]*End{fin(60*sec, 7*sec), fin(60*sec, 70*sec), fin(60*sec, 80*sec), fin(60*sec, 90*sec), fin(60*sec, 100*sec), fin(60*sec, 110*sec), fin(60*sec, 120*sec)},
			Habit{IdleLimit, 60 * sec, 5}},
		"no traffic for a moment is no limit": {[]*End{fin(0, 7*sec), fin(0, 70*sec), fin(0, 80*sec)}, Habit{}},
	} {
		t.Run(name, func(t *testing.T) {
			var h history
			for _, end := range test.ends {
				h.note(end)
			}
			if got := h.habit(); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

// TestFind holds the stories that people are told.
func TestFind(t *testing.T) {
	opens, refused := Next{Known: true}, Next{Known: true, ErrorType: reasons.ConnectionRefused}
	gateway := Next{Known: true, ErrorType: reasons.HTTPStatus(502)}
	idle := Habit{IdleLimit, 60 * sec, 5}
	for name, test := range map[string]struct {
		end     *End
		habit   Habit
		next    Next
		verdict Verdict
		sure    bool
		owner   string // the first
		says    string
	}{
		"idle cut, five times": {fin(60*sec, 90*sec), idle, opens, LimitReached, true, "nginx",
			"the last 5 sessions ended after 60 s without traffic; an idle limit of the server or of something in between: send Pings or heartbeats more often, or raise it; " +
				"such ends are known of nginx 1.22.1 (proxy_read_timeout), Apache httpd 2.4.71 (Timeout, ProxyTimeout), nghttpx 1.52 (its read timeout), " +
				"HAProxy 2.6.12 (timeout tunnel, or timeout client and timeout server)"},
		"as idle as a limit, by the clock of an agent that stood still": {found(20*sec, fin(60*sec, 90*sec)), Habit{}, opens, Replaced, false, "",
			"perhaps a reload, a quick restart or a crash: a new session opens"},
		"idle cut, once":         {fin(60*sec, 90*sec), Habit{}, opens, LimitReached, false, "nginx", ""},
		"idle cut at 17 s, once": {fin(17*sec, 90*sec), Habit{}, opens, Replaced, false, "", "perhaps an idle limit, a reload, a quick restart or a crash: a new session opens"},
		"idle cut at 17 s, thrice": {fin(17*sec, 90*sec), Habit{IdleLimit, 17 * sec, 3}, opens, LimitReached, true, "HAProxy",
			"the last 3 sessions ended after 17 s without traffic; an idle limit of the server or of something in between: send Pings or heartbeats more often, or raise it; " +
				"such ends are known of HAProxy 2.6.12 (timeout tunnel, or timeout client and timeout server), nginx 1.22.1 (proxy_read_timeout, by default 60 s), " +
				"Apache httpd 2.4.71 (Timeout, ProxyTimeout, by default 60 s), nghttpx 1.52 (its read timeout, by default 60 s), Mojolicious 9.31 (its inactivity timeout, by default 30 s)"},
		"Socket.IO with shorter Pings": {closedWith(1005, "", 2*sec, 6*sec), Habit{LifetimeLimit, 6 * sec, 3}, opens, LimitReached, true, "Socket.IO", ""},
		"Centrifugo, silent since the open": {closedWith(3502, "stale", 10*sec, 10*sec), Habit{IdleLimit, 10 * sec, 3}, opens, LimitReached, true, "Centrifugo",
			"the last 3 sessions ended 10 s after they opened; " +
				"a limit on the lifetime, or on the wait for a first message: renew sooner, or send what the server waits for; such ends are known of Centrifugo 6.9.1 (no connect command came)"},
		"silent since the open, of nobody known": {closedWith(4000, "", 10*sec, 10*sec), Habit{IdleLimit, 10 * sec, 3}, opens, LimitReached, true, "",
			"the last 3 sessions ended after 10 s without traffic; an idle limit of the server or of something in between: send Pings or heartbeats more often, or raise it"},
		"Mosquitto without a CONNECT, which looks every 6 s": {fin(95*sec, 95*sec), Habit{}, opens, LimitReached, false, "mosquitto", ""},
		"silent for 30 s since the open": {fin(30*sec, 30*sec), Habit{IdleLimit, 30 * sec, 3}, opens, LimitReached, true, "Mojolicious",
			"the last 3 sessions ended after 30 s without traffic; an idle limit of the server or of something in between: send Pings or heartbeats more often, or raise it; " +
				"such ends are known of Mojolicious 9.31 (its inactivity timeout), HAProxy 2.6.12 (timeout tunnel, or timeout client and timeout server), " +
				"aedes 1.2.0 (no CONNECT packet came)"},
		"FINs after an hour": {fin(sec, time.Hour), Habit{LifetimeLimit, time.Hour, 3}, opens, LimitReached, true, "", ""},
		"lifetime of an hour": {closedWith(1001, "", sec, time.Hour), Habit{LifetimeLimit, time.Hour, 3}, opens, LimitReached, true, "", "the last 3 sessions ended 1h0m0s after they opened; " +
			"a limit on the lifetime, or on the wait for a first message: renew sooner, or send what the server waits for"},
		"idle by RabbitMQ":      {closedWith(1000, "", 60*sec, 60*sec), Habit{}, opens, LimitReached, false, "RabbitMQ web_mqtt and web_stomp", ""},
		"stopped":               {fin(60*sec, 90*sec), idle, refused, Stopped, true, "", ""},
		"back end gone":         {fin(sec, 90*sec), Habit{}, gateway, BackendGone, true, "", ""},
		"cut while it was busy": {fin(sec, 90*sec), Habit{}, opens, Replaced, false, "", ""},
		"not known yet":         {fin(sec, 90*sec), Habit{}, Next{}, Unknown, false, "", ""},
		"drain":                 {closedWith(1012, "", sec, 90*sec), Habit{}, opens, Drained, true, "Uvicorn with wsproto", ""},
		"drain, then stopped":   {closedWith(1001, "", sec, 90*sec), Habit{}, refused, Stopped, true, "", ""},
		"Tomcat's stop":         {closedWith(1001, "The web application is stopping", sec, 90*sec), Habit{}, opens, Drained, true, "Tomcat", ""},
		"unheard":               {closedWith(3012, "no pong", sec, 90*sec), Habit{}, opens, Unheard, true, "Centrifugo", ""},
		"normal":                {closedWith(1000, "bye", sec, 90*sec), Habit{}, opens, Unknown, false, "", ""},
		"planned":               {&End{Cause: ByLifetime}, idle, opens, Planned, true, "", ""},
		"deaf":                  {&End{Cause: BySilence}, Habit{}, opens, Mute, true, "", "the connection stood, but what was waited for did not come"},
		"no pong, then refused": {&End{Cause: ByPing}, Habit{}, refused, Stopped, true, "", ""},
		"breach":                {&End{Cause: ByBreach}, Habit{}, opens, Broken, true, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := Find(test.end, test.habit, test.next)
			owner := ""
			if len(f.Owners) > 0 {
				owner = f.Owners[0].Product
			}
			if f.Verdict != test.verdict || f.Sure != test.sure || owner != test.owner {
				t.Errorf("got %s, %t, %q; want %s, %t, %q", f.Verdict, f.Sure, owner, test.verdict, test.sure, test.owner)
			}
			if test.says != "" && f.String() != test.says {
				t.Errorf("it says %q", f)
			}
		})
	}
}
