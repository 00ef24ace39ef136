package yamltree

import (
	"fmt"
	"sort"

	"go.yaml.in/yaml/v3"
)

// places tell the file and the line of a node. The lines of all files count on from one file to the next, so that a
// node needs no name of a file.
type places struct {
	parts []part
	base  int // lines of all files before the one that began last
	lines int // of all files that ended, at most
}

// part is a file.
type part struct {
	file   string
	before int // lines that are counted before it
}

// Begin begins a file, which the next [Parse] is about. The name is as the user gave it.
func (r *Report) Begin(file string) {
	r.places.base = r.places.lines
	r.places.parts = append(r.places.parts, part{file: file, before: r.places.base})
}

// ended counts the lines of the file that began last, and makes those of its nodes count on from the files before.
func (p *places) ended(size int, document *yaml.Node) {
	if p.base > 0 && document != nil {
		shift(document, p.base)
	}
	p.lines += size + 2 // as many as so many bytes can have
}

// shift moves a node and those below it down.
func shift(n *yaml.Node, lines int) {
	n.Line += lines
	for _, inner := range n.Content {
		shift(inner, lines)
	}
}

// last returns the file that began last.
func (p *places) last() string {
	if len(p.parts) == 0 {
		return ""
	}
	return p.parts[len(p.parts)-1].file
}

// of returns the file and the line of a node.
func (p *places) of(n *yaml.Node) (file string, line int) { return p.ofLine(n.Line) }

// ofLine returns the file and the line of a node of this line.
func (p *places) ofLine(counted int) (file string, line int) {
	if len(p.parts) == 0 {
		return "", max(counted, 1)
	}
	i := sort.Search(len(p.parts), func(i int) bool { return p.parts[i].before >= counted })
	at := p.parts[max(i-1, 0)]
	return at.file, max(counted-at.before, 1)
}

// ranks returns the number of each file in the order read.
func (p *places) ranks() map[string]int {
	ranks := make(map[string]int)
	for i, at := range p.parts {
		if _, known := ranks[at.file]; !known {
			ranks[at.file] = i
		}
	}
	return ranks
}

// Seen names the place of a node for a message about another one: its line, and its file if that is another.
func (r *Report) Seen(n, from *yaml.Node) string {
	return r.SeenAt(n.Line, from)
}

// SeenAt is [Report.Seen] for the Line of a node that is not kept.
func (r *Report) SeenAt(line int, from *yaml.Node) string {
	file, line := r.places.ofLine(line)
	if here, _ := r.places.of(from); here == file {
		return fmt.Sprintf("line %d", line)
	}
	return fmt.Sprintf("%s:%d", file, line)
}
