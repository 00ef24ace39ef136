package match

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// placeholder is the place of a value of the run in a text: {{nonce}}, or the name of a group of an earlier pattern.
// {{"{{"}} stands for {{, as in the templates of Go, with either kind of quotes. Everything else in braces is text.
var placeholder = regexp.MustCompile(`\{\{ ?(?:([A-Za-z_][A-Za-z0-9_]*)|"\{\{"|'\{\{') ?\}\}`)

// openBraces are two braces that stand for themselves.
const openBraces = "{{"

// Nonce is the name of the placeholder whose text is fresh in every run.
const Nonce = "nonce"

// maxFilled is the length in bytes to which a text may grow. The endpoint chooses the values.
const maxFilled = 1 << 20

// HasPlaceholder reports whether a text has a placeholder, or braces that are quoted like one.
func HasPlaceholder(text string) bool { return placeholder.MatchString(text) }

// Placeholders returns the names in a text, in order.
func Placeholders(text string) []string {
	var names []string
	for _, match := range placeholder.FindAllStringSubmatch(text, -1) {
		if match[1] != "" {
			names = append(names, match[1])
		}
	}
	return names
}

// Filler puts the values of a run into texts with placeholders. A name without a value becomes empty.
type Filler struct {
	Values map[string]string // by name

	exceeded int // the limit that a text exceeded, or 0
}

// Text replaces every placeholder of a text by its value. Bytes that are not UTF-8 become U+FFFD.
func (f *Filler) Text(text string) string {
	return f.fill(text, func(value string) string { return strings.ToValidUTF8(value, "\uFFFD") }, maxFilled)
}

// Verbatim replaces every placeholder of a text by its value as it is.
func (f *Filler) Verbatim(text string) string {
	return f.fill(text, func(value string) string { return value }, maxFilled)
}

// Pattern replaces every placeholder of a regular expression by an expression for its value. The result has at most
// limit bytes, because a compiled expression takes a hundred bytes for each character.
func (f *Filler) Pattern(expr string, limit int) string { return f.fill(expr, quotePattern, limit) }

// Err says that a text outgrew its limit, or is nil.
func (f *Filler) Err() error {
	if f.exceeded == 0 {
		return nil
	}
	return fmt.Errorf("filling in what the server sent makes a text of more than %d bytes", f.exceeded)
}

// quotePattern is a regular expression for a text. Only a binary message can have bytes that are not UTF-8.
func quotePattern(text string) string {
	if utf8.ValidString(text) {
		return regexp.QuoteMeta(text)
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && size == 1 {
			fmt.Fprintf(&b, `\x%02x`, text[i])
		} else {
			b.WriteString(regexp.QuoteMeta(text[i : i+size]))
		}
		i += size
	}
	return b.String()
}

func (f *Filler) fill(text string, quote func(string) string, limit int) string {
	size := len(text)
	return placeholder.ReplaceAllStringFunc(text, func(match string) string {
		value := openBraces
		if name := placeholder.FindStringSubmatch(match)[1]; name != "" {
			value = f.Values[name]
		}
		value = quote(value)
		if size += len(value); size > limit {
			f.exceeded = limit
			return ""
		}
		return value
	})
}
