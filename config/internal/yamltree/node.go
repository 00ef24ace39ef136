package yamltree

import (
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/config/internal/excerpt"
)

// Follow returns the node that an alias stands for, or the node itself.
func Follow(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// AliasOf returns the node if it is an alias.
func AliasOf(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n
	}
	return nil
}

// The tags of YAML that nodes carry, written or implied.
const (
	StrTag   = "!!str"
	IntTag   = "!!int"
	FloatTag = "!!float"
	BoolTag  = "!!bool"
	nullTag  = "!!null"
	TimeTag  = "!!timestamp"
	MapTag   = "!!map"
	SeqTag   = "!!seq"
	mergeTag = "!!merge"
)

// IsNull reports whether the value is absent: written as null, as ~ or not at all.
func IsNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Tag == nullTag && slices.Contains([]string{"", "~", "null", "Null", "NULL"}, n.Value)
}

// IsText reports whether the value is text to YAML: quoted, or a plain word that is nothing else.
func IsText(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == StrTag }

// keyProblem says why a node is no key.
func keyProblem(n *yaml.Node) string {
	if IsText(n) || n.Kind == yaml.ScalarNode && n.Tag == mergeTag && n.Value == "<<" {
		return ""
	}
	return "a key must be text, got " + Describe(n) + QuotesHint(n)
}

// Describe names what a node is, without its content, which may be secret.
func Describe(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode && n.Tag == MapTag:
		return "a mapping"
	case n.Kind == yaml.SequenceNode && n.Tag == SeqTag:
		return "a list"
	case n.Kind != yaml.ScalarNode:
		return "the unsupported tag " + excerpt.Quote(n.Tag)
	}
	switch n.Tag {
	case StrTag:
		return "text"
	case IntTag, FloatTag:
		return "a number"
	case BoolTag:
		return "true or false"
	case nullTag:
		return "nothing"
	case TimeTag:
		return "a date"
	case mergeTag:
		return "a merge key"
	default:
		return "the unsupported tag " + excerpt.Quote(n.Tag)
	}
}

// Show repeats a scalar whose content is no secret, and describes any other node.
func Show(n *yaml.Node) string {
	_, err := strconv.ParseFloat(n.Value, 64)
	switch {
	case n.Kind != yaml.ScalarNode || n.Style&yaml.TaggedStyle != 0:
		return Describe(n)
	case err == nil && n.Style == 0:
		return excerpt.Of(n.Value)
	default:
		return excerpt.Quote(n.Value)
	}
}

// IsQuoted reports whether the value stands in quotes.
func IsQuoted(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0
}

// QuotesHint is advice for text that YAML takes for something else: a scalar, or JSON.
func QuotesHint(n *yaml.Node) string {
	scalar := n.Kind == yaml.ScalarNode && n.Tag != StrTag && !IsNull(n)
	if (scalar || n.Style&yaml.FlowStyle != 0) && n.Style&yaml.TaggedStyle == 0 {
		return ": put it in quotes"
	}
	return ""
}
