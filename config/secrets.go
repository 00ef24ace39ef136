package config

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/redact"
)

// secrets are what was substituted in a probe, or in the defaults block.
type secrets struct {
	texts []string // that an endpoint is told, and may repeat
	url   string   // as it may be shown; empty if that is no matter
}

// told are the fields whose values an endpoint gets to see, by their keys.
var told = map[string]bool{
	"send_message": true, "expect_message": true, "expect_pattern": true, "expect_json": true,
	"send": true, "expect": true,
	"protocols": true, "expect_protocol": true, "headers": true,
	"user": true, "password": true, "token": true,
}

// note remembers what was substituted in a value that is read. Names and labels are there to be shown, and numbers,
// words and addresses are no secrets. Nor is what an Origin, a Host or a User-Agent says: errors need it.
func (r *reader) note(n *yaml.Node, where path) {
	pieces := r.pieces[n]
	switch {
	case pieces == nil:
	case where.key == "url":
		r.noted.url = r.noteURL(n.Value, pieces)
	case where.key == "headers" && redact.PublicHeader(strings.Trim(where.element, `.[]"`)):
	case told[where.key]:
		for _, p := range pieces {
			r.noted.texts = append(r.noted.texts, n.Value[p.from:p.to])
		}
	}
}

// noteURL remembers what was substituted in the path of a URL, and returns the URL as it may be shown. Its scheme, host
// and port are no secrets: whoever watches the network sees them. Its query is one, whoever wrote it.
//
// A URL that was substituted as a whole, or up to a place in the path, has ordinary words in its path as well as
// secrets. Words are hidden where the URL is shown, but not in every text that has them.
func (r *reader) noteURL(raw string, pieces []piece) string {
	begin, end := pathOf(raw), len(raw)
	if i := strings.IndexAny(raw[begin:], "?#"); i >= 0 {
		end = begin + i
	}
	shown, last := raw[:begin], begin
	for _, p := range pieces {
		from, to := max(p.from, begin), min(p.to, end)
		if from >= to {
			continue
		}
		shown += raw[last:from]
		for i, segment := range strings.Split(raw[from:to], "/") {
			if i > 0 {
				shown += "/"
			}
			if segment == "" {
				continue
			}
			shown += hidden
			if p.from >= begin || !isWord(segment) {
				r.noted.texts = append(r.noted.texts, segment)
			}
		}
		last = to
	}
	return probe.RedactURL(shown + raw[last:])
}

// pathOf returns where the path of a URL begins.
func pathOf(raw string) int {
	_, rest, found := strings.Cut(raw, "://")
	i := strings.IndexAny(rest, "/?#")
	if !found || i < 0 {
		return len(raw)
	}
	return len(raw) - len(rest) + i
}

// isWord reports whether a part of a path is a word and no key, token or number.
func isWord(segment string) bool {
	return !strings.ContainsFunc(segment, func(r rune) bool { return (r < 'a' || r > 'z') && r != '-' && r != '_' && r != '.' })
}

// take returns what was noted since the last call.
func (r *reader) take() secrets {
	noted := r.noted
	r.noted = secrets{}
	return noted
}

// union returns the texts of both lists, each once.
func union(a, b []string) []string {
	if len(b) == 0 {
		return a
	}
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}
