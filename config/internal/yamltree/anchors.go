package yamltree

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// AnchorPrefix is how a key at the top of a file begins that holds anchors, and says nothing itself.
const AnchorPrefix = "x-"

// shelf are the nodes below such keys. They are looked at only where an alias needs them, each once: a reference that
// nobody uses may lead nowhere.
type shelf struct {
	anchors map[*yaml.Node]bool // those with a name, false once they were looked at
	done    map[*yaml.Node]bool // the texts that were looked at
	open    int                 // how many anchors are being looked at
}

// set puts the values of such keys on the shelf, and returns the rest of the root.
func (s *shelf) set(root *yaml.Node) *yaml.Node {
	if root.Kind != yaml.MappingNode {
		return root
	}
	rest := *root
	rest.Content = nil
	for i := 0; i+1 < len(root.Content); i += 2 {
		if key := root.Content[i]; key.Kind == yaml.ScalarNode && strings.HasPrefix(key.Value, AnchorPrefix) {
			s.keep(root.Content[i+1])
			continue
		}
		rest.Content = append(rest.Content, root.Content[i], root.Content[i+1])
	}
	return &rest
}

func (s *shelf) keep(n *yaml.Node) {
	if n.Anchor != "" && n.Kind != yaml.AliasNode {
		if s.anchors == nil {
			s.anchors, s.done = make(map[*yaml.Node]bool), make(map[*yaml.Node]bool)
		}
		s.anchors[n] = true
	}
	for _, inner := range n.Content {
		s.keep(inner)
	}
}

// take reports whether an alias leads to what has to be looked at now. give ends that.
func (s *shelf) take(alias *yaml.Node) bool {
	if !s.anchors[alias.Alias] {
		return false
	}
	s.anchors[alias.Alias] = false
	s.open++
	return true
}

func (s *shelf) give() { s.open-- }

// again reports whether a node was met before, in an anchor within another one.
func (s *shelf) again(n *yaml.Node) bool {
	if s.open == 0 {
		return false
	}
	met := s.done[n]
	s.done[n] = true
	return met
}
