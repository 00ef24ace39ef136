package config

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// yamlError takes the text of an error of the YAML parser apart.
var yamlError = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?((?s).*)$`)

// opened are the messages of the parser whose line is right: that of the beginning of what has no end.
var opened = []string{"found unexpected end of stream", "could not find expected ':'"}

// refinable is the size up to which a file is parsed again to find the column of an error. Beyond, it would take
// longer than a person wants to wait for a typing error.
const refinable = 256 << 10

// syntaxFault says where the syntax of a file goes wrong, and how. The parser knows, and does not tell: its errors
// bear no column, and most have the line where the surrounding block begins, or none. So the file is
// parsed again, line by line, to see with which line the parser gives up; then its beginnings are, to find the
// shortest one that has the same error. It ends with the character that is too much.
func syntaxFault(data []byte, err error) (line, column int, format, problem string) {
	parts := yamlError.FindStringSubmatch(err.Error())
	problem = shorten(parts[2])
	start, end := giveUp(data)
	for _, message := range opened {
		if told, err := strconv.Atoi(parts[1]); err == nil && strings.HasPrefix(problem, message) {
			start, end = lineAt(data, told)
		}
	}
	offset := start + len(data[start:end]) - len(bytes.TrimLeft(data[start:end], " \t"))
	if alias := regexp.MustCompile(`^unknown anchor '(.*)' referenced$`).FindStringSubmatch(parts[2]); alias != nil {
		offset = start + max(0, bytes.Index(data[start:end], []byte("*"+alias[1])))
	} else if len(data) <= refinable {
		offset = tooMuch(data, offset, end, parts[2])
	}
	line, column = place(data, offset)
	return line, column, "%s", problem
}

// giveUp returns the bounds of the line with which the parser gives up.
func giveUp(data []byte) (start, end int) {
	lines := &lineReader{data: data}
	_ = parseAll(lines)
	start = bytes.LastIndexByte(data[:max(lines.end-1, 0)], '\n') + 1
	return start, lines.end
}

// lineReader hands out one byte after the other and knows the last line of which it did.
type lineReader struct {
	data []byte
	end  int
}

func (r *lineReader) Read(p []byte) (int, error) {
	if r.end == len(r.data) {
		return 0, io.EOF
	}
	p[0] = r.data[r.end]
	r.end++
	return 1, nil
}

// lineAt returns the bounds of a line, counted from 1. A line behind the last one stands for the
// first: that is what the parser tells of something that begins on line 1 and has no end.
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

// tooMuch returns the offset of the character between two offsets with which the error appears.
func tooMuch(data []byte, from, to int, problem string) int {
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
