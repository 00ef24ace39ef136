package convert

import (
	"errors"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// parseTOML reads TOML with the lines of its keys. The library's decoder finds every fault first, because the tree of
// its parser knows nothing of names that appear twice.
func parseTOML(s Source) (*node, error) {
	if err := toml.Unmarshal(s.Data, new(map[string]any)); err != nil {
		return nil, tomlFault(s, err)
	}
	t := tomlTree{lines: linesOf(s.Data), root: &node{kind: mappingKind, line: 1}}
	t.table = t.root
	t.parser.Reset(s.Data)
	for t.parser.NextExpression() {
		t.expression(t.parser.Expression())
	}
	if err := t.parser.Error(); err != nil {
		return nil, tomlFault(s, err)
	}
	if t.deep {
		return nil, &Fault{File: s.Name, Problem: "nests values too deeply"}
	}
	return t.root, nil
}

// tomlFault places an error.
func tomlFault(s Source, err error) error {
	fault := &Fault{File: s.Name, Problem: strings.TrimPrefix(err.Error(), "toml: ")}
	var placed *toml.DecodeError
	if errors.As(err, &placed) {
		fault.Line, fault.Column = placed.Position()
		fault.Problem += bareReference(s.Data, fault.Line)
	}
	return fault
}

// bareReference explains a fault in a line that has a variable without quotes: its program fills it in before it reads
// the file.
func bareReference(data []byte, line int) string {
	all := strings.Split(string(data), "\n")
	if line < 1 || line > len(all) || !strings.Contains(all[line-1], "${") {
		return ""
	}
	return "; put quotes around the variable in this line"
}

// tomlTree makes nodes of the expressions of a file.
type tomlTree struct {
	parser unstable.Parser
	lines  lines
	root   *node
	table  *node // that of the expressions to come
	deep   bool
}

// expression takes a line of the file.
func (t *tomlTree) expression(e *unstable.Node) {
	switch e.Kind {
	case unstable.KeyValue:
		t.assign(t.table, e, 0)
	case unstable.Table:
		t.table = t.root
		for key := e.Key(); key.Next(); {
			t.table = t.table.child(string(key.Node().Data), t.line(key.Node()))
		}
	case unstable.ArrayTable:
		at := t.root
		for key := e.Key(); key.Next(); {
			name, line := string(key.Node().Data), t.line(key.Node())
			if !key.IsLast() {
				at = at.child(name, line)
				continue
			}
			if at.at(name) == nil {
				at.fields = append(at.fields, field{name, line, &node{kind: listKind, line: line}})
			}
			all := at.at(name)
			t.table = &node{kind: mappingKind, line: line}
			all.items = append(all.items, t.table)
		}
	}
}

// assign puts a value where its key says.
func (t *tomlTree) assign(table *node, e *unstable.Node, depth int) {
	for key := e.Key(); key.Next(); {
		name, line := string(key.Node().Data), t.line(key.Node())
		if key.IsLast() {
			value := t.value(e.Value(), line, depth+1)
			table.fields = append(table.fields, field{name, line, value})
			return
		}
		table = table.child(name, line)
	}
}

// value makes a node of a value.
func (t *tomlTree) value(v *unstable.Node, line, depth int) *node {
	if depth > maxDepth {
		t.deep = true
		return &node{kind: nullKind, line: line}
	}
	made := &node{line: line, text: string(v.Data)}
	switch v.Kind {
	case unstable.Array:
		made.kind = listKind
		for item := v.Children(); item.Next(); {
			if item.Node().Kind != unstable.Comment {
				made.items = append(made.items, t.value(item.Node(), line, depth+1))
			}
		}
	case unstable.InlineTable:
		made.kind = mappingKind
		for item := v.Children(); item.Next(); {
			if item.Node().Kind == unstable.KeyValue {
				t.assign(made, item.Node(), depth)
			}
		}
	}
	return made
}

func (t *tomlTree) line(key *unstable.Node) int { return t.lines.of(int(key.Raw.Offset)) }
