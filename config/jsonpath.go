package config

import (
	"regexp"
	"strings"

	"github.com/wsprobe/wsprobe/config/internal/excerpt"
)

// escapePath writes a key of JSON as a part of a path.
func escapePath(key string) string {
	return pathEscapes.Replace(key)
}

var pathEscapes = strings.NewReplacer(`\`, `\\`, ".", `\.`, "*", `\*`, "?", `\?`, "|", `\|`, "#", `\#`, "@", `\@`)

var (
	rooted   = regexp.MustCompile(`^\s*\$([.\[]|$)`)
	gatus    = regexp.MustCompile(`^\[BODY\]`)
	wildcard = regexp.MustCompile(`\.\.|\[\s*\*\s*\]|\[\s*\]|^\$?\.\*|\.\*(\.|$)`)
	filters  = regexp.MustCompile(`\[\s*\?|\[\s*\(|\[-|\[\s*\d*\s*:|\(\)|\.length$`)
	// element is what other dialects have between brackets: the index of an element or the quoted name of a member.
	element = regexp.MustCompile(`\.?\[\s*(?:(\d+)|"([^"]*)"|'([^']*)')\s*\]`)
	pointer = regexp.MustCompile(`^(/[^/]*)+$`)
)

// pathDoubt says what is doubtful about the path of an expectation that another dialect seems to have: JSONPath, jq,
// JSON Pointer or that of Gatus. It says how the path is written here, or that there is no such path.
func pathDoubt(path string) string {
	switch {
	case strings.Contains(path, "{{"):
		return "has a placeholder in a path, where nothing is filled in: only values have them"
	case wildcard.MatchString(path) && strings.ContainsAny(path, "$[") || strings.Contains(path, ".."):
		return "asks for several values at once: write the path to one, with the number of an element, such as items.0.id"
	case filters.MatchString(path) && strings.ContainsAny(path, "$[("):
		return "is not a supported path: write the path to one value, such as items.0.id"
	}
	plain := plainPath(path)
	switch {
	case plain == "" && path != "":
		return "is the document as a whole: write the path to a value, or use expect_message"
	case plain == path, readAnyway(path):
		return ""
	}
	return "is a path of another dialect: write " + excerpt.Of(plain)
}

// plainPath takes a path of another dialect to what it is here.
func plainPath(path string) string {
	plain := path
	if pointer.MatchString(path) && path != "/" && !strings.ContainsAny(path, ".[") {
		unescape := strings.NewReplacer("~1", "/", "~0", "~")
		parts := strings.Split(path[1:], "/")
		for i, part := range parts {
			parts[i] = escapePath(unescape.Replace(part))
		}
		return strings.Join(parts, ".")
	}
	plain = rooted.ReplaceAllString(gatus.ReplaceAllString(plain, ""), "$1")
	plain = element.ReplaceAllStringFunc(plain, func(match string) string {
		groups := element.FindStringSubmatch(match)
		return "." + groups[1] + escapePath(groups[2]+groups[3])
	})
	if plain == path && !strings.HasPrefix(plain, ".") {
		return path
	}
	return strings.TrimPrefix(strings.TrimPrefix(plain, "."), ".")
}

// readAnyway reports whether a path is one of the two forms of JSONPath that are taken as they are: $.a and a[0].
func readAnyway(path string) bool { return habit.MatchString(path) }

var habit = regexp.MustCompile(`^(\$\.)?[^.$\[\]'"/][^$\[\]'"/]*(\[\d+\][^$\[\]'"]*)*$|^\$(\[\d+\][^$\[\]'"]*)+$`)
