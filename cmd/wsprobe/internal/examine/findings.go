package examine

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wsprobe/wsprobe/probe/session"
)

// What findings are about, in the order of the report.
const (
	AboutIdle     = "idle"
	AboutPings    = "pings"
	AboutLifetime = "lifetime"
	AboutMessages = "messages"
	AboutClose    = "close"
	AboutOpening  = "opening"
)

// Abouts returns what findings are about, in the order of the report.
func Abouts() []string {
	return []string{AboutIdle, AboutPings, AboutLifetime, AboutMessages, AboutClose, AboutOpening}
}

// findings are the conclusions in sentences.
func (j *judge) findings() []Finding {
	return slices.Concat(j.aboutIdle(), j.aboutKeeping(), j.aboutPings(), j.aboutLifetime(), j.aboutMessages(), j.aboutClose(), j.aboutOpening())
}

func found(about, format string, args ...any) Finding {
	return Finding{About: about, Text: fmt.Sprintf(format, args...)}
}

func (f Finding) advise(format string, args ...any) Finding {
	f.Advice = fmt.Sprintf(format, args...)
	return f
}

// half is a round time of at most half of a limit.
func half(limit time.Duration) time.Duration {
	var best time.Duration
	for _, unit := range []time.Duration{time.Millisecond, time.Second, time.Minute, time.Hour} {
		for _, n := range []int{1, 2, 5, 10, 15, 20, 25, 30, 45, 100, 200, 500} {
			if d := time.Duration(n) * unit; d <= limit/2 {
				best = max(best, d)
			}
		}
	}
	return best
}

// aboutIdle says how long a session stays open without traffic.
func (j *judge) aboutIdle() []Finding {
	if j.Idle == nil {
		return j.aboutNoLimit()
	}
	l := j.Idle
	text := "A session without traffic is ended after %s, by %s"
	if s := j.last(Idle); s.Messages > 0 {
		text = "A session whose client says nothing is ended after %s, although the server sends messages, by %s"
	}
	if no(l.Pings) && !l.Sure {
		text = "A session is ended after %s, with Pings or without, by %s: a limit on the age, or an idle limit for which Pings do not count"
	}
	if l.Sessions > 1 {
		text += fmt.Sprintf(" (%d sessions)", l.Sessions)
	}
	after := session.Span(l.After.Duration())
	if l.Most-l.After > Seconds(alike.Seconds()) {
		after += " to " + session.Span(l.Most.Duration())
	}
	all := []Finding{found(AboutIdle, text+".", after, l.Ending)}
	if len(l.Owners) > 0 {
		all = append(all, found(AboutIdle, "This is the default of %s.", j.listed(l.Owners)))
	} else if len(l.Settings) > 0 {
		all = append(all, found(AboutIdle, "Such an end comes from a setting of what serves it: %s.", j.listed(l.Settings)))
	}
	return all
}

// aboutNoLimit says how long a session stayed open without traffic.
func (j *judge) aboutNoLimit() []Finding {
	if j.atOnce != nil {
		return nil
	}
	if len(j.Sessions) == 0 || j.last(Idle) == nil && j.last(NoPongs) == nil {
		return []Finding{found(AboutIdle, "No session without traffic could be held, so that nothing is known about idle times.")}
	}
	open := session.Span(j.Open.Duration())
	idle := j.last(Idle)
	switch {
	case idle != nil && idle.Pinged > 0:
		return []Finding{found(AboutIdle, "No session was without traffic for longer than %s, because the server pings: it met no idle limit.", open)}
	case idle != nil && idle.Messages > 0:
		return []Finding{found(AboutIdle, "No session was without traffic for longer than %s, because the server sends messages: it met no idle limit.", open)}
	}
	f := found(AboutIdle, "A session without traffic stays open for %s at least: no idle limit was met.", open)
	if j.Lifetime == nil && len(j.drained) == 0 {
		f = f.advise("try longer with --for, if sessions end later")
	}
	return []Finding{f}
}

// aboutKeeping says what keeps a session from its idle limit.
func (j *judge) aboutKeeping() []Finding {
	if j.Idle == nil {
		return j.aboutMute()
	}
	l, limit := j.Idle, j.Idle.After.Duration()
	pings := j.keeps(Pings, "Pings", l.Pings)
	messages := j.keeps(Messages, "Messages", l.Messages)
	interval := half(limit)
	switch {
	case yes(l.Pings):
		pings = pings.advise("set ping_interval to %v or less", interval)
	case yes(l.Messages):
		messages = messages.advise("set heartbeat with an interval of %v or less, because Pings do not do", interval)
	case no(l.Pings) && j.last(Messages) == nil:
		return []Finding{messages.advise("give a message that the endpoint understands with --send, to tell the two apart")}
	}
	return []Finding{pings, messages}
}

// aboutMute says that a connection stood although nothing came any more.
func (j *judge) aboutMute() []Finding {
	s := j.last(Pings)
	if s == nil || s.Cut() || !s.end.InFlight.Ping || s.end.IdleIn < answerTime {
		return nil
	}
	f := found(AboutIdle, "A Ping had no answer for %s, and the connection stood: %d of %d Pings were answered.",
		session.Span(s.end.IdleIn), s.Pongs, s.Pings)
	return []Finding{f.advise("set ping_interval and ping_timeout: only they find out that such a connection is dead")}
}

