package config

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/config/internal/yamltree"
	"github.com/wsprobe/wsprobe/probe/redact"
)

// secrets are the texts that were substituted in a probe, or in the defaults block.
type secrets struct {
	texts []string // that an endpoint is sent, and may repeat
	url   string   // as it may be shown; empty if no reference is in it
	// references are the secrets as the file writes them, by the place of the value, see [path.within].
	references map[string]string
}

// secrecy is the decision about the values that are substituted in a field.
type secrecy int

const (
	undecided secrecy = iota
	// public values are names, addresses, numbers or words.
	public
	// withheld values are secrets that no endpoint is sent.
	withheld
	// sent values are secrets that the endpoint is sent, and may repeat.
	sent
	// sentInURL values are sent in a URL, whose scheme, host and port are public.
	sentInURL
)

// note remembers a value that is read if it was substituted and is a secret. The values of some headers are public,
// such as Origin, Host and User-Agent, because errors need them.
func (r *reader) note(n *yaml.Node, where yamltree.Path, secret secrecy) {
	source, referred := r.Source(n)
	if !referred || secret == public || secret == undecided ||
		where.Key == "headers" && redact.PublicHeader(strings.Trim(where.Element, `.[]"`)) {
		return
	}
	r.noted.refer(where.Place(), source)
	pieces := r.PiecesOf(n)
	switch {
	case pieces == nil: // the reference stands for nothing
	case secret == sentInURL:
		r.noted.url = r.noteURL(n.Value, pieces)
	case secret == sent:
		for _, p := range pieces {
			r.noted.texts = append(r.noted.texts, n.Value[p.From:p.To])
		}
	}
}

// refer remembers the text with references that stands at a place.
func (s *secrets) refer(place, source string) {
	if s.references == nil {
		s.references = make(map[string]string)
	}
	s.references[place] = source
}

// noteURL remembers the texts that were substituted in the path of a URL, and returns the URL as it may be shown. Its
// scheme, host and port are public, because they are visible on the network. Its query is always secret.
//
// A URL that was substituted as a whole, or up to a place in the path, has ordinary words in its path as well as
// secrets. Words are hidden where the URL is shown, but not in every text that has them.
func (r *reader) noteURL(raw string, pieces []yamltree.Piece) string {
	begin, end := pathOf(raw), len(raw)
	if i := strings.IndexAny(raw[begin:], "?#"); i >= 0 {
		end = begin + i
	}
	shown, last := raw[:begin], begin
	for _, p := range pieces {
		from, to := max(p.From, begin), min(p.To, end)
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
			shown += yamltree.Hidden
			if p.From >= begin || !isWord(segment) {
				r.noted.texts = append(r.noted.texts, segment)
			}
		}
		last = to
	}
	return redact.URL(shown + raw[last:])
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

// take returns the secrets noted since the last call.
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
