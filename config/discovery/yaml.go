package discovery

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/config/internal/excerpt"
)

// maxMarks bounds the lines, commas, colons, dashes and brackets of a list in YAML. Each value needs one, and takes a
// quarter of a kilobyte in the tree that the library makes before its targets can be counted.
const maxMarks = 500_000

// maxValues bounds the keys and targets that are read, each as often as an alias leads to it: a short file of aliases can
// stand for billions of them.
const maxValues = 1_000_000

var errAliases = fmt.Errorf("aliases and merge keys make more than %d values of this file", maxValues)

// yamlList reads a list of target groups.
type yamlList struct {
	list
	values int // that may still be read
}

// decodeYAML reads a list of target groups as Prometheus does: an unknown key is an error, and so is a key that is there
// twice; a number or a boolean is the text that stands there. Unlike Prometheus it refuses a text without any content,
// because such a file is mostly one that is about to be written. [] says that there are no targets.
//
// It walks the tree itself, because the library's own decoding takes hours for a file full of equal keys.
func decodeYAML(data []byte, most int, about map[string]string) ([]Target, error) {
	l := &yamlList{list: list{most: most}, values: maxValues}
	return l.decode(data, about)
}

func (l *yamlList) decode(data []byte, about map[string]string) ([]Target, error) {
	marks := 0
	for _, mark := range []string{"\n", ",", ":", "- ", "[", "{"} {
		marks += bytes.Count(data, []byte(mark))
	}
	if marks > maxMarks {
		return nil, errors.New("too many values for YAML: JSON may have more")
	}
	document, err := parseYAML(data)
	if err != nil {
		return nil, err
	}
	root := resolved(document.Content[0])
	if isNull(root) {
		return l.sorted(), nil
	}
	if root.Kind != yaml.SequenceNode {
		return nil, wrong(root, "a list of groups is wanted")
	}
	for _, node := range root.Content {
		addresses, labels, err := l.group(resolved(node))
		if err == nil {
			err = l.addGroup(addresses, labels, about)
		}
		if err != nil {
			return nil, placed(node, err)
		}
	}
	return l.sorted(), nil
}

// parseYAML returns the only document of a text.
func parseYAML(data []byte) (document *yaml.Node, err error) {
	defer func() {
		if reason := recover(); reason != nil { // of the library, on some texts that are no YAML
			document, err = nil, fmt.Errorf("no YAML: %v", reason)
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	document = new(yaml.Node)
	if err := decoder.Decode(document); errors.Is(err, io.EOF) || err == nil && len(document.Content) == 0 {
		return nil, errors.New("the file is empty: [] says that there are no targets")
	} else if err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one document")
	}
	return document, nil
}

// group reads one group.
func (l *yamlList) group(node *yaml.Node) (addresses []string, labels map[string]string, err error) {
	err = l.pairs(node, "a group with targets and labels is wanted", func(key string, value *yaml.Node) (err error) {
		switch key {
		case "targets":
			addresses, err = l.addresses(value)
		case "labels":
			labels, err = l.labels(value)
		default:
			err = fmt.Errorf("unknown key %q: a group has targets and labels", excerpt.Of(key))
		}
		return err
	})
	return addresses, labels, err
}

// addresses reads the value of targets.
func (l *yamlList) addresses(node *yaml.Node) ([]string, error) {
	if isNull(node) {
		return nil, nil
	}
	if node.Kind != yaml.SequenceNode {
		return nil, wrong(node, "a list of addresses is wanted")
	}
	if len(node.Content) > l.most {
		return nil, errTooMany
	}
	if err := l.spend(len(node.Content)); err != nil {
		return nil, err
	}
	addresses := make([]string, len(node.Content))
	for i, item := range node.Content {
		var err error
		if addresses[i], err = yamlText(item, "a target"); err != nil {
			return nil, err
		}
	}
	return addresses, nil
}

// labels reads the value of labels.
func (l *yamlList) labels(node *yaml.Node) (map[string]string, error) {
	if isNull(node) {
		return nil, nil
	}
	labels := make(map[string]string)
	size := 0
	err := l.pairs(node, "a mapping of labels is wanted", func(name string, value *yaml.Node) error {
		if name == "" {
			return errors.New("a label has no name")
		}
		text, err := yamlText(value, fmt.Sprintf("the label %q", excerpt.Of(name)))
		labels[name] = text
		if size += len(name) + len(text); err == nil && size > maxTarget {
			err = fmt.Errorf("the labels of a group have more than %d bytes", maxTarget)
		}
		return err
	})
	return labels, err
}

// pairs calls do for each key of a mapping. Keys that << brings in come last, and only those that are not there.
func (l *yamlList) pairs(node *yaml.Node, wanted string, do func(key string, value *yaml.Node) error) error {
	if node.Kind != yaml.MappingNode {
		return wrong(node, wanted)
	}
	if err := l.spend(len(node.Content) / 2); err != nil {
		return err
	}
	seen := make(map[string]bool, len(node.Content)/2)
	var merged *yaml.Node
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], resolved(node.Content[i+1])
		if key.Tag == "!!merge" {
			if merged != nil || value.Kind != yaml.MappingNode {
				return wrong(value, "one mapping is wanted for <<")
			}
			merged = value
			continue
		}
		name, err := yamlText(key, "a key")
		if err != nil {
			return err
		}
		if seen[name] {
			return placed(key, fmt.Errorf("%q is there twice", excerpt.Of(name)))
		}
		seen[name] = true
		if err := do(name, value); err != nil {
			return placed(key, err)
		}
	}
	if merged == nil {
		return nil
	}
	if err := l.spend(len(merged.Content) / 2); err != nil {
		return err
	}
	for i := 0; i+1 < len(merged.Content); i += 2 {
		name, err := yamlText(merged.Content[i], "a key")
		if err != nil {
			return err
		}
		if !seen[name] {
			seen[name] = true
			if err := do(name, resolved(merged.Content[i+1])); err != nil {
				return placed(merged.Content[i], err)
			}
		}
	}
	return nil
}

// spend takes values from those that may still be read, before they are.
func (l *yamlList) spend(n int) error {
	if l.values -= n; l.values < 0 {
		return errAliases
	}
	return nil
}

// yamlText is the text of a scalar. null is the empty one, as in Prometheus.
func yamlText(node *yaml.Node, wanted string) (string, error) {
	switch node = resolved(node); {
	case isNull(node):
		return "", nil
	case node.Kind != yaml.ScalarNode || node.Tag == "!!binary" || node.Tag == "!!merge":
		return "", wrong(node, wanted+" must be a text")
	}
	return node.Value, nil
}

// resolved is the node that an alias stands for.
func resolved(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

func isNull(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.Tag == "!!null" }

// wrong says that a value is of another kind than it has to be.
func wrong(node *yaml.Node, wanted string) error {
	kind := "a text"
	switch {
	case isNull(node):
		kind = "null"
	case node.Tag == "!!binary":
		kind = "binary"
	case node.Kind == yaml.SequenceNode:
		kind = "a list"
	case node.Kind == yaml.MappingNode:
		kind = "a mapping"
	}
	return placed(node, fmt.Errorf("%s, and not %s", wanted, kind))
}

// placedError has its line.
type placedError struct{ error }

// placed says the line of an error that has none yet.
func placed(node *yaml.Node, err error) error {
	var has placedError
	if errors.Is(err, errTooMany) || errors.As(err, &has) {
		return err
	}
	return placedError{fmt.Errorf("line %d: %w", node.Line, err)}
}
