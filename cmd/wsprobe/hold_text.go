package main

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/session"
	"github.com/wsprobe/wsprobe/reasons"
)

// holdText shows a held session to people: a line for each event, with its time and a label.
type holdText struct {
	out      io.Writer
	ink      ink
	terminal bool // it can show a line that goes away
	pulsed   bool // there is one
	probe    *metrics.Identity
	words    reasons.Words     // of whom hints are for
	failed   reasons.ErrorType // of the last open, if it failed: its hint was given
	meaning  string            // of the last finding, which was told
	why      string            // the last finding
}

func (d *holdText) write(text string) error {
	if d.pulsed {
		d.pulsed = false
		text = clearLine + text
	}
	_, err := io.WriteString(d.out, text)
	return err
}

// clearLine takes away the line of a terminal on which the cursor stands.
const clearLine = "\r\x1b[K"

// pulse shows on a terminal for how long the session has been open, so that nobody takes silence for a fault.
func (d *holdText) pulse(t *tally, now time.Time) error {
	if !d.terminal {
		return nil
	}
	text := "opening"
	switch {
	case len(t.open) > 0:
		text = fmt.Sprintf("open for %s, nothing new for %s", whole(now.Sub(t.openSince)), whole(now.Sub(t.lastEvent)))
	case t.nextOpen.After(now):
		text = "not open, the next try comes in " + whole(t.nextOpen.Sub(now)+time.Second)
	}
	err := d.write("  " + d.ink.faint(text))
	d.pulsed = true
	return err
}

// whole is a time in whole seconds.
func whole(d time.Duration) string {
	if d < time.Second {
		return "0 s"
	}
	return session.Span(d.Truncate(time.Second))
}

// begin says what is to be held, and how.
func (d *holdText) begin(spec session.Spec) error {
	var b strings.Builder
	of := d.probe.Target()
	title := d.ink.bold(of.Name)
	if of.Name != of.URL {
		title += "  " + of.URL
	}
	b.WriteString(title + "\n")
	for _, line := range wrapped(d.plan(spec), lineWidth-2) {
		b.WriteString("  " + line + "\n")
	}
	b.WriteString("  " + d.ink.faint("Times are UTC. Ctrl-C ends it and sums up.") + "\n\n")
	return d.write(b.String())
}

// plan says what keeps the session open, and when it is given up.
func (d *holdText) plan(spec session.Spec) string {
	var said []string
	say := func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }
	if spec.PingInterval > 0 {
		say("A Ping every %s, with %s for its Pong.", session.Span(spec.PingInterval), session.Span(spec.PingTimeout))
	}
	if beat := spec.Heartbeat; beat != nil {
		say("A heartbeat every %s, with %s for its answer.", session.Span(beat.Interval), session.Span(beat.Timeout))
	}
	if spec.MaxSilence > 0 {
		say("Deaf after %s without a wanted message.", session.Span(spec.MaxSilence))
	}
	if spec.MaxLifetime > 0 {
		say("Renewed after %s.", session.Span(spec.MaxLifetime))
	}
	switch {
	case spec.PingInterval > 0 || spec.Heartbeat != nil:
	case d.words == nil: // the session is that of a file
		say("Nothing is sent to keep it open: see session.ping_interval and session.heartbeat.")
	default:
		say("Nothing is sent to keep it open: see --ping-interval and --heartbeat.")
	}
	return strings.Join(said, " ")
}

// textColumn is where the text of an event begins: behind its time and its label.
const textColumn = 12 + 2 + labelWidth + 1

// line is an event: its time, a label, and a text, whose further lines stand below it.
func (d *holdText) line(at time.Time, label, text string) error {
	return d.write(at.UTC().Format("15:04:05.000") + "  " + label + besides(text) + "\n")
}

// more is what else is known of an event, under its text.
func (d *holdText) more(text string) error {
	if text == "" {
		return nil
	}
	return d.write(below[1:] + besides(text) + "\n")
}

// besides is a text in the column of the texts. A number and its unit stay together.
func besides(text string) string {
	const glue = "\u00a0"
	lines := wrapped(unit.ReplaceAllString(text, "$1"+glue+"$2"), lineWidth-textColumn)
	return strings.ReplaceAll(strings.Join(lines, below), glue, " ")
}

var unit = regexp.MustCompile(`(\d) (m?s)\b`)

// below begins a line under the text of an event.
var below = "\n" + strings.Repeat(" ", textColumn)

// label fills the column of the labels.
func label(text string, paint func(string) string) string {
	return paint(text) + strings.Repeat(" ", max(labelWidth+1-len(text), 1))
}

func plain(text string) string { return text }

