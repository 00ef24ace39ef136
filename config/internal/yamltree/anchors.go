package yamltree

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// AnchorPrefix is how a key at the top of a file begins that holds anchors, and says nothing itself.
const AnchorPrefix = "x-"

// anchors are the nodes below such keys. References in them are resolved only where an alias leads to them, each once,
// because a reference that nobody uses may lead nowhere.
type anchors struct {
	anchors map[*yaml.Node]bool // those with a name, false once they were visited
	done    map[*yaml.Node]bool // the nodes that were visited
	open    int                 // how many anchors are being visited
}

// setAside keeps the values of such keys, and returns the rest of the root.
func (s *anchors) setAside(root *yaml.Node) *yaml.Node {
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

func (s *anchors) keep(n *yaml.Node) {
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

// enter reports whether an alias leads to a node that has to be visited now. leave ends the visit.
func (s *anchors) enter(alias *yaml.Node) bool {
	if !s.anchors[alias.Alias] {
		return false
	}
	s.anchors[alias.Alias] = false
	s.open++
	return true
}

func (s *anchors) leave() { s.open-- }

// visited reports whether a node was visited before, in an anchor within another one.
func (s *anchors) visited(n *yaml.Node) bool {
	if s.open == 0 {
		return false
	}
	met := s.done[n]
	s.done[n] = true
	return met
}
