package convert

import (
	"slices"
	"strings"
)

// maxDepth is how deep values may lie in each other. No configuration comes near it.
const maxDepth = 100

// kind is the kind of a node.
type kind int

const (
	scalarKind  kind = iota // a text, a number or a truth value, as it is written
	listKind                // values in order
	mappingKind             // names with values
	nullKind
)

// node is a value of a file, whatever its format, with its line.
type node struct {
	kind   kind
	line   int
	text   string
	items  []*node
	fields []field
}

// field is a name with its value.
type field struct {
	name string
	line int
	node *node
}

// at returns the value behind a name, or nil.
func (n *node) at(name string) *node {
	if n == nil {
		return nil
	}
	for i := range n.fields {
		if n.fields[i].name == name && n.fields[i].node.kind != nullKind {
			return n.fields[i].node
		}
	}
	return nil
}

// find returns the value at the end of a dotted path, or nil.
func (n *node) find(path string) *node {
	for name := range strings.SplitSeq(path, ".") {
		n = n.at(name)
	}
	return n
}

// scalar is the text of the value at a dotted path, or "".
func (n *node) scalar(path string) string {
	if found := n.find(path); found != nil {
		return found.text
	}
	return ""
}

// texts are the texts of a list, or the one text that stands in place of a list.
func (n *node) texts() []string {
	switch {
	case n == nil || n.kind == nullKind:
		return nil
	case n.kind == scalarKind:
		return []string{n.text}
	}
	var all []string
	for _, item := range n.items {
		all = append(all, item.texts()...)
	}
	return all
}

// child returns the mapping behind a name, and makes it if it is not there. It is nil if something else is.
func (n *node) child(name string, line int) *node {
	for i := range n.fields {
		if n.fields[i].name == name {
			found := n.fields[i].node
			if found.kind == listKind && len(found.items) > 0 {
				found = found.items[len(found.items)-1] // TOML goes on with the last one
			}
			return found
		}
	}
	made := &node{kind: mappingKind, line: line}
	n.fields = append(n.fields, field{name, line, made})
	return made
}

// leaf is a value below a mapping with its dotted path.
type leaf struct {
	path string
	line int
	node *node
	// file is that of a setting for all outputs, which is no part of the section; "" for a part.
	file string
}

// leaves flattens a mapping. It goes into another mapping unless whole says that its path names an option.
func (n *node) leaves(whole func(path string) bool) []leaf {
	var all []leaf
	var walk func(prefix string, n *node)
	walk = func(prefix string, n *node) {
		for _, f := range n.fields {
			path := prefix + f.name
			switch {
			case f.node.kind == nullKind:
			case f.node.kind == mappingKind && len(f.node.fields) > 0 && !whole(path):
				walk(path+".", f.node)
			default:
				all = append(all, leaf{path: path, line: f.line, node: f.node})
			}
		}
	}
	walk("", n)
	return all
}

// lines finds the lines of places in a text.
type lines []int // the places of its line breaks

func linesOf(data []byte) lines {
	var l lines
	for i, c := range data {
		if c == '\n' {
			l = append(l, i)
		}
	}
	return l
}

// of is the line of a place, from 1.
func (l lines) of(offset int) int {
	before, _ := slices.BinarySearch(l, offset)
	return before + 1
}

// column is the column of a place in bytes, from 1.
func (l lines) column(offset int) int {
	before, _ := slices.BinarySearch(l, offset)
	if before == 0 {
		return offset + 1
	}
	return offset - l[before-1]
}