// event shows what has happened.
func (d *holdText) event(e heldEvent) error {
	switch e.Kind {
	case session.Opened:
		return d.opened(e)
	case session.OpenFailed:
		return d.openFailed(e)
	case session.Ponged:
		return d.line(e.At, label("pong", d.ink.faint), latency(e.RTT))
	case session.Beat:
		return d.line(e.At, label("heartbeat", d.ink.faint), latency(e.RTT))
	case session.Unanswered:
		return d.line(e.At, label("pong", d.ink.odd), "a Ping had no Pong of its own in time; another Pong came")
	case session.Pinged:
		return d.line(e.At, label("ping", d.ink.faint), "from the server")
	case session.RenewalDue:
		return d.line(e.At, label("renewal", plain), "the next session opens before this one closes")
	case session.Received:
		return d.message(e)
	case session.Ended:
		return d.ended(e)
	case session.Explained:
		return d.explained(e)
	case session.Closed:
		return nil // the end was told
	}
	return nil
}

func latency(d time.Duration) string { return fmt.Sprintf("%.3f ms", probe.Millis(d)) }

// opened says how long the open took, and in which phases.
func (d *holdText) opened(e heldEvent) error {
	d.failed = ""
	r := e.Open
	text := fmt.Sprintf("session %d in %s", e.number, latency(r.Handshake))
	if e.number > 1 && e.Downtime > 0 {
		text += ", after " + session.Span(e.Downtime) + " down"
	} else if e.number > 1 {
		text += ", without a downtime"
	}
	if err := d.line(e.At, label("open", d.ink.good), text); err != nil {
		return err
	}
	var phases []string
	for i, span := range r.Phases {
		if phase := probe.Phase(i); phase < probe.PhaseRoundTrip && span.State == probe.SpanEnded {
			phases = append(phases, fmt.Sprintf("%v %.3f", phase, probe.Millis(span.Duration())))
		}
	}
	known := d.observation(r)
	text = strings.Join(phases, ", ") + " ms; peer " + known.Text("peer")
	if r.Subprotocol != "" {
		text += "; subprotocol " + known.Text("subprotocol")
	}
	if r.Extensions != "" {
		text += "; " + known.Text("extensions")
	}
	return d.more(text)
}

func (d *holdText) observation(r *probe.Result) *metrics.Observation {
	return &metrics.Observation{Probe: d.probe, Result: *r, Words: d.words}
}

// openFailed says why, in short if the open before failed so, too.
func (d *holdText) openFailed(e heldEvent) error {
	known := d.observation(e.Open)
	text := known.Text("reason") + " " + known.Text("error_type") + ", next try in " + session.Span(e.Wait)
	if err := d.line(e.At, label("NO OPEN", d.ink.bad), text); err != nil || d.failed == e.Open.ErrorType {
		return err
	}
	d.failed = e.Open.ErrorType
	if err := d.more(known.Text("detail")); err != nil {
		return err
	}
	return d.more(known.Text("hint"))
}

// message shows a message, and whether others are missing.
func (d *holdText) message(e heldEvent) error {
	m := e.Message
	paint := d.ink.faint
	said := []string{plural(m.Size, "byte")}
	if m.Binary {
		said = append(said, "binary")
	}
	if m.Wanted {
		said = append(said, "gap "+session.Span(m.Gap))
	} else {
		said = append(said, "not wanted")
	}
	if m.Dated {
		said = append(said, "age "+age(m.Age))
	}
	if flawed(m) {
		paint = d.ink.odd
		said = append(said, flaws(m.Lost, count(m.Repeated), count(m.Disordered))...)
	}
	if err := d.line(e.At, label("message", paint), strings.Join(said, ", ")); err != nil {
		return err
	}
	return d.more(beginning(m))
}

// beginning is how a message begins, on one line.
func beginning(m session.Message) string {
	text := []rune(m.Beginning())
	if width := lineWidth - textColumn; len(text) > width {
		return string(text[:width-1]) + "…"
	}
	return string(text)
}

// age is how old a message was. The clocks of the two machines may differ.
func age(d time.Duration) string {
	if d < 0 {
		return "-" + session.Span(-d)
	}
	return session.Span(d)
}

// flaws says what the numbers of messages show.
func flaws(lost int64, repeated, disordered int) []string {
	var said []string
	for _, flaw := range []struct {
		n    int64
		what string
	}{{lost, "lost"}, {int64(repeated), "repeated"}, {int64(disordered), "out of order"}} {
		if flaw.n > 0 {
			said = append(said, fmt.Sprintf("%d %s", flaw.n, flaw.what))
		}
	}
	return said
}

// several shows how many messages came that have no line of their own.
func (d *holdText) several(c crowd) error {
	text := plural(c.messages, "message")
	if c.more {
		text = fmt.Sprintf("%d more", c.messages)
	}
	said := []string{fmt.Sprintf("%s in %s", text, session.Span(c.until.Sub(c.from).Round(100*time.Millisecond))), plural(int(c.bytes), "byte")}
	if c.wanted < c.messages {
		said = append(said, fmt.Sprintf("%d wanted", c.wanted))
	}
	if c.dated {
		said = append(said, "age up to "+age(c.oldest))
	}
	paint := d.ink.faint
	if all := flaws(c.lost, c.repeated, c.disorder); len(all) > 0 {
		paint = d.ink.odd
		said = append(said, all...)
	}
	return d.line(c.until, label("messages", paint), strings.Join(said, ", "))
}
