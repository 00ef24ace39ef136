package yamltree

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Outline is a file without the items of one list, which are parsed a few at a time. So the nodes of a long list are
// never all there at once.
type Outline struct {
	Root *yaml.Node // in which the list is null
	// anchors are what an alias in an item can name outside the items, and names their names.
	anchors map[string]*yaml.Node
	names   []string
	base    int // lines of the files before
	fill    *substitution
	list    trail
}

// Item is where an item of the list begins.
type Item struct {
	Text int // the line of a text, from 1
	File int // the line of the file, from 1
}

// mostAnchors is how many anchors outside the items they may refer to. Each batch of items begins with all of them.
const mostAnchors = 64

// ParseOutline parses the text before the items of a list and that behind so many lines of them. The lines of the nodes
// are those of the file. It returns nil for a text that [Parse] has to judge.
func ParseOutline(head, tail []byte, left int) *Outline {
	lines := bytes.Count(head, []byte("\n"))
	if bytes.HasPrefix(head, []byte("%")) || bytes.Contains(head, []byte("\n%")) {
		return nil // a directive is about the items, too
	}
	root := only(io.MultiReader(bytes.NewReader(head), bytes.NewReader(tail)))
	if root == nil || hasTextFault(head) || hasTextFault(tail) {
		return nil
	}
	o := &Outline{Root: root, anchors: make(map[string]*yaml.Node)}
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		if n.Line > lines {
			n.Line += left
		} else if n.Anchor != "" && n.Kind != yaml.AliasNode {
			o.anchors[n.Anchor] = n
		}
		for _, inner := range n.Content {
			walk(inner)
		}
	}
	walk(root)
	if o.names = slices.Sorted(maps.Keys(o.anchors)); len(o.names) > mostAnchors {
		return nil
	}
	return o
}

// only returns the tree of the only document of a text, or nil.
func only(text io.Reader) *yaml.Node {
	decoder := yaml.NewDecoder(text)
	document, err := next(decoder)
	if err != nil {
		return nil
	}
	if _, err := next(decoder); !errors.Is(err, io.EOF) {
		return nil
	}
	return document.Content[0]
}

func hasTextFault(text []byte) bool {
	problem, _ := textFault(text)
	return problem != ""
}

// Begin makes the outline that of the file that the report began last, which has so many bytes. The list is the value
// of this key at the top.
func (o *Outline) Begin(r *Report, size int, list string) {
	o.base, o.fill, o.list = r.places.base, newSubstitution(r), trail{key: list}
	r.places.ended(size, o.Root)
	o.fill.walk(o.Root, nil)
}

// Parse parses a text that has items of the list, which begin at these lines. It returns nil for a text that is not so
// plain: then the whole file has to be parsed. It may be called by several goroutines at once.
func (o *Outline) Parse(text []byte, items []Item) []*yaml.Node {
	if hasTextFault(text) {
		return nil
	}
	var stubs string // an item that has the anchors outside the items
	if len(o.names) > 0 && bytes.IndexByte(text, '*') >= 0 {
		column := len(text) - len(bytes.TrimLeft(text, " "))
		stubs = strings.Repeat(" ", column) + "- [&" + strings.Join(o.names, " x, &") + " x]\n"
	}
	list := only(io.MultiReader(strings.NewReader(stubs), bytes.NewReader(text)))
	if list == nil || list.Kind != yaml.SequenceNode || list.Tag != SeqTag || list.Anchor != "" {
		return nil
	}
	nodes, moved := list.Content, o.base
	links := make(map[*yaml.Node]*yaml.Node)
	if stubs != "" {
		for i, stub := range nodes[0].Content {
			links[stub] = o.anchors[o.names[i]]
		}
		nodes, moved = nodes[1:], moved-1
	}
	if len(nodes) != len(items) {
		return nil
	}
	for i, n := range nodes {
		line := n.Line + moved - o.base
		if line < items[i].Text || i+1 < len(items) && line >= items[i+1].Text {
			return nil
		}
		if !o.place(n, moved+items[i].File-items[i].Text, links) {
			return nil
		}
	}
	return nodes
}

// place moves a node and those below it down, and makes aliases lead to where the links lead. It reports whether no
// node takes the name of an anchor outside the items, because aliases behind it would mean that node.
func (o *Outline) place(n *yaml.Node, lines int, links map[*yaml.Node]*yaml.Node) bool {
	n.Line += lines
	if n.Kind == yaml.AliasNode {
		if link := links[n.Alias]; link != nil {
			n.Alias = link
		}
	} else if n.Anchor != "" && o.anchors[n.Anchor] != nil {
		return false
	}
	for _, inner := range n.Content {
		if !o.place(inner, lines, links) {
			return false
		}
	}
	return true
}

// Fill substitutes the references of an item, the number of which counts from 0.
func (o *Outline) Fill(item *yaml.Node, index int) {
	o.fill.walk(item, &trail{up: &o.list, index: index})
}
