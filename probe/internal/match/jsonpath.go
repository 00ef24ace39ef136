package match

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// Limits of a path. Each part of a path goes through the document once more, and the endpoint chooses the document.
const (
	maxWalks = 16 // of #, which looks at every element, and of |, which starts again
	maxStars = 2  // three in one name would take time in the square of its length
)

// fromString is the modifier that reads a text as JSON. gjson itself does not bound it.
const fromString = "@fromstr"

// modifiers are those of gjson whose time and memory are linear in the document. The others enlarge it, some of them to
// its square, or recurse as deep as it is nested.
var modifiers = []string{"@this", "@keys", "@values", "@reverse", fromString}

// path is a path into a JSON document, in parts that are looked up one after the other. A part is a modifier, or a path
// of gjson without modifiers.
type path []string

// PathProblem says why a text is no path into a JSON document, or is empty. The time to check it grows with its length,
// which the caller bounds.
func PathProblem(text string) string {
	_, problem := parsePath(text)
	return problem
}

// parsePath takes a path apart, or says what is wrong with it. It also reads the habits of JSONPath (RFC 9535) and jq:
// $.items[0]['a.b'] is items.0.a\.b, and so are .items[0] and items.[0].
func parsePath(text string) (path, string) {
	if text == "" {
		return nil, "must not be empty"
	}
	p := pathReader{rest: rootless(text), begins: true}
	for p.rest != "" {
		if problem := p.next(); problem != "" {
			return nil, problem
		}
	}
	switch {
	case p.depth > 0:
		return nil, "must end the query that #( begins with a )"
	case p.walks > maxWalks:
		return nil, fmt.Sprintf("must have at most %d of # and | together, got %d", maxWalks, p.walks)
	case p.stars > maxStars:
		return nil, fmt.Sprintf("must have at most %d of *, got %d", maxStars, p.stars)
	}
	p.cut()
	if len(p.parts) == 0 {
		return path{modifiers[0]}, "" // the document itself
	}
	return p.parts, ""
}

// rootless removes the root with which JSONPath, jq and Gatus begin a path. A key that begins with $ is no root.
func rootless(text string) string {
	rest, found := strings.CutPrefix(text, "[BODY]")
	if !found {
		rest, found = strings.CutPrefix(text, "$")
	}
	if found && rest != "" && rest[0] != '.' && rest[0] != '[' {
		return text
	}
	if rest == "." || strings.HasPrefix(rest, ".") && !strings.HasPrefix(rest, "..") {
		return rest[1:]
	}
	return rest
}

// pathReader reads a path from left to right.
type pathReader struct {
	rest         string
	part         strings.Builder
	parts        path
	begins       bool // whether the name of a member or the index of an element begins here
	depth        int  // of open queries
	value        int  // offset in part of the value that the query compares with, or 0
	each         bool // the part has a #, so that the rest applies to each element
	walks, stars int
}

var (
	bracketed   = regexp.MustCompile(`^\.?\[(?:(\d+)|'([^']*)'|"([^"]*)")\]`)
	atWord      = regexp.MustCompile(`^@[^.|:]*`)
	atWordQuery = regexp.MustCompile(`^@[^.|:()!=<>% ]*`)
)

// cut ends a part.
func (p *pathReader) cut() {
	if text := p.part.String(); text != "" {
		p.parts = append(p.parts, text)
	}
	p.part.Reset()
	p.begins, p.each, p.value = true, false, 0
}

// next reads the next character, or several that belong together, and says what is wrong with them.
func (p *pathReader) next() string {
	if match := bracketed.FindStringSubmatch(p.rest); match != nil && p.value == 0 &&
		!strings.HasSuffix(p.part.String(), "#") {
		return p.element(match)
	}
	begins := p.begins
	p.begins = false
	switch c := p.rest[0]; {
	case c == '\\' && len(p.rest) > 1:
		p.take(2)
	case c == '"' && p.value > 0:
		p.quoted()
	case c == '"' && p.depth > 0:
		return "must not have quotes in the path of a query"
	case begins && p.value == 0 && strings.HasPrefix(p.rest, openBraces): // no placeholder: a path has none
		p.part.WriteString(`\{\{`)
		p.rest = p.rest[len(openBraces):]
	case begins && p.value == 0 && (c == '[' || c == '{'):
		return "must not be several paths at once, [a,b] or {a,b}: write one path to one value " +
			`(\[ and \{ for a key that begins so)`
	case begins && p.depth == 0 && c == '!':
		return `must not be a value of its own: write \! for a key that begins so`
	case begins && c == '@' && gjson.ModifierExists(p.word()[1:], nil):
		return p.modifier(p.word())
	case c == '|' && p.depth == 0:
		p.walks++
		p.rest = p.rest[1:]
		p.cut()
	case begins && strings.HasPrefix(p.rest, "#["):
		return "must have a query in parentheses: #(name==\"x\")"
	case begins && strings.HasPrefix(p.rest, "#("):
		p.query()
	case c == ')' && p.depth > 0:
		return p.endQuery()
	default:
		p.plain(c)
	}
	return ""
}

