package convert

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
)

// parseJSON reads JSON with the lines of its names, which a YAML parser would not do for every file.
func parseJSON(s Source) (*node, error) {
	j := jsonTree{decoder: json.NewDecoder(bytes.NewReader(s.Data)), lines: linesOf(s.Data)}
	if err := json.Unmarshal(s.Data, new(any)); err != nil {
		return nil, j.fault(s, err, len(s.Data))
	}
	j.decoder.UseNumber()
	root, err := j.value(0)
	if err == nil && root.kind != mappingKind {
		err = errors.New("must be an object")
	}
	if err != nil {
		return nil, j.fault(s, err, int(j.decoder.InputOffset()))
	}
	return root, nil
}

// fault places an error behind so many bytes, unless the error knows better.
func (j *jsonTree) fault(s Source, err error, offset int) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		offset = int(syntax.Offset)
	}
	offset = max(0, min(offset, len(s.Data))-1)
	fault := &Fault{File: s.Name, Line: j.lines.of(offset), Column: j.lines.column(offset), Problem: err.Error()}
	fault.Problem += bareReference(s.Data, fault.Line)
	return fault
}

// jsonTree makes nodes of the tokens of a file.
type jsonTree struct {
	decoder *json.Decoder
	lines   lines
}

func (j *jsonTree) line() int { return j.lines.of(max(0, int(j.decoder.InputOffset())-1)) }

func (j *jsonTree) value(depth int) (*node, error) {
	token, err := j.decoder.Token()
	if err != nil {
		return nil, err
	}
	if depth > maxDepth {
		return nil, errors.New("nests values too deeply")
	}
	made := &node{line: j.line()}
	switch v := token.(type) {
	case nil:
		made.kind = nullKind
	case bool:
		made.text = strconv.FormatBool(v)
	case json.Number:
		made.text = v.String()
	case string:
		made.text = v
	case json.Delim:
		return made, j.inside(made, v, depth)
	}
	return made, nil
}

// inside reads an array or an object up to its end.
func (j *jsonTree) inside(made *node, begin json.Delim, depth int) error {
	made.kind = listKind
	if begin == '{' {
		made.kind = mappingKind
	}
	for j.decoder.More() {
		var f field
		if begin == '{' {
			name, err := j.decoder.Token()
			if err != nil {
				return err
			}
			f.name, f.line = name.(string), j.line()
			if made.at(f.name) != nil {
				return errors.New("has the name " + strconv.Quote(f.name) + " twice")
			}
		}
		child, err := j.value(depth + 1)
		if err != nil {
			return err
		}
		if f.node = child; begin == '{' {
			made.fields = append(made.fields, f)
		} else {
			made.items = append(made.items, child)
		}
	}
	_, err := j.decoder.Token()
	return err
}
