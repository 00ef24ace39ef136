package probe

import (
	"crypto/rand"
	"fmt"
	"strings"
)

// A sentence of the probe keeps its own words apart from those of others, for only theirs can hold secrets. The marks
// stand in no text of others, because nobody can guess them: a text that began with the first would be shown as it is.
// A text without marks is taken for one of others as a whole.
var (
	markOwn   = "\x00" + rand.Text() // at the beginning of a sentence of the probe
	markBegin = "\x01" + rand.Text() // before words of others
	markEnd   = "\x02" + rand.Text() // behind them
)

// sayf is fmt.Sprintf for a sentence in which the arguments that are texts or errors are words of others, unless they
// are such sentences themselves. Quote them with \"%s\", for %q would change them before they are searched for secrets.
func sayf(format string, args ...any) string {
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

// own is a text of the probe, for sayf.
func own(s string) string { return markOwn + s }

// foreign marks words of others.
func foreign(s string) string {
	if own, found := strings.CutPrefix(s, markOwn); found {
		return own
	}
	return markBegin + s + markEnd
}

// sayError is an error that says a sentence of the probe.
type sayError string

func (e sayError) Error() string { return string(e) }

// sentence returns what may be shown of a sentence: its first limit bytes, visible, without secrets in the words of others.
func (r *redactor) sentence(s string, limit int) string {
	own, found := strings.CutPrefix(s, markOwn)
	if !found {
		return r.text(s, limit)
	}
	var b strings.Builder
	for own != "" && b.Len() < limit {
		mine, rest, _ := strings.Cut(own, markBegin)
		b.WriteString(mine[:min(len(mine), limit-b.Len())])
		theirs, rest, _ := strings.Cut(rest, markEnd)
		if left := limit - b.Len(); left > 0 {
			b.WriteString(r.text(theirs, left))
		}
		own = rest
	}
	return b.String()
}
