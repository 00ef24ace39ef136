package discovery

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// yamlGroup is a target group of Prometheus. A number or a boolean is the text that stands there, as in Prometheus.
type yamlGroup struct {
	Targets []string          `yaml:"targets"`
	Labels  map[string]string `yaml:"labels"`
}

// decodeYAML reads a list of target groups as Prometheus does: unknown keys are errors, and keys that are there twice.
// Unlike Prometheus it refuses a text without any content, because such a file is mostly one that is about to be
// written. [] says that there are no targets.
func decodeYAML(r io.Reader, most int, about map[string]string) (targets []Target, err error) {
	defer func() {
		if reason := recover(); reason != nil { // of the library, on some texts that are no YAML
			targets, err = nil, fmt.Errorf("no YAML: %v", reason)
		}
	}()
	decoder := yaml.NewDecoder(r)
	decoder.KnownFields(true)
	var groups []*yamlGroup
	if err := decoder.Decode(&groups); errors.Is(err, io.EOF) {
		return nil, errors.New("the file is empty: [] says that there are no targets")
	} else if err != nil {
		return nil, yamlProblem(err)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one document")
	}
	l := list{most: most}
	for i, g := range groups {
		if g == nil {
			return nil, fmt.Errorf("group %d is null", i+1)
		}
		if _, nameless := g.Labels[""]; nameless {
			return nil, fmt.Errorf("group %d: a label has no name", i+1)
		}
		if err := l.addGroup(g.Targets, g.Labels, about); errors.Is(err, errTooMany) {
			return nil, err
		} else if err != nil {
			return nil, fmt.Errorf("group %d: %w", i+1, err)
		}
	}
	return l.sorted(), nil
}

// yamlProblem shortens an error of the library, which has one line per fault.
func yamlProblem(err error) error {
	var faults *yaml.TypeError
	text := err.Error()
	if errors.As(err, &faults) && len(faults.Errors) > 0 {
		text = faults.Errors[0]
		if more := len(faults.Errors) - 1; more > 0 {
			text = fmt.Sprintf("%s, and %d more faults", text, more)
		}
	}
	text = strings.ReplaceAll(text, "discovery.yamlGroup", "a group")
	return errors.New(strings.TrimPrefix(text, "yaml: "))
}
