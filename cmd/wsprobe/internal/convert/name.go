package convert

import (
	"strconv"
	"strings"

	"github.com/wsprobe/wsprobe/probe/visible"
)

// maxName is how many characters a name has at most, less some for a number.
const maxName = 120

// plainName is a name for a stream: an alias, the one that it has, or that of its host.
func plainName(alias string, stream *entry) string {
	name := stream.text("name")
	if alias != "" && !referring(alias) {
		name = plain(alias)
	}
	if a, known := parseAddress(stream.text("url")); known && name == "" {
		name = a.name()
	}
	runes := []rune(strings.TrimSpace(visible.Text(reference.ReplaceAllString(name, ""))))
	if len(runes) > maxName {
		runes = runes[:maxName]
	}
	if len(runes) == 0 {
		return "stream"
	}
	return string(runes)
}

// numbered is a name with a number, in place of the one that it has.
func numbered(name string, n int) string {
	return strings.TrimSuffix(name, "-"+strconv.Itoa(n-1)) + "-" + strconv.Itoa(n)
}

// fileName is a name that can be that of a directory.
func fileName(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z' {
			return r
		}
		return '_'
	}, name)
}
