package session

import (
	"fmt"
	"strings"
	"time"

	"github.com/wsprobe/wsprobe/reasons"
)

// Verdict is the likely story behind an end. It is a closed set.
type Verdict string

// The verdicts.
const (
	Planned      Verdict = "planned"       // our own renewal or stop
	Stopped      Verdict = "stopped"       // nothing listens any more
	BackendGone  Verdict = "backend_gone"  // what stands in front still answers
	Drained      Verdict = "drained"       // the server said that it goes
	LimitReached Verdict = "limit_reached" // on idle time or lifetime
	Unheard      Verdict = "unheard"       // the server missed answers to its own heartbeats, or a first message
	Replaced     Verdict = "replaced"      // the next open succeeded: an idle limit, a reload, a quick restart or a crash
	Mute         Verdict = "mute"          // the connection stood, but answers or messages stayed away
	Broken       Verdict = "broken"        // the protocol, a limit of the probe, or the network
	Unknown      Verdict = "unknown"
)

// Verdicts returns every verdict.
func Verdicts() []Verdict {
	return []Verdict{Planned, Stopped, BackendGone, Drained, LimitReached, Unheard, Replaced, Mute, Broken, Unknown}
}

// Next is what the open after an end met. The zero value is an open that is still to come.
type Next struct {
	Known     bool
	ErrorType reasons.ErrorType // empty: it opened
}

// Finding explains an end to a person.
type Finding struct {
	Verdict Verdict
	Sure    bool
	Limit   Limit // the one that was reached
	Habit   Habit
	Owners  []Owner // likely ones, the surest first

	quiet bool // nothing went either way for long enough that an idle limit is likely, too
}

// Find explains an end by itself, by what it has in common with those before it, and by the open after it.
func Find(end *End, habit Habit, next Next) (f Finding) {
	f = Finding{Verdict: Unknown, Habit: habit}
	defer func() {
		if f.Verdict != LimitReached {
			f.Habit, f.Limit = Habit{}, NoLimit
		}
	}()
	switch end.Cause {
	case ByLifetime, ByStop:
		f.Verdict, f.Sure = Planned, true
	case ByBreach, ByMemory, ByNetwork:
		f.Verdict, f.Sure = Broken, true
	case ByPing, ByHeartbeat, BySilence, ByWrite:
		f.Verdict, f.Sure = Mute, true
		f.after(next)
	case ByClose:
		f.closed(end)
		if f.Verdict != LimitReached && f.Verdict != Unheard {
			f.after(next)
		}
	default:
		f.cut(end, next)
		f.after(next)
	}
	return f
}

// after corrects a finding by the next open: a server that is gone explains more than its words.
func (f *Finding) after(next Next) {
	switch next.ErrorType {
	case reasons.ConnectionRefused:
		f.Verdict, f.Sure, f.Owners = Stopped, true, nil
	case reasons.HTTPStatus(502), reasons.HTTPStatus(503), reasons.HTTPStatus(504):
		f.Verdict, f.Sure, f.Owners = BackendGone, true, nil
	}
}

// closed explains a close frame. Code 1000 does not mean that the session was over.
func (f *Finding) closed(end *End) {
	if f.limited(end) {
		return
	}
	f.Owners = ownersOf(end, NoLimit, 0)
	switch end.Code {
	case closeGoingAway, closeServiceRestart, closeTryAgainLater, 3001:
		f.Verdict, f.Sure = Drained, true
	}
	if len(f.Owners) > 0 && strings.Contains(f.Owners[0].Setting, "not answered") && f.Owners[0].CloseReason != "" {
		f.Verdict, f.Sure = Unheard, true
	}
}

// cut explains an end without a word.
func (f *Finding) cut(end *End, next Next) {
	if f.limited(end) {
		return
	}
	if next.Known && next.ErrorType == "" {
		f.Verdict, f.quiet = Replaced, quiet(end)
	}
}