// keeps says whether something keeps a session open.
func (j *judge) keeps(h Habit, what string, answer *bool) Finding {
	s := j.last(h)
	switch {
	case s == nil && h == Messages:
		return found(AboutIdle, "Whether messages keep it open was not tried.").advise("give one with --send")
	case answer == nil:
		return found(AboutIdle, "It was not found out whether %s keep it open.", map[Habit]string{Pings: "Pings", Messages: "messages"}[h]).
			advise("hold sessions longer with --for")
	case *answer && h == Messages && s.end.Totals.Beats == 0:
		return found(AboutIdle, "%s keep it open: the limit counts from the last one.", what)
	case *answer:
		return found(AboutIdle, "%s every %s keep it open: such a session lasted %s.", what, session.Span(s.Every.Duration()), session.Span(s.end.Lifetime))
	default:
		return found(AboutIdle, "%s do not keep it open: with one every %s it ended after %s all the same.", what, session.Span(s.Every.Duration()), session.Span(s.end.Lifetime))
	}
}

// aboutPings says what the server's Pings are for.
func (j *judge) aboutPings() []Finding {
	mute := j.last(NoPongs)
	p := j.ServerPings
	if p == nil {
		if idle := j.last(Idle); idle != nil && j.atOnce == nil {
			return []Finding{found(AboutPings, "The server sent no Ping within %s.", session.Span(idle.end.Lifetime))}
		}
		return nil
	}
	text := fmt.Sprintf("The server pings after %s", session.Span(p.First.Duration()))
	if p.Every > 0 {
		text += fmt.Sprintf(", and then every %s", session.Span(p.Every.Duration()))
	}
	all := []Finding{found(AboutPings, "%s.", text)}
	switch {
	case p.Ends != nil:
		f := found(AboutPings, "A client that does not answer is ended after %s, that is %s after the first Ping, by %s.",
			session.Span(p.Ends.Duration()), session.Span((*p.Ends - p.First).Duration()), p.Ending)
		all = append(all, f.advise("answer Pings, as browsers and most libraries do: a client that is busy for longer loses its session"))
		if names := j.habits(p.Ending); len(names) > 0 {
			all = append(all, found(AboutPings, "Such an end is known of %s.", listed(names)))
		}
	case mute != nil && !mute.Cut():
		all = append(all, found(AboutPings, "A client that does not answer was still open after %s.", session.Span(mute.end.Lifetime)))
	}
	return all
}

// aboutLifetime says which ages sessions reached.
func (j *judge) aboutLifetime() []Finding {
	var all []Finding
	if len(j.drained) > 0 {
		all = append(all, found(AboutLifetime, "%d sessions of several ages ended at the same moment, by %s: a restart, a reload or a drain, and no limit.",
			len(j.drained), j.drained[0].ending()).advise("examine it again when nothing is deployed"))
	}
	if s := j.atOnce; s != nil {
		all = append(all, found(AboutLifetime, "Every session is ended as soon as it is open, after %s, by %s.", session.Span(s.end.Lifetime), s.ending()).
			advise("look for what the endpoint wants: credentials, a subprotocol, or a first message, which --exchange can send"))
	}
	if l := j.Lifetime; l != nil {
		age := l.After.Duration()
		f := found(AboutLifetime, "No session gets older than %s, whatever it says: it is ended by %s.", session.Span(age), l.Ending)
		if s := j.last(Messages); s != nil && s.end.Totals.Beats > 0 {
			f = f.advise("set max_lifetime below that, so that sessions are renewed in time")
		} else {
			f = f.advise("set max_lifetime below that, or send with --exchange what the server may wait for first")
		}
		all = append(all, f)
		if len(l.Owners) > 0 {
			all = append(all, found(AboutLifetime, "Such an end is known of %s.", listed(l.Owners)))
		}
		return all
	}
	for _, s := range j.Sessions {
		if s.Failed != "" {
			all = append(all, found(AboutLifetime, "The %s did not open: %s.", s.Habit.title(), s.Failed))
		} else if s.end != nil && !s.end.Cause.Planned() && !j.known[s] && s == j.last(s.Habit) {
			all = append(all, found(AboutLifetime, "The %s ended after %s for a reason of its own: %s.", s.Habit.title(), session.Span(s.end.Lifetime), s.ending()))
		}
	}
	oldest := time.Duration(0)
	for _, s := range j.Sessions {
		if s.end != nil && !s.Cut() {
			oldest = max(oldest, s.end.Lifetime)
		}
	}
	if oldest > 0 {
		all = append(all, found(AboutLifetime, "The oldest session was still open after %s: no limit on the age was met.", session.Span(oldest)))
	}
	return all
}

// listed joins the names of owners, and says which of them the response names.
func (j *judge) listed(owners []string) string {
	var names []string
	for _, name := range owners {
		if j.rank(name) == 0 {
			name += ", which the response names"
		}
		names = append(names, name)
	}
	return strings.Join(names, "; ")
}

// listed joins names.
func listed(names []string) string { return strings.Join(names, ", ") }
