package yamltree

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// target matches a placeholder of a template: {{target.NAME}}. The placeholders of an exchange have no dot in their
// names.
var target = regexp.MustCompile(`\{\{ ?target\.([A-Za-z0-9_.-]+) ?\}\}`)

// blank matches a placeholder of an exchange, or of the captures of a request.
var blank = regexp.MustCompile(`\{\{ ?(?:[A-Za-z_][A-Za-z0-9_]*|"\{\{"|'\{\{') ?\}\}`)

// Blank reports whether a text has a placeholder of an exchange, or of the captures of a request.
func Blank(text string) bool { return blank.MatchString(text) }

// Blended is a placeholder of an exchange that is in a value, wholly or in part, by a text that was filled in.
type Blended struct {
	At     *yaml.Node
	Where  Path
	Keys   []string
	Target string // NAME of {{target.NAME}}, whose text it is
	Quoted bool   // it stands for two braces
}

// Blended returns what texts have brought in that were filled in.
func (r *Report) Blended() []Blended { return r.blended }

// Fill returns a tree in which the placeholders {{target.NAME}} in values, keys excepted, are replaced, and the report
// for it. value returns the text for a name, and whether there is one, for a value that stands below these keys. The
// tree and its report stay as they are, so that they can be filled again, by several goroutines.
//
// Without value, stand-ins take the place of what is not known yet.
func Fill(r *Report, root *yaml.Node, value func(name string, keys []string) (string, bool)) (*Report, *yaml.Node) {
	f := &filling{from: r, Report: r.Renewed(), value: value, done: make(map[filledNode]*yaml.Node)}
	f.Blind, f.standIn, f.under = r.Blind, value == nil, r
	return f.Report, f.node(root, nil)
}

// Missing returns a value that is there and not known yet. Nothing is reported of it.
func Missing(at *yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: brokenTag, Line: at.Line, Column: at.Column}
}

// filling replaces placeholders in one tree.
type filling struct {
	*Report
	from  *Report
	value func(name string, keys []string) (string, bool)
	size  int
	wrong bool                      // the value at hand cannot be filled
	done  map[filledNode]*yaml.Node // the nodes that aliases lead to
}

// filledNode is a node with an anchor in a role.
type filledNode struct {
	node *yaml.Node
	role role
}

// role is the part of the place of a value that its text can depend on. There are few of them, and many places.
type role struct{ root, second, last string }

// role is that of a value below the keys.
func (t *trail) role() role {
	keys := t.keys()
	for len(keys) > 1 && keys[0] == "<<" {
		keys = keys[1:]
	}
	switch len(keys) {
	case 0:
		return role{}
	case 1:
		return role{root: keys[0]}
	}
	return role{keys[0], keys[1], keys[len(keys)-1]}
}

// node returns a node with its placeholders replaced: the node itself if it has none.
func (f *filling) node(n *yaml.Node, at *trail) *yaml.Node {
	if n.Anchor != "" && n.Kind != yaml.AliasNode {
		place := filledNode{n, at.role()}
		if known, ok := f.done[place]; ok {
			return known
		}
		f.done[place] = n // until it is known, for an alias within
		filled := f.contents(n, at)
		f.done[place] = filled
		return filled
	}
	return f.contents(n, at)
}

func (f *filling) contents(n *yaml.Node, at *trail) *yaml.Node {
	switch n.Kind {
	case yaml.AliasNode:
		if filled := f.node(n.Alias, at); filled != n.Alias {
			alias := *n
			alias.Alias = filled
			return &alias
		}
		return n
	case yaml.ScalarNode:
		return f.scalar(n, at)
	}
	content := n.Content
	here := &trail{up: at}
	for i, inner := range n.Content {
		switch {
		case n.Kind == yaml.SequenceNode:
			here.index = i
		case i%2 == 0:
			here.key = inner.Value
			continue
		}
		if filled := f.node(inner, here); filled != inner {
			if &content[0] == &n.Content[0] {
				content = slices.Clone(n.Content)
			}
			content[i] = filled
		}
	}
	if len(content) == 0 || &content[0] == &n.Content[0] {
		return n
	}
	filled := *n
	filled.Content = content
	return &filled
}

