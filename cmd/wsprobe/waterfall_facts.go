package main

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/reasons"
)

// fact is something else that is known about a run.
type fact struct{ label, text string }

// facts are what else is known, the most helpful last.
func (d *textDisplay) facts(s shot) []fact {
	p, r, known := s.probe, s.result, s.observation(d.words)
	var all []fact
	add := func(label, text string) {
		if text != "" {
			all = append(all, fact{label, text})
		}
	}
	add("status", statusText(p, r))
	if p.Session != nil {
		add("session", "opened once, and left: wsprobe hold holds it open")
	}
	add("round trip", measuredStep(p, r))
	if r.Opened && p.Spec.Interpretation != probe.HandshakeLatency {
		add("handshake", valueText(probe.HandshakeLatency, r))
	}
	if proxy := p.Spec.Proxy; proxy != nil {
		add("proxy", proxy.Scheme+"://"+proxy.Host)
	}
	add("peer", known.Text("peer"))
	if r.Overloaded() {
		add("agent", fmt.Sprintf("this machine was %.0f ms late to notice events: it is busy, and the result may show that", probe.Millis(r.Lag)))
	}
	add("tls", certificateText(r))
	add("protocol", known.Text("subprotocol"))
	if r.Opened && r.Subprotocol == "" && len(p.Spec.Protocols) > 0 {
		add("protocol", "none of those offered was picked")
	}
	add("extension", known.Text("extensions"))
	if r.Opened && r.Extensions == "" && p.Spec.Compression == probe.CompressionOn {
		add("extension", "permessage-deflate was offered and not agreed to")
	}
	for _, m := range s.watch.Replies {
		label := "reply"
		if len(r.Steps) > 1 {
			label = fmt.Sprintf("reply %d", m.Step+1)
		}
		all = append(all, fact{label, quoted(m)})
	}
	if r.HTTPStatus != 0 && !r.Opened && r.Reason != reasons.OK {
		add("status", fmt.Sprint(r.HTTPStatus))
	}
	add("body", strings.TrimSuffix(known.Text("http_body"), `\n`))
	if r.Reason != reasons.OK {
		add("close", closeText(r))
		return append(all, failureFacts(known)...)
	}
	if r.CloseCode != 0 {
		add("closed", "by the server: "+closeText(r))
	}
	add("hint", known.Text("hint"))
	return all
}

// failureFacts are the facts that help to mend a run that failed.
func failureFacts(o metrics.Observation) []fact {
	var all []fact
	r := &o.Result
	if r.Unmatched > 0 {
		unmatched := plural(r.Unmatched, "message")
		all = append(all, fact{"last reply", fmt.Sprintf("%s (of %s that did not match)", o.Text("last_reply"), unmatched)})
	}
	when := r.Reason.When()
	if r.ErrorType == reasons.UnexpectedlyOpen {
		when = "the socket opened, and was to be refused"
	}
	return append(all, fact{"reason", o.Text("reason") + ": " + when}, fact{"error", o.Text("error_type")},
		fact{"detail", o.Text("detail")}, fact{"hint", o.Text("hint")})
}

// quoted is the beginning of a message, and how much more there is of it.
func quoted(m probe.Message) string {
	switch {
	case m.Bytes == 0:
		return "(empty)"
	case m.Cut:
		return fmt.Sprintf("%s ... (%s in all)", m.Text, plural(m.Bytes, "byte"))
	default:
		return m.Text
	}
}

// statusText says what the thresholds of a probe make of a run, and which of them.
func statusText(p config.Probe, r probe.Result) string {
	judged := p.Health.Thresholds.Judge(p.Spec.Interpretation.Value(r))
	decisive := p.Health.Thresholds.Decisive(judged)
	switch {
	case judged == health.Unknown:
		return ""
	case decisive.Given():
		return fmt.Sprintf("%v: %v", judged, decisive)
	default:
		return judged.String()
	}
}

// measuredStep says which step of an exchange is the headline.
func measuredStep(p config.Probe, r probe.Result) string {
	if !r.Replied || len(r.Steps) < 2 {
		return ""
	}
	return fmt.Sprintf("that of step %d", p.Spec.MeasuredStep()+1)
}

// certificateText says until when the endpoint's certificate is good, and what is left of that.
func certificateText(r probe.Result) string {
	ends := r.CertificateExpiry
	if ends.IsZero() {
		return ""
	}
	const day = 24 * time.Hour
	left, form := ends.Sub(r.Ended), "certificate ends in %s (%s)"
	if left < 0 {
		left, form = -left, "certificate ended %s ago (%s)"
	}
	span := plural(int(left/day), "day")
	if left < 2*day {
		span = plural(int(left/time.Hour), "hour")
	}
	return fmt.Sprintf(form, span, ends.UTC().Format(time.DateOnly))
}

// closeText says with which code a connection was closed, and who said so.
func closeText(r probe.Result) string {
	switch {
	case r.CloseCode == 0:
		return ""
	case r.CloseByProbe:
		return fmt.Sprintf("%d, sent by the probe", r.CloseCode)
	case r.CloseCode == 1005: // these two are never sent (RFC 6455 7.4.1)
		return "1005: a close frame without a code"
	case r.CloseCode == 1006:
		return "1006: no close frame"
	default:
		return strings.TrimSpace(fmt.Sprintf("%d %s", r.CloseCode, r.CloseReason))
	}
}

// writeFact writes a label and its text, wrapped between words, the later lines under the first. A word that is longer
// than a line, as a message without blanks is, is cut.
func writeFact(b *strings.Builder, i ink, f fact) {
	label := fmt.Sprintf("%-*s", labelWidth, f.label)
	switch f.label {
	case "hint", "why":
		label = i.bold(label)
	case "reason", "error":
		label = i.bad(label)
	default:
		label = i.faint(label)
	}
	lines := wrapped(f.text, lineWidth-2-labelWidth-1)
	b.WriteString("  " + label + " " + strings.Join(lines, "\n"+strings.Repeat(" ", 2+labelWidth+1)) + "\n")
}

// wrapped cuts a text into lines of so many characters at most.
func wrapped(text string, width int) []string {
	lines := []string{""}
	column := 0
	for i, word := range strings.Split(text, " ") {
		length := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case column+1+length > width:
			lines = append(lines, "")
			column = 0
		default:
			lines[len(lines)-1] += " "
			column++
		}
		for length > width {
			runes := []rune(word)
			lines[len(lines)-1] += string(runes[:width])
			lines = append(lines, "")
			word, length, column = string(runes[width:]), length-width, 0
		}
		lines[len(lines)-1] += word
		column += length
	}
	return lines
}
