package main

import (
	"fmt"
	"strings"

	"github.com/wsprobe/wsprobe/probe/session"
)

// sessionEndTable lists who or what ends a session.
func sessionEndTable() string {
	words := map[session.Cause]string{
		session.ByClose:     "a close frame of the server, with its code",
		session.ByFIN:       "the end of the TCP connection without a close frame",
		session.ByReset:     "a TCP reset",
		session.ByNetwork:   "another failure of the network",
		session.ByPing:      "no Pong within `ping_timeout`",
		session.ByHeartbeat: "no answer to a heartbeat within its `timeout_ms`",
		session.BySilence:   "no wanted message within `max_silence`",
		session.ByWrite:     "the server did not read for 10 s",
		session.ByBreach:    "the server broke RFC 6455 or a limit",
		session.ByMemory:    "the messages under way in all sessions took too much memory",
		session.ByLifetime:  "our plan: `max_lifetime`",
		session.ByStop:      "our plan: the agent stops, or the probe has changed or is gone",
	}
	var b strings.Builder
	b.WriteString("| end | who or what ended the session | |\n|---|---|---|\n")
	for _, cause := range session.Causes() {
		planned := ""
		if cause.Planned() {
			planned = "ok"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", cause, words[cause], planned)
	}
	return b.String()
}

// ownerTable lists whose defaults and habits end sessions.
func ownerTable() string {
	var b strings.Builder
	b.WriteString("| product | version | setting or deed | limit on | after | the end |\n|---|---|---|---|---|---|\n")
	for _, o := range session.Owners() {
		after := ""
		if o.After > 0 {
			after = session.Span(o.After)
		}
		if o.Late > 0 {
			after += " to " + session.Span(o.After+o.Late)
		}
		end := "FIN"
		switch {
		case o.Cause == session.ByClose && o.Code == 1005:
			end = "close frame without a code"
		case o.Cause == session.ByClose:
			end = fmt.Sprintf("close %d %s", o.Code, o.CloseReason)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", o.Product, o.Version, o.Setting, o.Limit, after, strings.TrimSpace(end))
	}
	return b.String()
}
