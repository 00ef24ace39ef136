// Package examine finds out under which conditions an endpoint keeps a WebSocket open.
//
// It holds a few sessions side by side that differ in what they say: nothing, Pings, messages, no Pongs. Meanwhile it
// opens short connections, one after the other, for what a moment tells. A [Report] has the facts, and the sentences
// that follow from them.
package examine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/redact"
	"github.com/wsprobe/wsprobe/probe/session"
	"github.com/wsprobe/wsprobe/reasons"
)

// Limits and defaults of [Options].
const (
	DefaultFor     = 5 * time.Minute
	MinFor         = 2 * time.Second
	MaxFor         = 24 * time.Hour
	DefaultLongest = 16 << 20
	MaxLongest     = 16 << 20
)

const (
	// stagger is the time between the opens of two sessions. A limit ends them as far apart, a drain at once.
	stagger = time.Second
	// courtesy is the pause between two short connections, for the endpoint may be somebody's production.
	courtesy = 200 * time.Millisecond
	// glance is how long a connection must stay open to count as open: some servers close at once behind the 101.
	glance = 500 * time.Millisecond
	// hurry bounds a short connection: some servers never answer a wrong path.
	hurry = 5 * time.Second
	// overtime is how much longer than the sessions the short connections may take.
	overtime = 2 * time.Minute
	// answerTime bounds the wait for an answer to a close frame or to a long message.
	answerTime = 10 * time.Second
)

// Options say what to examine.
type Options struct {
	// Spec says how to open the endpoint. Its Exchange is had after each open, and its Answers are sent in all sessions.
	// The message of its Heartbeat may keep a session open; without one, none is tried. Its other fields have no effect.
	Spec session.Spec
	// For is how long the sessions are held, from MinFor to MaxFor.
	For time.Duration
	// Longest is the longest message to try in bytes, at most MaxLongest. 0 tries none.
	Longest int
	// Progress is called with a sentence whenever something was found out, one call at a time. Nil is fine.
	Progress func(text string)
}

// ErrNotOpen means that the endpoint does not open: there is nothing to examine.
var ErrNotOpen = errors.New("the endpoint does not open")

// examination is what Run is at.
type examination struct {
	Options
	hub     *session.Hub
	began   time.Time
	held    time.Time // when the first session was opened
	message []byte    // decoded, or nil for none, and for a heartbeat of steps

	mu     sync.Mutex
	report Report
}

// Run examines an endpoint until nothing is left to be found out, at most two minutes longer than For, or until the
// context ends. The error is that of a Spec, or ErrNotOpen. The Report then has the run that failed.
func Run(ctx context.Context, o Options) (*Report, error) {
	x := &examination{Options: o, hub: session.NewHub(session.Options{}), began: time.Now()}
	if x.Progress == nil {
		x.Progress = func(string) {}
	}
	x.Spec = x.Spec.WithDefaults()
	var err error
	if beat := x.Spec.Heartbeat; beat != nil && beat.Steps == nil {
		if x.message, err = x.Spec.MessageFormat.Decode(beat.Send); err != nil {
			return nil, err
		}
	}
	x.report = Report{URL: redact.URL(o.Spec.URL), StartedAt: x.began.UTC(), For: seconds(o.For),
		Servers: []string{}, Variants: []Variant{}, Sessions: []*Session{}}
	if err := x.first(ctx); err != nil {
		x.report.Lasted = seconds(time.Since(x.began))
		return &x.report, err
	}
	x.held = time.Now()
	err = x.all(ctx)
	x.report.Interrupted = ctx.Err() != nil
	x.report.Lasted = seconds(time.Since(x.began))
	x.report.conclude()
	return &x.report, err
}

// all holds the sessions, and opens the short connections meanwhile.
func (x *examination) all(ctx context.Context) error {
	var works sync.WaitGroup
	var errs []error
	work := func(longest time.Duration, do func(context.Context) error) {
		ctx, cancel := context.WithDeadline(ctx, x.held.Add(longest))
		works.Go(func() {
			defer cancel()
			if err := do(ctx); err != nil && ctx.Err() == nil {
				x.mu.Lock()
				defer x.mu.Unlock()
				errs = append(errs, err)
			}
		})
	}
	for i, p := range x.plans() {
		late := time.Duration(i) * stagger
		work(x.For+late, func(ctx context.Context) error {
			if !pause(ctx, late) {
				return nil
			}
			return x.hold(ctx, p)
		})
	}
	work(x.For+overtime, x.brief)
	works.Wait()
	return errors.Join(errs...)
}

// brief does what takes short connections.
func (x *examination) brief(ctx context.Context) error {
	for _, do := range []func(context.Context) error{x.variants, x.closes, x.longest} {
		if err := do(ctx); err != nil || ctx.Err() != nil {
			return err
		}
	}
	return nil
}

// first opens the endpoint as it was asked for, and asks for the answer to the message.
func (x *examination) first(ctx context.Context) error {
	p, err := probe.New(x.asking())
	if err != nil {
		return err
	}
	watch := new(probe.Watch)
	x.opened()
	res, err := p.RunWith(ctx, probe.RunOptions{Watch: watch})
	if err != nil {
		return err
	}
	x.report.First = res
	if !res.Opened {
		return ErrNotOpen
	}
	x.report.Servers = servers(watch.Response)
	x.report.Handshake = new(seconds(res.Handshake))
	x.progress("opens after %s", millis(res.Handshake))
	if x.Spec.Heartbeat == nil {
		return nil
	}
	if last := res.Steps[len(res.Steps)-1]; last.State == probe.SpanEnded {
		x.report.Answers, x.report.Reply = true, new(seconds(last.Duration()))
		x.progress("the message is answered after %s", millis(last.Duration()))
	} else {
		x.progress("the message is not answered: %s", res.ErrorType)
	}
	return nil
}

// asking is the Spec of a run that opens the endpoint and waits for the answer to the message, if there is one.
func (x *examination) asking() probe.Spec {
	s := x.Spec.Run()
	if beat := x.Spec.Heartbeat; beat != nil {
		s.MessageFormat = x.Spec.MessageFormat
		s.Exchange = append(slices.Clip(s.Exchange), steps(beat)...)
	}
	return s
}

// steps are a heartbeat as a part of an exchange.
func steps(beat *session.Heartbeat) []probe.Step {
	if beat.Steps != nil {
		return beat.Steps
	}
	s := probe.Step{Send: &beat.Send, ExpectPattern: beat.ExpectPattern, ExpectJSON: beat.ExpectJSON}
	if s.ExpectPattern == "" && s.ExpectJSON == nil {
		s.Expect = &beat.Expect
	}
	return []probe.Step{s}
}

// servers are the names that the head of a response gives to what stands there.
func servers(response []string) []string {
	names := []string{}
	for _, line := range response {
		name, value, _ := strings.Cut(line, ":")
		if slices.Contains([]string{"server", "via", "x-powered-by"}, strings.ToLower(name)) {
			names = append(names, strings.TrimSpace(value))
		}
	}
	return names
}

// progress tells of something that was found out.
func (x *examination) progress(format string, args ...any) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.Progress(fmt.Sprintf(format, args...))
}

// note changes the report.
func (x *examination) note(change func(*Report)) {
	x.mu.Lock()
	defer x.mu.Unlock()
	change(&x.report)
}

// opened counts a connection.
func (x *examination) opened() { x.note(func(r *Report) { r.Connections++ }) }

// pause waits, and reports whether the context lasted as long.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// failed names a run that failed.
func failed(res probe.Result) string {
	if res.Reason == reasons.OK {
		return ""
	}
	return string(res.ErrorType)
}