// take passes n bytes on unchanged.
func (p *pathReader) take(n int) {
	p.part.WriteString(p.rest[:n])
	p.rest = p.rest[n:]
}

// plain passes on one character, and notes the effect of those that have one.
func (p *pathReader) plain(c byte) {
	switch c {
	case '.':
		p.begins = true
	case '|':
		p.begins = true
		p.walks++
	case '*':
		p.stars++
	case '#':
		p.walks++
		p.each = true
	case '=', '!', '<', '>', '%':
		if p.depth > 0 {
			p.value = p.part.Len() + 1
		}
	}
	p.take(1)
}

// element writes [0] and ['name'] as parts of a path.
func (p *pathReader) element(match []string) string {
	key := match[1] + escapeKey(match[2]+match[3])
	p.rest = p.rest[len(match[0]):]
	if !p.begins {
		p.part.WriteByte('.')
	}
	if p.begins = false; key == "" {
		return "must have a name or a number between [ and ]"
	}
	p.part.WriteString(key)
	if p.rest != "" && !strings.ContainsRune(".|[)=!<>% ", rune(p.rest[0])) {
		return "must have a dot behind ]"
	}
	return ""
}

// escapeKey writes a key as a part of a path.
func escapeKey(key string) string {
	var b strings.Builder
	for i := range len(key) {
		if strings.IndexByte(`\.*?|#@!{}[]()="<>%`, key[i]) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(key[i])
	}
	return b.String()
}

// word returns the word that begins with @, which may name a modifier. In a query it ends where the value begins.
func (p *pathReader) word() string {
	if p.depth > 0 {
		return atWordQuery.FindString(p.rest)
	}
	return atWord.FindString(p.rest)
}

// modifier reads the name of a modifier.
func (p *pathReader) modifier(word string) string {
	rest := p.rest[len(word):]
	switch {
	case !slices.Contains(modifiers, word):
		return fmt.Sprintf("must not have the modifier %s, only @this, @keys, @values, @reverse and @fromstr "+
			`(\%s for a key of that name)`, word, word)
	case strings.HasPrefix(rest, ":"):
		return fmt.Sprintf("must not have anything behind %s but a dot", word)
	case p.depth > 0 || p.each:
		return fmt.Sprintf("must not have %s in a query or behind #: write |%s", word, word)
	}
	p.walks++
	text := strings.TrimSuffix(p.part.String(), ".")
	p.part.Reset()
	p.part.WriteString(text)
	p.cut()
	p.parts = append(p.parts, word)
	p.rest = strings.TrimLeft(rest[:min(len(rest), 1)], ".|") + rest[min(len(rest), 1):]
	return ""
}

// query reads the beginning of a query, #(.
func (p *pathReader) query() {
	p.walks++
	p.depth++
	p.each, p.begins, p.value = true, true, 0
	p.take(2)
}

// exactDigits is the number of decimal digits that a float64 always tells apart.
const exactDigits = 15

// endQuery reads the end of a query. gjson compares numbers as float64.
func (p *pathReader) endQuery() string {
	if p.value > 0 {
		value := strings.Trim(p.part.String()[p.value:], "=!<>~% ")
		if d, ok := parseDecimal(value); plainNumber.MatchString(value) && ok && len(d.digits) > exactDigits {
			return fmt.Sprintf("must not compare with a number of more than %d digits in a query, "+
				"which would take others for the same", exactDigits)
		}
	}
	p.depth--
	p.value = 0
	p.take(1)
	return ""
}

var plainNumber = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)

// quoted reads the text in quotes that a query compares with. After % it is a pattern.
func (p *pathReader) quoted() {
	text := p.rest[:quotedLength(p.rest)]
	if strings.HasSuffix(strings.TrimRight(p.part.String(), " "), "%") {
		p.stars += strings.Count(text, "*")
	}
	p.take(len(text))
}

// quotedLength is the length of the quoted text at the beginning of text.
func quotedLength(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}
