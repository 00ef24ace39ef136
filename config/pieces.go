package config

import (
	"bytes"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/config/internal/yamltree"
)

// pieces are the parts of the text of a file whose list of probes is written an item at a time:
//
//	agent: {...}
//	probes:
//	  - name: a
//	    ...
//	  - name: b
//	    ...
//	streams: [...]
//
// The cut is by lines and knows little of YAML. So it counts only if the tree of the text agrees, see [pieces.outline].
type pieces struct {
	head  []byte // up to the line probes:, with it
	items []piece
	tail  []byte // from the first line that is no part of the list
	key   int    // the line of the file with probes:
	lines int    // of the head and the items
}

// piece is the text of one item of the list.
type piece struct {
	text []byte
	line int // of the file, from 1
}

// strangeBreaks are the characters that YAML takes for the end of a line, too, in UTF-8.
var strangeBreaks = [][]byte{[]byte("\u0085"), []byte("\u2028"), []byte("\u2029")}

// cut cuts a text into pieces, or returns nil for one that is written in another way.
func cut(data []byte) *pieces {
	if bytes.Count(data, []byte("\r")) != bytes.Count(data, []byte("\r\n")) {
		return nil
	}
	for _, end := range strangeBreaks {
		if bytes.Contains(data, end) {
			return nil
		}
	}
	p, rest := &pieces{}, data
	for p.head == nil {
		line, after, more := nextLine(rest)
		if !more {
			return nil
		}
		p.lines++
		if rest = after; beginsList(line) {
			p.head, p.key = data[:len(data)-len(rest)], p.lines
		}
	}
	if !p.cutItems(rest) {
		return nil
	}
	return p
}

// beginsList reports whether a line is the key probes without a value, and maybe a comment.
func beginsList(line []byte) bool {
	rest, found := bytes.CutPrefix(line, []byte("probes:"))
	text := bytes.TrimLeft(rest, " ")
	comment := len(text) > 0 && text[0] == '#' && len(text) < len(rest)
	return found && (comment || len(bytes.TrimRight(text, "\r\n")) == 0)
}

// cutItems cuts the rest of a text into items and the tail. It reports whether there are items.
func (p *pieces) cutItems(rest []byte) bool {
	begin, indent := rest, -1 // of the item at hand, and of all items
	end := func(rest []byte) {
		if n := len(p.items); n > 0 {
			p.items[n-1].text = begin[:len(begin)-len(rest)]
		}
	}
	for {
		line, after, more := nextLine(rest)
		if !more {
			end(rest)
			return len(p.items) > 0
		}
		text := bytes.TrimLeft(line, " ")
		column := len(line) - len(text)
		text = bytes.TrimRight(text, " \r\n")
		dash := len(text) > 0 && text[0] == '-' && (len(text) == 1 || text[1] == ' ')
		switch {
		case len(text) == 0 || text[0] == '#' || indent >= 0 && column > indent:
		case text[0] == '\t':
			return false
		case dash && (indent < 0 || column == indent):
			if indent < 0 && len(begin) != len(rest) {
				p.head = p.head[:len(p.head)+len(begin)-len(rest)] // comments before the first item
			}
			end(rest)
			begin, indent = rest, column
			p.items = append(p.items, piece{line: p.lines + 1})
		case column == 0 && indent >= 0:
			end(rest)
			p.tail = rest
			return true
		default:
			return false
		}
		p.lines++
		rest = after
	}
}

// nextLine returns the first line of a text with its end, and the rest.
func nextLine(text []byte) (line, rest []byte, more bool) {
	if len(text) == 0 {
		return nil, nil, false
	}
	i := bytes.IndexByte(text, '\n')
	if i < 0 {
		i = len(text) - 1
	}
	return text[:i+1], text[i+1:], true
}

// outline parses what is beside the items. It returns nil if the tree is not cut where the text is, or if the text has
// a fault. Where the tree fits, and the items are lists by themselves, no item reaches into another or out of the list.
func (p *pieces) outline() *yamltree.Outline {
	o := yamltree.ParseOutline(p.head, p.tail, p.lines-bytes.Count(p.head, newLine))
	if o == nil || !p.fit(o.Root) {
		return nil
	}
	return o
}

var newLine = []byte("\n")

// fit reports whether a tree has the key of the list, without a value, and behind it the first key of the tail.
func (p *pieces) fit(root *yaml.Node) bool {
	if root.Kind != yaml.MappingNode || root.Tag != yamltree.MapTag || root.Style&yaml.FlowStyle != 0 || root.Anchor != "" {
		return false
	}
	listed, ended := false, len(p.tail) == 0
	for i := 0; i+1 < len(root.Content); i += 2 {
		switch key, value := root.Content[i], root.Content[i+1]; {
		case key.Kind != yaml.ScalarNode:
			return false
		case key.Value == "probes":
			if listed || key.Line != p.key || key.Column != 1 || !yamltree.IsNull(value) {
				return false
			}
			listed = true
		case key.Line == p.lines+1 && key.Column == 1:
			ended = true
		}
	}
	return listed && ended
}
