package config

import (
	"errors"
	"maps"
	"strings"

	"github.com/spf13/viper"
	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/config/internal/yamltree"
)

// codec gives viper the sections of a tree that was read before: agent and otlp, the only ones of which variables can
// say something, too. Each setting is an untouched node. Viper then tells whether the file, a variable or a default
// wins, and the type of the winner tells where it comes from.
type codec map[string]any

// newCodec takes the two sections out of the trees that have them. Such a tree is nil for none.
func newCodec(agentRoot, otlpRoot *yaml.Node, size int) codec {
	quiet := yamltree.NewReader(yamltree.NewReport(""), size) // the walk over the trees reports
	otlp := settings(quiet, otlpSection, otlpRoot, "otlp")
	otlp["tls"] = settings(quiet, tlsSection, otlpRoot, "otlp", "tls")
	otlp["spool"] = settings(quiet, spoolSection, otlpRoot, "otlp", "spool")
	agent := settings(quiet, agentSection, agentRoot, "agent")
	agent["shard"] = settings(quiet, shardSection, agentRoot, "agent", "shard")
	agent["metrics"] = settings(quiet, scrapeSection, agentRoot, "agent", "metrics")
	agent["probe_endpoint"] = settings(quiet, probeEndpointSection, agentRoot, "agent", "probe_endpoint")
	return codec{"agent": agent, "otlp": otlp}
}

// Decode stores the sections. There is no text to be read any more.
func (c codec) Decode(_ []byte, into map[string]any) error {
	maps.Copy(into, c)
	return nil
}

// Encode is there because viper's registry wants it; nothing is ever written.
func (c codec) Encode(map[string]any) ([]byte, error) { return nil, errors.ErrUnsupported }

// settings returns the values of a section as nodes, by key. A null is absent.
func settings[T any](r *yamltree.Reader, s *section[T], root *yaml.Node, keys ...string) map[string]any {
	values := make(map[string]any)
	if root == nil {
		return values
	}
	for _, key := range keys {
		p, ok := r.LookUp(root, key)
		if !ok || p.Value.Kind != yaml.MappingNode {
			return values
		}
		root = p.Value
	}
	for _, p := range r.Pairs(root, nil, yamltree.Path{}) {
		if i, known := s.index[p.Key.Value]; known && s.fields[i].value.kept() && !yamltree.IsNull(p.Value) {
			values[p.Key.Value] = p.Value
		}
	}
	return values
}

// newViper returns a viper that has the sections of the codec, and ranks the WSPROBE_ variables above them.
func newViper(c codec) (*viper.Viper, error) {
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
	return v, v.ReadConfig(strings.NewReader(""))
}
