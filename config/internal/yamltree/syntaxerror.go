package yamltree

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/config/internal/excerpt"
)

// yamlError takes the text of an error of the YAML parser apart.
var yamlError = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?((?s).*)$`)

// misplaced matches the messages of which the parser does not know the line: those of its grammar, while
// those of its scanner have the right one, or none on line 1.
var misplaced = regexp.MustCompile(`^(did not find expected (key|'-' indicator|',' or '[\]}]'|node content|<.*>)|` +
	`found (a tab character that violates indentation|undefined tag handle|incompatible YAML document|duplicate %.*)|` +
	`unknown anchor .*)`)

// unknownAnchor matches the one message that names what is wrong.
var unknownAnchor = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)

// hints say what usually causes an error.
var hints = map[string]string{
	"mapping values are not allowed in this context":  "text that contains a colon and a blank needs quotes",
	"found character that cannot start any token":     "text that begins with @, `, %, > or | needs quotes",
	"did not find expected comment or line break":     "text that begins with > or | needs quotes",
	"found an indentation indicator equal to 0":       "text that begins with > or | needs quotes",
	"found a tab character that violates indentation": "indent by blanks",
	"found incompatible YAML document":                "leave the %YAML line away",
	"found unexpected end of stream":                  "the quotes are never closed",
	"did not find expected key":                       "check the indentation, brackets and quotes",
	"did not find expected '-' indicator":             "check the indentation",
	"found unknown escape character":                  "in double quotes a backslash begins an escape: use single quotes",
}

// refinable is the size up to which a file is parsed again to find the column of an error. Beyond, it would take
// longer than a person wants to wait for a typing error.
const refinable = 256 << 10

// syntaxFault says where the syntax of a file goes wrong, and how. The parser knows, and does not tell: its errors
// bear no column, and half of them no line or that where the surrounding block begins. So the file is parsed
// again, byte by byte, to see how far the parser gets; then beginnings of the file are, to find the shortest
// one that has the same error. It ends with the character that is too much.
func syntaxFault(data []byte, err error) (line, column int, format, problem string) {
	parts := yamlError.FindStringSubmatch(err.Error())
	problem = parts[2]
	var start, end int
	if misplaced.MatchString(problem) {
		start, end = lastLineRead(data)
	} else {
		told, _ := strconv.Atoi(parts[1])
		start, end = lineAt(data, told)
	}
	offset := start + len(data[start:end]) - len(bytes.TrimLeft(data[start:end], " "))
	if alias := unknownAnchor.FindStringSubmatch(problem); alias != nil {
		offset = max(0, bytes.LastIndex(data[:end], []byte("*"+alias[1])))
	} else if len(data) <= refinable {
		offset = offendingOffset(data, offset, end, problem)
	}
	switch directive := bytes.LastIndex(data[:end], []byte("%YAML")); {
	case problem == "found incompatible YAML document" && directive >= 0: // which is only told where the document begins
		offset = directive
	case problem == "found character that cannot start any token" && offset < len(data) && data[offset] == '\t':
		problem = "found a tab character that violates indentation"
	}
	line, column = place(data, offset)
	if hint := hints[problem]; hint != "" {
		problem += ": " + hint
	}
	return line, column, "%s", excerpt.Cut(problem, 2*excerpt.Max)
}

// lastLineRead returns the bounds of the line that the parser reads when it gives up, and of the one before, because
// it reads a few characters ahead.
func lastLineRead(data []byte) (start, end int) {
	text := &byteReader{data: data}
	_ = parseAll(text)
	start = bytes.LastIndexByte(data[:max(text.next-1, 0)], '\n') + 1
	return bytes.LastIndexByte(data[:max(start-1, 0)], '\n') + 1, text.next
}

// byteReader hands out one byte after the other, so that none is taken before it is needed.
type byteReader struct {
	data []byte
	next int
}

func (r *byteReader) Read(p []byte) (int, error) {
	if r.next == len(r.data) {
		return 0, io.EOF
	}
	p[0] = r.data[r.next]
	r.next++
	return 1, nil
}

// lineAt returns the bounds of a line, counted from 1; no number is the first line. So is a line behind the
// last one: that is what the parser tells of something that begins on line 1 and has no end.
func lineAt(data []byte, line int) (start, end int) {
	for range line - 1 {
		i := bytes.IndexByte(data[start:], '\n')
		if i < 0 || start+i+1 == len(data) {
			start = 0
			break
		}
		start += i + 1
	}
	if i := bytes.IndexByte(data[start:], '\n'); i >= 0 {
		return start, start + i
	}
	return start, len(data)
}

// offendingOffset returns the offset of the character between two offsets with which the error appears.
func offendingOffset(data []byte, from, to int, problem string) int {
	low, high := from, to
	for low < high {
		middle := (low + high) / 2
		err := parseAll(bytes.NewReader(data[:middle]))
		if err != nil && strings.HasSuffix(err.Error(), problem) {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return max(from, low-1)
}

// parseAll parses every document and returns the first error.
func parseAll(from io.Reader) error {
	decoder := yaml.NewDecoder(from)
	for {
		if _, err := next(decoder); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}
