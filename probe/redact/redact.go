// Package redact hides secrets in texts that others wrote: endpoints, proxies, receivers, libraries.
//
// It decodes a text in every way in which software encodes one, and looks for the secrets in each result. So it needs
// no list of the forms that a secret can take. Its cost is linear in the text and in the secrets.
package redact

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/wsprobe/wsprobe/probe/visible"
)

// Mark stands for a secret.
const Mark = "[redacted]"

const (
	// shortest is the length in bytes from which a text is worth hiding: shorter ones can be guessed anyway.
	shortest = 3
	// wordy is the length from which a secret is hidden within words, too. Shorter ones would blank out ordinary words.
	wordy = 6
	// piece is how much of the beginning or the end of a secret gives it away.
	piece = 8
	// edge is how much of them does so at the end or the beginning of a text, where somebody has cut it. Of letters alone
	// it takes wordy.
	edge = 4
	// middle is how much of any other part of a secret gives it away.
	middle = 16
)

// Slack is the number of bytes that a caller gives to Text beyond those that it may show, so that a cut cannot hide the
// beginning of a secret. It holds a piece in whatever encoding.
const Slack = 512

// Redactor hides secrets. It does not change, so it may be used by several goroutines.
type Redactor struct {
	index index
	blind bool // the secrets could not all be prepared in time: nothing may be shown
}

// Text returns what may be shown of a text: its first limit bytes, visible, without secrets. A secret that begins within
// the limit is hidden whole.
func (r *Redactor) Text(s string, limit int) string { return r.Parts([]string{s}, limit)[0] }

// Parts is Text for texts that came one after the other, such as messages: what is split over them is found, too.
func (r *Redactor) Parts(parts []string, limit int) []string {
	shown := make([]string, len(parts))
	cut := make([]string, len(parts))
	for i, part := range parts {
		cut[i] = part[:min(len(part), limit+Slack)]
	}
	hits := r.find(strings.Join(cut, ""))
	if len(parts) > 1 {
		at := 0
		for _, part := range cut {
			hits = append(hits, shift(r.find(part), at)...)
			at += len(part)
		}
		hits = merge(hits)
	}
	at := 0
	for i, part := range cut {
		shown[i] = r.show(part, at, hits, limit)
		at += len(part)
	}
	return shown
}

// span is a part of a text, in bytes.
type span struct{ from, to int }

func shift(spans []span, by int) []span {
	for i := range spans {
		spans[i].from += by
		spans[i].to += by
	}
	return spans
}

// merge sorts spans and joins those that touch.
func merge(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return a.from - b.from })
	var merged []span
	for _, s := range spans {
		if last := len(merged) - 1; last >= 0 && s.from <= merged[last].to {
			merged[last].to = max(merged[last].to, s.to)
			continue
		}
		merged = append(merged, s)
	}
	return merged
}

// show writes the first limit bytes of a text, which stands at an offset of the one in which the hits are.
func (r *Redactor) show(s string, offset int, hits []span, limit int) string {
	var b strings.Builder
	done := 0
	for _, hit := range hits {
		from, to := max(hit.from-offset, 0), min(hit.to-offset, len(s))
		if from >= to || from >= limit {
			continue
		}
		b.WriteString(r.clean(s[done:from]))
		b.WriteString(Mark)
		done = to
	}
	if end := min(len(s), limit); done < end {
		for end > done && end < len(s) && !utf8.RuneStart(s[end]) {
			end--
		}
		b.WriteString(r.clean(s[done:end]))
	}
	return b.String()
}

// clean makes a text visible. An escape can complete a secret that lacked a character.
func (r *Redactor) clean(s string) string {
	shown := visible.Text(s)
	if shown == s {
		return s
	}
	hits := merge(r.index.hits(plainLayer(shown).fold(), len(shown)))
	for _, hit := range slices.Backward(hits) {
		shown = shown[:hit.from] + Mark + shown[hit.to:]
	}
	return shown
}

// find returns where secrets are in a text, in whatever encoding.
func (r *Redactor) find(s string) []span {
	switch {
	case s == "":
		return nil
	case r.blind:
		return []span{{0, len(s)}}
	case r.index.empty():
		return nil
	}
	search := search{index: &r.index, size: len(s), left: 64*len(s) + 32<<10}
	if search.look(plainLayer(s), 0); search.left < 0 {
		return []span{{0, len(s)}} // too many encodings to follow: nothing ordinary
	}
	return merge(search.hits)
}

const (
	maxUnescape = 6 // how often what was escaped may have been escaped again
	maxNested   = 3 // base64 in base64, or in another encoding of all bytes
)

// search is the search in one text.
type search struct {
	index *index
	size  int // of the text
	left  int // bytes that may still be looked at, a bound on the work
	hits  []span
}

// look looks in a text, and in all that can be decoded from it.
func (s *search) look(l layer, depth int) {
	for range maxUnescape {
		if s.left -= len(l.text); s.left < 0 {
			return
		}
		s.hits = append(s.hits, s.index.hits(l.fold(), s.size)...)
		if depth < maxNested {
			for _, decode := range decoders {
				for _, inner := range decode(l) {
					s.look(inner, depth+1)
				}
			}
		}
		next, changed := l.unescape()
		if !changed {
			return
		}
		l = next
	}
}
