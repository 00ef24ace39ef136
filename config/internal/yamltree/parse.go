package yamltree

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// MaxBytes is the most bytes of all files of a configuration, and of what their references make of them.
const MaxBytes = 64 << 20

// Parse parses the only document of the file that the report began last, and substitutes its references. It returns
// nil, and a fault, if nothing can be read.
func Parse(r *Report, data []byte) *yaml.Node {
	root := parse(r, data)
	r.places.ended(len(data), root)
	if root != nil {
		newSubstitution(r).walk(root, nil)
	}
	return root
}

// parse parses the only document of a file.
func parse(r *Report, data []byte) *yaml.Node {
	if len(data) > MaxBytes {
		r.Whole(0, 0, "is larger than %d MiB", MaxBytes>>20)
		return nil
	}
	if problem, offset := textFault(data); problem != "" {
		line, column := place(data, offset)
		r.Whole(line, column, "%s", problem)
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	document, err := next(decoder)
	switch {
	case errors.Is(err, io.EOF) || err == nil && IsNull(Follow(document.Content[0])):
		r.Whole(1, 1, "is empty")
		return nil
	case err != nil:
		r.Whole(syntaxFault(data, err))
		return nil
	}
	switch second, err := next(decoder); {
	case err == nil:
		r.Whole(second.Line, second.Column, "must be the only document of the file")
	case !errors.Is(err, io.EOF):
		r.Whole(syntaxFault(data, err))
	}
	return document.Content[0]
}

// next returns the next document of a decoder. The parser panics on some input; that, too, is a fault
// of syntax.
func next(decoder *yaml.Decoder) (document *yaml.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			document, err = nil, fmt.Errorf("yaml: %v", r)
		}
	}()
	document = new(yaml.Node)
	if err := decoder.Decode(document); err != nil {
		return nil, err
	}
	if len(document.Content) == 0 {
		return nil, io.EOF
	}
	return document, nil
}

// textFault finds what no YAML parser would take, and says it better. The offset is that of the character.
func textFault(data []byte) (problem string, offset int) {
	for i := 0; i < len(data); {
		c := data[i]
		if c < utf8.RuneSelf {
			if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0x7f {
				return fmt.Sprintf("must not contain the control character %U", c), i
			}
			i++
			continue
		}
		r, size := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			return "must be UTF-8", i
		case r > 0x7f && r < 0xa0 && r != 0x85 || r == 0xfffe || r == 0xffff:
			return fmt.Sprintf("must not contain the control character %U", r), i
		}
		i += size
	}
	return "", 0
}

// place returns the line and the column of an offset, as people and the YAML parser count them: from 1, lines
// ended by LF, CR or both, columns in characters, a byte order mark not counted.
func place(data []byte, offset int) (line, column int) {
	before := data[:offset]
	line = 1 + bytes.Count(before, []byte("\n"))
	for i, c := range before {
		if c == '\r' && (i+1 == len(data) || data[i+1] != '\n') {
			line++
		}
	}
	start := bytes.LastIndexAny(before, "\r\n") + 1
	text := bytes.TrimPrefix(before[start:], []byte("\ufeff"))
	return line, 1 + utf8.RuneCount(text)
}
