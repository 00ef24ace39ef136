package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/viper"
	"go.yaml.in/yaml/v3"
)

// codec hands YAML to viper. It keeps the root of the tree for the walk that follows.
type codec struct {
	*reader
	root *yaml.Node
}

// errSyntax stops viper; the fault is in the report.
var errSyntax = errors.New("the file cannot be read")

// Decode parses data and gives viper what variables can say, too: the settings of agent and otlp, each an untouched
// node. Viper then tells whether the file, a variable or a default wins, and the type of the winner tells
// where it comes from.
func (c *codec) Decode(data []byte, into map[string]any) error {
	if c.root = c.parse(data); c.root == nil {
		return errSyntax
	}
	newSubstitution(c.report).walk(c.root, nil)
	quiet := newReader(newReport(""), len(data)) // the walk reports
	otlp := settings(quiet, otlpSection, c.root, "otlp")
	otlp["tls"] = settings(quiet, tlsSection, c.root, "otlp", "tls")
	otlp["spool"] = settings(quiet, spoolSection, c.root, "otlp", "spool")
	agent := settings(quiet, agentSection, c.root, "agent")
	agent["shard"] = settings(quiet, shardSection, c.root, "agent", "shard")
	into["agent"], into["otlp"] = agent, otlp
	return nil
}

// Encode is there because viper's registry wants it; nothing is ever written.
func (c *codec) Encode(map[string]any) ([]byte, error) { return nil, errors.ErrUnsupported }

// settings returns the values of a section as nodes, by key. A null is absent.
func settings[T any](r *reader, s *section[T], root *yaml.Node, keys ...string) map[string]any {
	values := make(map[string]any)
	for _, key := range keys {
		p, ok := r.lookUp(root, key)
		if !ok || p.value.Kind != yaml.MappingNode {
			return values
		}
		root = p.value
	}
	for _, p := range r.pairs(root, nil, path{}) {
		if i, known := s.index[p.key.Value]; known && s.fields[i].into != nil && !isNull(p.value) {
			values[p.key.Value] = p.value
		}
	}
	return values
}

// lookUp returns an entry of a mapping, if it is there and not null.
func (r *reader) lookUp(m *yaml.Node, key string) (pair, bool) {
	if m.Kind != yaml.MappingNode {
		return pair{}, false
	}
	pairs := r.pairs(m, nil, path{})
	i := slices.IndexFunc(pairs, func(p pair) bool { return p.key.Value == key })
	if i < 0 || isNull(pairs[i].value) {
		return pair{}, false
	}
	return pairs[i], true
}

// parse returns the root of the only document, or nil and a fault.
func (c *codec) parse(data []byte) *yaml.Node {
	if problem, offset := textFault(data); problem != "" {
		line, column := place(data, offset)
		c.whole(line, column, "%s", problem)
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	document, err := next(decoder)
	switch {
	case errors.Is(err, io.EOF) || err == nil && isNull(follow(document.Content[0])):
		c.whole(1, 1, "is empty")
		return nil
	case err != nil:
		c.whole(syntaxFault(data, err))
		return nil
	}
	switch second, err := next(decoder); {
	case err == nil:
		c.whole(second.Line, second.Column, "must be the only document of the file")
	case !errors.Is(err, io.EOF):
		c.whole(syntaxFault(data, err))
	}
	return document.Content[0]
}

// next returns the next document of a decoder. The parser panics on some input; that, too, is a fault
// of syntax.
func next(decoder *yaml.Decoder) (document *yaml.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			document, err = nil, fmt.Errorf("yaml: %v", r)
		}
	}()
	document = new(yaml.Node)
	if err := decoder.Decode(document); err != nil {
		return nil, err
	}
	if len(document.Content) == 0 {
		return nil, io.EOF
	}
	return document, nil
}

// newViper returns a viper that reads data with the codec, and ranks the WSPROBE_ variables above it.
func newViper(c *codec, data []byte) (*viper.Viper, error) {
	codecs := viper.NewCodecRegistry()
	if err := codecs.RegisterCodec("yaml", c); err != nil {
		return nil, err
	}
	v := viper.NewWithOptions(viper.WithCodecRegistry(codecs))
	v.SetConfigType("yaml")
	v.AllowEmptyEnv(true) // listen: "" can be said by a variable, too
	for _, f := range Fields() {
		if f.Env == "" {
			continue
		}
		if err := v.BindEnv(f.Path, f.Env); err != nil {
			return nil, err
		}
	}
	return v, v.ReadConfig(bytes.NewReader(data))
}
