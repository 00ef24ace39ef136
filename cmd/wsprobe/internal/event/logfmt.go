package event

import (
	"log/slog"
	"strings"
	"unicode/utf8"
)

// logfmt appends an event as a line of keys with values, without those that are null. Fields within one have both
// names.
func (e *Encoder) logfmt(dst []byte, ev *Event, room *scratch) ([]byte, int) {
	slot, begin := -1, len(dst)
	key := func(names ...string) {
		if len(dst) > begin {
			dst = append(dst, ' ')
		}
		for i, name := range names {
			if i > 0 {
				dst = append(dst, '.')
			}
			dst = appendKey(dst, name)
		}
		dst = append(dst, '=')
	}
	for i := range e.columns {
		c := &e.columns[i]
		if c.kind == replay {
			key(c.name)
			slot = len(dst)
			continue
		}
		if c.within == nil {
			if v := c.value(ev); !null(v) {
				key(c.name)
				dst = e.appendLogfmt(dst, v)
			}
			continue
		}
		for _, p := range c.pairs(ev, room) {
			if !null(p.value) {
				key(c.name, p.name)
				dst = e.appendLogfmt(dst, p.value)
			}
		}
	}
	return append(dst, '\n'), slot
}

// appendKey appends the name of a field. It can have no blank, no quote and no =, for which there is no escape.
func appendKey(dst []byte, name string) []byte {
	for _, r := range name {
		if r <= ' ' || r == '=' || r == '"' || r == 0x7f || r == utf8.RuneError {
			r = '_'
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}

// appendLogfmt appends a value, in quotes if it needs them.
func (e *Encoder) appendLogfmt(dst []byte, v slog.Value) []byte {
	v = e.stamp.plain(v)
	if v.Kind() == slog.KindString && !needsQuotes(v.String()) {
		return append(dst, v.String()...)
	}
	return e.stamp.appendJSON(dst, v) // quotes and escapes are those of JSON
}

// needsQuotes reports whether a text would not be read back as it is.
func needsQuotes(s string) bool {
	return s == "" || s == "null" || !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r == '=' || r == '"' || r == '\\' || r == 0x7f || r == utf8.RuneError || r == '\u2028' || r == '\u2029'
	})
}
