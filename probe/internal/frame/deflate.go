package frame

import (
	"fmt"
	"strconv"
	"strings"
)

// PermessageDeflate is the name of the compression extension (RFC 7692 7).
const PermessageDeflate = "permessage-deflate"

// Deflate is the compression that both sides agreed upon.
type Deflate struct {
	params   []string // as the server gave them
	takeover bool     // the server may refer to its earlier messages (RFC 7692 7.1.1.1)
	forgets  bool     // we may not refer to ours (RFC 7692 7.1.1.2)
}

// String is the extension with the server's parameters, as in its header.
func (d *Deflate) String() string {
	return strings.Join(append([]string{PermessageDeflate}, d.params...), "; ")
}

// AcceptDeflate reads the extensions that a server picked (RFC 6455 9.1). Only a permessage-deflate that was offered
// can be right. It returns the agreement, or nil if the server picked none, or else the problem.
func AcceptDeflate(values []string, offered bool) (agreed *Deflate, problem string) {
	for _, extension := range splitUnquoted(strings.Join(values, ","), ',') {
		parts := splitUnquoted(extension, ';')
		switch {
		case parts[0] == "" && len(parts) == 1:
			continue // an empty element of a list does not count (RFC 9110 5.6.1.2)
		case parts[0] != PermessageDeflate || !offered:
			return nil, "which was not offered"
		case agreed != nil:
			return nil, "which is there twice"
		}
		agreed = &Deflate{takeover: true}
		for _, param := range parts[1:] {
			if problem := agreed.accept(param); problem != "" {
				return nil, problem
			}
		}
	}
	return agreed, ""
}

// accept reads one parameter of the server's answer to an offer without parameters (RFC 7692 7.1).
func (d *Deflate) accept(param string) (problem string) {
	name, value, valued := strings.Cut(param, "=")
	name, value = strings.TrimSpace(name), unquote(strings.TrimSpace(value))
	for _, earlier := range d.params {
		if other, _, _ := strings.Cut(earlier, "="); other == name {
			return fmt.Sprintf("with the parameter %s twice", name)
		}
	}
	switch name {
	case "server_no_context_takeover", "client_no_context_takeover":
		if valued {
			return fmt.Sprintf("with a value for %s, which takes none", name)
		}
		d.takeover = d.takeover && name != "server_no_context_takeover"
		d.forgets = d.forgets || name == "client_no_context_takeover"
	case "server_max_window_bits":
		// The inflater always has the largest window, which a smaller one fits into.
		if bits, err := strconv.Atoi(value); err != nil || bits < 8 || bits > 15 || strconv.Itoa(bits) != value {
			return fmt.Sprintf("with a value for %s that is not from 8 to 15", name)
		}
		name += "=" + value
	case "client_max_window_bits":
		return fmt.Sprintf("with %s, which was not offered (RFC 7692 7.1.2.2)", name)
	default:
		return "with a parameter that RFC 7692 does not know"
	}
	d.params = append(d.params, name)
	return ""
}

// splitUnquoted cuts a text at each separator that is not inside a quoted string, and trims the parts.
func splitUnquoted(text string, separator byte) []string {
	var parts []string
	quoted, begin := false, 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++ // the escaped character
		case c == '"':
			quoted = !quoted
		case c == separator && !quoted:
			parts = append(parts, strings.TrimSpace(text[begin:i]))
			begin = i + 1
		}
	}
	return append(parts, strings.TrimSpace(text[begin:]))
}

// unquote returns the value of a quoted string (RFC 9110 5.6.4), or the text as it is.
func unquote(text string) string {
	inner, opened := strings.CutPrefix(text, `"`)
	inner, closed := strings.CutSuffix(inner, `"`)
	if !opened || !closed {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(inner); i++ {
		if inner[i] == '\\' && i+1 < len(inner) {
			i++
		}
		b.WriteByte(inner[i])
	}
	return b.String()
}
