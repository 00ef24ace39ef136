package config

import (
	"context"
	"errors"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/config/internal/readfile"
	"github.com/wsprobe/wsprobe/config/internal/yamltree"
	"github.com/wsprobe/wsprobe/probe"
)

// Authorization returns a function for the value of the Authorization field, for a token or, without one, for a user
// and a password. The errors repeat none of them.
func Authorization(user, password, token string) (func(context.Context) (string, error), error) {
	settings, problem := authSettings{strategy: authBearer, token: token}, ""
	if token != "" {
		problem = tokenProblem(token)
	} else {
		settings = authSettings{strategy: authBasic, user: user, password: password}
		if problem = userProblem(user); problem == "" {
			problem = passwordProblem(password)
		}
	}
	if problem != "" {
		return nil, errors.New(problem)
	}
	return settings.authorize(func(string) bool { return false }, tokenSource{}), nil
}

// LoadExchange reads the steps of an exchange from a file: a list, as the field exchange of a probe has it, or a
// mapping with that field, for a probe with this interpretation. It substitutes variables and files, and returns the
// secrets among their texts. The error is an [*Error].
func LoadExchange(file string, interpretation probe.Interpretation) (steps []probe.Step, secrets []string, err error) {
	r := yamltree.NewReport(file)
	r.Look(file)
	data, err := readfile.Any(file, yamltree.MaxBytes)
	if err != nil {
		r.Whole(0, 0, "%s", err)
		return nil, nil, errorOf(r)
	}
	if root := yamltree.Parse(r, data); root != nil {
		p := exchangeProbe(newReader(r, len(data)), root, interpretation)
		steps, secrets = p.Spec.Exchange, p.Spec.Secrets
	}
	return steps, secrets, withoutProbe(errorOf(r))
}

// exchangeProbe reads a probe that has nothing but this exchange.
func exchangeProbe(r *reader, exchange *yaml.Node, interpretation probe.Interpretation) Probe {
	if exchange.Kind == yaml.MappingNode {
		if p, ok := r.LookUp(exchange, "exchange"); ok {
			exchange = p.Value
		}
	}
	item := &yaml.Node{Kind: yaml.MappingNode, Tag: yamltree.MapTag, Line: exchange.Line, Column: exchange.Column}
	text := func(value string) *yaml.Node {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: yamltree.StrTag, Value: value, Line: exchange.Line, Column: exchange.Column}
	}
	for _, pair := range [][2]string{{"name", "once"}, {"url", "ws://localhost"}, {"interpretation", string(interpretation)}} {
		item.Content = append(item.Content, text(pair[0]), text(pair[1]))
	}
	item.Content = append(item.Content, text("exchange"), exchange)
	var p Probe
	newProbeReader(r, newTLSFiles()).probe(item, yamltree.Path{Section: "probes", Index: 1}, &p)
	return p
}

// withoutProbe takes from the paths of faults the probe that is not in the file.
func withoutProbe(err error) error {
	var faults *Error
	if errors.As(err, &faults) {
		for i := range faults.Faults {
			faults.Faults[i].Path = strings.TrimPrefix(faults.Faults[i].Path, "probes[0].")
		}
	}
	return err
}
