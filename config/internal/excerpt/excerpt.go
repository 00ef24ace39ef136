// Package excerpt cuts a user's text to what a message repeats of it.
package excerpt

import (
	"fmt"
	"strings"
)

// Max is how many bytes of a text a message repeats.
const Max = 60

// Of returns a text of at most Max bytes, and "..." after it if it was longer.
func Of(s string) string { return Cut(s, Max) }

// Cut is [Of] with another number of bytes. It never cuts through a character.
func Cut(s string, length int) string {
	if len(s) <= length {
		return s
	}
	return strings.ToValidUTF8(s[:length], "") + "..."
}

// Quote returns the excerpt of a text in double quotes, with what is not printable escaped, so that it stays on one
// line.
func Quote(s string) string { return fmt.Sprintf("%q", Of(s)) }
