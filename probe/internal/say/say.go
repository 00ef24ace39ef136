// Package say makes sentences that keep the words of the probe apart from those of others.
//
// Only the words of others can hold secrets. A [Sentence] marks them, and [Shown] searches only them. So a secret that
// looks like an ordinary word does not blank out the probe's own text.
package say

import (
	"crypto/rand"
	"fmt"
	"strings"
)

// The marks stand in no text of others, because nobody can guess them. A text that begins with the first is shown as it
// is. A text without marks counts as one of others as a whole.
var (
	markOwn   = "\x00" + rand.Text() // at the beginning of a sentence of the probe
	markBegin = "\x01" + rand.Text() // before words of others
	markEnd   = "\x02" + rand.Text() // behind them
)

// Sentence is fmt.Sprintf for a sentence of the probe. Arguments that are strings or errors are words of others, unless
// they are sentences themselves. Quote them with \"%s\": %q would change them before they are searched for secrets.
func Sentence(format string, args ...any) string {
	marked := make([]any, len(args))
	for i, arg := range args {
		switch arg := arg.(type) {
		case string:
			marked[i] = foreign(arg)
		case error:
			marked[i] = foreign(arg.Error())
		default:
			marked[i] = arg
		}
	}
	return markOwn + fmt.Sprintf(format, marked...)
}

// Own marks a text of the probe, as an argument of [Sentence].
func Own(s string) string { return markOwn + s }

// foreign marks words of others.
func foreign(s string) string {
	if own, found := strings.CutPrefix(s, markOwn); found {
		return own
	}
	return markBegin + s + markEnd
}

// Error is an error whose text is a sentence.
type Error string

func (e Error) Error() string { return string(e) }

// Shown returns the first limit bytes of a sentence. The function shown makes the words of others in it presentable.
func Shown(sentence string, limit int, shown func(theirs string, limit int) string) string {
	own, found := strings.CutPrefix(sentence, markOwn)
	if !found {
		return shown(sentence, limit)
	}
	var b strings.Builder
	for own != "" && b.Len() < limit {
		mine, rest, _ := strings.Cut(own, markBegin)
		b.WriteString(mine[:min(len(mine), limit-b.Len())])
		theirs, rest, _ := strings.Cut(rest, markEnd)
		if left := limit - b.Len(); left > 0 {
			b.WriteString(shown(theirs, left))
		}
		own = rest
	}
	return b.String()
}
