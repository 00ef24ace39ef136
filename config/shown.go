package config

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/config/internal/yamltree"
	"github.com/wsprobe/wsprobe/probe/redact"
)

// maxShown is how many nodes a shown mapping has at most: an alias can stand for many.
const maxShown = 2000

// shownThoughSent are fields whose literal values an endpoint is sent, and that are no secret: a page for people shows
// the messages of a run anyway. Of a URL, the query is hidden.
var shownThoughSent = map[string]bool{
	"expect_pattern": true, "expect_json": true, "protocols": true, "expect_protocol": true, "url": true,
}

// longProtocol is the length of the longest subprotocol in bytes that is no token, see [probe.Opening].
const longProtocol = 32

// mark is what the table says of the values of a field.
type mark struct {
	kind   Kind
	secret secrecy
}

// marks are those of all fields of a probe, by their paths below it. The fields of a mapping that stands in several
// places are there once, see [shower.mark].
var marks = func() map[string]mark {
	all := make(map[string]mark)
	addMarks(all, "probes[].", probeSection)
	addMarks(all, "probes[].", probeTLSSection)
	addMarks(all, "probes[].", authSection)
	addMarks(all, "probes[].", stepSection)
	addMarks(all, "probes[].", thresholdsSection)
	addMarks(all, "probes[].", dwellSection)
	addMarks(all, "probes[].", windowSection)
	addMarks(all, "probes[].", sessionSection)
	addMarks(all, "probes[].", heartbeatSection)
	addMarks(all, "probes[].", answerSection)
	addMarks(all, "probes[].", reconnectSection)
	addMarks(all, "probes[].", connectionSection)
	addMarks(all, "probes[].", prepareSection)
	addMarks(all, "probes[].", captureSection)
	return all
}()

func addMarks[T any](to map[string]mark, prefix string, s *section[T]) {
	for i := range s.fields {
		f := &s.fields[i]
		to[strings.TrimPrefix(f.Path, prefix)] = mark{f.Kind, f.secret}
	}
}

// shower copies a mapping of the file as it may be shown: with references in place of what they stand for, and without
// literal values that are secret. A field that no table has is hidden.
type shower struct {
	source func(*yaml.Node) (text string, referred bool)
	left   int // nodes
}

// shownMapping returns the mapping of a probe or a module as YAML that may be shown.
func shownMapping(entry *yaml.Node, source func(*yaml.Node) (string, bool)) string {
	s := &shower{source: source, left: maxShown}
	text, err := yaml.Marshal(s.node(entry, ""))
	if err != nil || s.left <= 0 {
		return "# too long to be shown\n"
	}
	return string(text)
}

// node copies a node at a path.
func (s *shower) node(n *yaml.Node, path string) *yaml.Node {
	n = yamltree.Follow(n)
	if s.left--; s.left <= 0 {
		return &yaml.Node{Kind: yaml.ScalarNode, Value: yamltree.Hidden}
	}
	copied := &yaml.Node{Kind: n.Kind, Tag: n.Tag, Style: n.Style, Value: n.Value}
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := yamltree.Follow(n.Content[i])
			copied.Content = append(copied.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key.Value}, s.node(n.Content[i+1], below(path, key.Value)))
		}
	case yaml.SequenceNode:
		for _, element := range n.Content {
			copied.Content = append(copied.Content, s.node(element, path+"[]"))
		}
	default:
		if text, referred := s.source(n); referred {
			return &yaml.Node{Kind: yaml.ScalarNode, Style: yaml.DoubleQuotedStyle, Value: text}
		}
		if shown := s.value(n.Value, path); shown != n.Value {
			return &yaml.Node{Kind: yaml.ScalarNode, Value: shown}
		}
	}
	return copied
}

// below is the path of a key. A merged mapping is where it is merged to, and names of connections and of captures are all the same.
func below(path, key string) string {
	switch {
	case key == "<<":
		return path
	case path == "":
		return key
	case path == "connections", path == "prepare.capture":
		return path + ".NAME"
	default:
		return path + "." + key
	}
}

// value is a literal value as it may be shown.
func (s *shower) value(text, path string) string {
	field, name := path, ""
	m, known := s.mark(field)
	for i := range path {
		if path[i] == '.' && !known { // an entry of a map, whose name may have dots
			field, name = path[:i], path[i+1:]
			m, known = s.mark(field)
			known = known && (m.kind == Map || m.kind == Values)
		}
	}
	last := strings.TrimSuffix(field[strings.LastIndexByte(field, '.')+1:], "[]")
	switch {
	case !known, m.secret == withheld, m.secret == sent && !messages[last] && !shownThoughSent[last] && !(last == "headers" && redact.PublicHeader(name)):
		return yamltree.Hidden
	case last == "url", strings.Contains(text, "://"):
		return redact.URL(text)
	case last == "protocols" && len(text) > longProtocol:
		return yamltree.Hidden
	default:
		return text
	}
}

// mark returns what the table says of a path. The elements of a list of texts are as the list.
func (s *shower) mark(path string) (mark, bool) {
	for _, same := range [][2]string{{"connections.NAME.auth.", "auth."}, {"session.heartbeat.steps[].", "exchange[]."}} {
		if rest, found := strings.CutPrefix(path, same[0]); found {
			path = same[1] + rest
		}
	}
	m, known := marks[path]
	if list, found := strings.CutSuffix(path, "[]"); !known && found {
		m, known = marks[list]
		known = known && m.kind == List
	}
	return m, known
}

// Shown returns the module as YAML that may be shown, without the defaults of its file: references stand for themselves,
// and other secrets are hidden.
func (m *Module) Shown() string {
	return "name: " + m.Name + "\n" + shownMapping(m.entry, m.report.Source)
}
