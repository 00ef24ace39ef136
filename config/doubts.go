package config

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/config/internal/excerpt"
	"github.com/wsprobe/wsprobe/config/internal/keypair"
	"github.com/wsprobe/wsprobe/config/internal/yamltree"
	"github.com/wsprobe/wsprobe/probe"
)

// messages are the fields whose line breaks matter in one message format only. Doubts about them wait until the format
// is known.
var messages = map[string]bool{"send_message": true, "expect_message": true, "send": true, "expect": true}

// literal are the fields in which a dollar or braces are ordinary characters: passwords and patterns.
var literal = map[string]bool{"password": true, "key_password": true, "expect_pattern": true}

// doubt is a warning that waits.
type doubt struct {
	n, use  *yaml.Node
	where   yamltree.Path
	problem string
	fills   bool // about a placeholder, which a capture can fill
}

// checkText warns of a text that is valid for its field but hardly meant so.
func (r *reader) checkText(n, use *yaml.Node, where yamltree.Path) {
	add := func(problem string, fills bool) {
		if messages[where.Key] || fills {
			r.doubts = append(r.doubts, doubt{n, use, where, problem, fills})
			return
		}
		r.Warn(n, use, where, "%s", problem)
	}
	if problem := lineBreak(n); problem != "" {
		add(problem, false)
	}
	filledIn := strings.HasSuffix(where.Section, ".exchange") || strings.HasPrefix(where.Place(), "session.heartbeat") || where.Key == "template" ||
		where.Section == "discover" && (where.Key == "url" || where.Key == "probe_name") // which are looked at with their module
	if filledIn || r.Substituted(n) {
		return // placeholders are filled in there, or a secret must not be looked at
	}
	if problem := unfilled(n.Value, where.Key); problem != "" {
		add(problem, problem != unsetVariable && captured(where))
	}
	if isPath := where.Key == "sequence" || where.Key == "sent_at" || where.Key == "acknowledgement_path"; isPath && n.Value != "$" { // which is a message of one value
		if problem := pathDoubt(n.Value); problem != "" {
			add(problem, false)
		}
	}
}

// captured reports whether a capture of prepare can fill the placeholders of a field.
func captured(where yamltree.Path) bool {
	if !slices.Contains([]string{"probes", "defaults", "modules", "discover"}, where.Section) {
		return false
	}
	key := where.Place()
	if end := strings.IndexAny(key, ".["); end >= 0 {
		key = key[:end]
	}
	return slices.Contains([]string{"url", "headers", "protocols", "expect_protocol", "send_message", "expect_message", "expect_pattern", "expect_json",
		"connections"}, key)
}

// releaseDoubts turns doubts into warnings: those about messages if their format is text, because line breaks mean
// nothing in other formats, and those about placeholders unless captures fill them.
func (r *reader) releaseDoubts(format probe.MessageFormat, o probe.Opening) {
	for _, d := range r.doubts {
		text := format == "" || format == probe.FormatText || !messages[d.where.Key]
		if text && !(d.fills && len(o.CaptureNames()) > 0) {
			r.Warn(d.n, d.use, d.where, "%s", d.problem)
		}
	}
	r.doubts = r.doubts[:0]
}

// lineBreak returns a warning of a text that ends in a line break only because a YAML block does. PEM text has to end
// so.
func lineBreak(n *yaml.Node) string {
	mark := "|"
	switch {
	case n.Style&yaml.FoldedStyle != 0:
		mark = ">"
	case n.Style&yaml.LiteralStyle == 0:
		return ""
	}
	if !strings.HasSuffix(n.Value, "\n") || keypair.IsInline(n.Value) {
		return ""
	}
	return "ends in a line break, as " + mark + " keeps it: write " + mark + `- to leave it out, or, if it is meant, the text in double quotes with \n`
}

var (
	// braces match a placeholder of many programs. JSON has no two opening braces in a row outside its texts.
	braces = regexp.MustCompile(`\{\{[-~]?\s*([A-Za-z_.$][^{}]*?)\s*[-~]?\}\}`)
	word   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	// dollar matches a variable of a shell, as a whole text or as a word in it.
	dollar = regexp.MustCompile(`(^|[\s=:"'])(\$[A-Z][A-Z0-9_]{2,}|%[A-Z][A-Z0-9_]{2,}%)($|[\s&"',;])`)
)

// carriers are the fields in which people put secrets, often by a variable.
var carriers = map[string]bool{
	"url": true, "headers": true, "protocols": true, "user": true, "password": true, "token": true, "password_file": true, "token_file": true,
	"proxy_url": true, "connect_to": true, "endpoint": true, "ca_file": true, "cert_file": true, "key_file": true, "key_password": true,
}

const unsetVariable = "has a variable that is not put in: write ${env:NAME} for the variable NAME"

// unfilled returns a warning of a placeholder in a field where none is filled in.
func unfilled(text, key string) string {
	if carriers[key] && strings.ContainsAny(text, "$%") && dollar.MatchString(text) {
		return unsetVariable
	}
	if !strings.Contains(text, "{{") || literal[key] && !strings.HasPrefix(text, "{{") {
		return ""
	}
	match := braces.FindStringSubmatch(text)
	switch {
	case match == nil:
		return ""
	case match[1] != "nonce" && (carriers[key] || !word.MatchString(match[1])): // it may be a part of a secret
		return "has a placeholder in double braces that is not filled in: write ${env:NAME} for a variable, ${file:PATH} for a file"
	default:
		return "has {{" + excerpt.Of(match[1]) + "}}, which is filled in nowhere but in an exchange and a heartbeat"
	}
}

// checkWhole warns of values of a valid probe that hardly fit each other.
func (r *probeReader) checkWhole(p *Probe, where yamltree.Path) {
	format := p.Spec.MessageFormat
	if p.Session != nil {
		format = p.Session.MessageFormat
	}
	r.releaseDoubts(format, p.Spec.Opening)
	r.session.checkSigns(p)
	interval, timeout := probeSection.index["interval"], probeSection.index["timeout_ms"]
	if p.Session == nil && p.Spec.Timeout > p.Interval && !r.faulty(interval) && !r.faulty(timeout) {
		ms, seconds := p.Spec.Timeout.Milliseconds(), shortDuration(p.Interval)
		const outcome = "a run that takes longer leaves out the next one"
		shorter := func(at yamltree.Pair, where yamltree.Path) {
			r.Warn(at.Value, at.ValueAt, where.Field("interval"), "is shorter than timeout_ms, which is %d: %s", ms, outcome)
		}
		longer := func(at yamltree.Pair, where yamltree.Path) {
			r.Warn(at.Value, at.ValueAt, where.Field("timeout_ms"), "is longer than interval, which is %s: %s", seconds, outcome)
		}
		switch defaults := (yamltree.Path{Section: "defaults"}); {
		case r.sets(interval):
			shorter(r.set.pairs[interval], where)
		case r.sets(timeout):
			longer(r.set.pairs[timeout], where)
		case r.inherited.pairs[interval].Present():
			shorter(r.inherited.pairs[interval], defaults)
		default:
			longer(r.inherited.pairs[timeout], defaults)
		}
	}
	i := probeSection.index["expect_message"]
	if p.Spec.MessageFormat == probe.FormatText && int64(len(p.Spec.Expect)) > p.Spec.MaxReply && r.sets(i) {
		r.Warn(r.set.pairs[i].Value, r.set.pairs[i].ValueAt, where.Field("expect_message"), "is longer than max_message_bytes lets a reply be, which is %d", p.Spec.MaxReply)
	}
}
