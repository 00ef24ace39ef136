package shape

import "strings"

// Matches reports whether a text is the pattern, in which * stands for any text. The text can be the name of a probe.
func Matches(pattern, text string) bool {
	head, pattern, wild := strings.Cut(pattern, "*")
	if !wild {
		return text == head
	}
	text, found := strings.CutPrefix(text, head)
	for found {
		var part string
		if part, pattern, wild = strings.Cut(pattern, "*"); !wild {
			return strings.HasSuffix(text, part)
		}
		_, text, found = strings.Cut(text, part) // the first place leaves the most for the parts behind
	}
	return false
}