// scalar replaces the placeholders of one text.
func (f *filling) scalar(n *yaml.Node, at *trail) *yaml.Node {
	if n.Tag != StrTag || !strings.Contains(n.Value, "{{") {
		return n
	}
	pieces := f.from.PiecesOf(n)
	places := slices.DeleteFunc(target.FindAllStringSubmatchIndex(n.Value, -1), func(m []int) bool {
		return slices.ContainsFunc(pieces, func(p Piece) bool { return p.From < m[1] && m[0] < p.To }) // a secret has none
	})
	if len(places) == 0 {
		return n
	}
	filled := *n
	f.wrong = false
	filled.Value, pieces = f.splice(n, places, slices.Clone(pieces), at)
	source, referred := f.from.Source(n)
	source = target.ReplaceAllStringFunc(source, func(match string) string {
		return f.text(n, at, target.FindStringSubmatch(match)[1], "")
	})
	if f.size += len(filled.Value); f.size > MaxBytes {
		f.fail(n, at, "makes more than %d MiB of this file, with the placeholders before it", MaxBytes>>20)
	}
	if f.wrong || f.value == nil && !standsIn(filled.Value, pieces) {
		filled.Value, filled.Tag, pieces = "", brokenTag, nil // or it is not known yet
	}
	f.filled[&filled] = true
	if pieces != nil {
		f.pieces[&filled] = pieces
	}
	if referred {
		f.sources[&filled] = source
	}
	return &filled
}

// splice replaces the placeholders at some places of a text, and returns where the pieces are then. Stand-ins are
// pieces, too.
func (f *filling) splice(n *yaml.Node, places [][]int, pieces []Piece, at *trail) (string, []Piece) {
	var b strings.Builder
	var stood, came []Piece
	last := 0
	for _, m := range places {
		b.WriteString(n.Value[last:m[0]])
		last = m[1]
		start := b.Len()
		b.WriteString(f.text(n, at, n.Value[m[2]:m[3]], b.String()))
		if came = append(came, Piece{start, b.Len()}); f.value == nil {
			stood = append(stood, Piece{start, b.Len()})
		}
		for i := range pieces {
			if pieces[i].From >= start {
				grown := b.Len() - start - (m[1] - m[0])
				pieces[i] = Piece{pieces[i].From + grown, pieces[i].To + grown}
			}
		}
	}
	b.WriteString(n.Value[last:])
	if f.value != nil {
		f.blend(n, b.String(), places, came, at)
	}
	pieces = append(pieces, stood...)
	slices.SortFunc(pieces, func(a, b Piece) int { return a.From - b.From })
	return b.String(), pieces
}

// blend notes the placeholders of a text that came with what was filled in for other ones, wholly or in part.
func (f *filling) blend(n *yaml.Node, text string, places [][]int, came []Piece, at *trail) {
	for _, m := range blank.FindAllStringIndex(text, -1) {
		for i, p := range came {
			if p.From < m[1] && m[0] < p.To {
				f.blended = append(f.blended, Blended{At: n, Where: Path{Section: at.String()}, Keys: at.keys(),
					Target: n.Value[places[i][2]:places[i][3]], Quoted: strings.ContainsAny(text[m[0]:m[1]], `"'`)})
				break
			}
		}
	}
}

// text returns what takes the place of a placeholder behind a text.
func (f *filling) text(n *yaml.Node, at *trail, name, before string) string {
	if f.value == nil {
		return standInAfter(before)
	}
	text, known := f.value(name, at.keys())
	switch {
	case !known:
		f.fail(n, at, "needs target.%s, which the target does not have", name)
	case !utf8.ValidString(text):
		f.fail(n, at, "needs target.%s to be UTF-8", name)
	}
	return text
}

// fail reports what is wrong with the value at hand.
func (f *filling) fail(n *yaml.Node, at *trail, format string, args ...any) {
	f.wrong = true
	f.At(n, Path{Section: at.String()}, format, args...)
}

// keys returns the keys from the root to a node.
func (t *trail) keys() []string {
	if t == nil {
		return nil
	}
	return append(t.up.keys(), t.key)
}