// limited finds the limit that an end has reached, if it fits one. It is sure of a habit only.
func (f *Finding) limited(end *End) bool {
	if f.Habit.Limit != NoLimit {
		f.habitual(end)
		f.Verdict, f.Sure, f.Limit = LimitReached, true, f.Habit.Limit
		return true
	}
	if end.late() {
		return false
	}
	idle, life := withTime(ownersOf(end, IdleLimit, end.Idle())), withTime(ownersOf(end, LifetimeLimit, end.Lifetime))
	switch {
	case quiet(end) && len(idle) > 0:
		f.Verdict, f.Limit, f.Owners = LimitReached, IdleLimit, idle
		if silent(end) {
			f.Owners = append(idle, life...)
		}
	case len(life) > 0:
		f.Verdict, f.Limit, f.Owners = LimitReached, LifetimeLimit, life
	default:
		return false
	}
	return true
}

// silent reports whether there was no traffic since the open, so that the idle time and the lifetime are the same.
func silent(end *End) bool { return (end.Lifetime - end.Idle()).Abs() <= habitWidth }

// habitual finds the owners of a habit. If there was no traffic at all, the lifetime may explain it better.
func (f *Finding) habitual(end *End) {
	f.Owners = habitual(end, f.Habit)
	if f.Habit.Limit != IdleLimit || !silent(end) {
		return
	}
	lived := Habit{LifetimeLimit, f.Habit.After, f.Habit.Ends}
	if life := habitual(end, lived); len(f.Owners) > 0 {
		f.Owners = append(f.Owners, withTime(life)...)
	} else if len(life) > 0 {
		f.Habit, f.Owners = lived, life
	}
}

// habitual returns the owners that the end of a habit fits.
func habitual(end *End, h Habit) []Owner {
	owners := ownersOf(end, h.Limit, h.After)
	if len(withTime(owners)) == 0 {
		owners = append(owners, changedOf(end, h.Limit)...)
	}
	return owners
}

// withTime keeps the owners whose time fits, which come first.
func withTime(owners []Owner) []Owner {
	for i, o := range owners {
		if o.After == 0 {
			return owners[:i:i]
		}
	}
	return owners
}

// String is the finding in a sentence, or empty if there is nothing to say.
func (f Finding) String() string {
	var said []string
	if told := f.Habit.String(); told != "" {
		said = append(said, told)
	}
	if means := f.means(); means != "" && f.Sure {
		said = append(said, means)
	} else if means != "" {
		said = append(said, "perhaps "+means)
	}
	if len(f.Owners) > 0 {
		said = append(said, "such ends are known of "+listed(f.Owners, f.Habit.After))
	}
	return strings.Join(said, "; ")
}

// means is the verdict for people.
func (f Finding) means() string {
	switch f.Verdict {
	case Stopped:
		return "the server has stopped: nothing listens any more"
	case BackendGone:
		return "the back end is gone: the gateway in front answers for it"
	case Drained:
		return "the server said that it goes, as in a deploy"
	case LimitReached:
		if f.Limit == LifetimeLimit {
			return "a limit on the lifetime, or on the wait for a first message: renew sooner, or send what the server waits for"
		}
		return "an idle limit of the server or of something in between: send Pings or heartbeats more often, or raise it"
	case Unheard:
		return "the server missed an answer to its own heartbeats: add it to the answers"
	case Replaced:
		if f.quiet {
			return "an idle limit, a reload, a quick restart or a crash: a new session opens"
		}
		return "a reload, a quick restart or a crash: a new session opens"
	case Mute:
		return "the connection stood, but what was waited for did not come"
	default:
		return ""
	}
}

// String says in words what the ends have in common, or is empty.
func (h Habit) String() string {
	after := Span(h.After)
	switch h.Limit {
	case IdleLimit:
		return fmt.Sprintf("the last %d sessions ended after %s without traffic", h.Ends, after)
	case LifetimeLimit:
		return fmt.Sprintf("the last %d sessions ended %s after they opened", h.Ends, after)
	default:
		return ""
	}
}

// listed names owners with their settings, and with their default if it is not the time of a habit.
func listed(owners []Owner, habit time.Duration) string {
	var names []string
	for _, o := range owners {
		setting := o.Setting
		if habit > 0 && o.After > 0 && !o.at(habit) {
			setting = fmt.Sprintf("%s, by default %s", setting, Span(o.After))
		}
		names = append(names, fmt.Sprintf("%s %s (%s)", o.Product, o.Version, setting))
	}
	return strings.Join(names, ", ")
}
