package config

import (
	"github.com/spf13/viper"
	"go.yaml.in/yaml/v3"
)

// Load reads a configuration from a file and the environment. The error is an [*Error] that names everything
// that is wrong with either.
//
// What a WSPROBE_ variable says wins over the file, the file wins over the OTEL_ variables, and those over the
// defaults. A wrong value in the file is a fault even if a variable overrides it.
func Load(file string) (Config, error) {
	r := &report{file: file}
	data, err := readFile(file, maxFile)
	if err != nil {
		r.whole(0, 0, "%s", err)
		return Config{}, r.err()
	}
	config := load(r, data)
	if err := r.err(); err != nil {
		return Config{}, err
	}
	return config, nil
}

// load reads the text of a file.
func load(r *report, data []byte) Config {
	var config Config
	c := &codec{reader: newReader(r, len(data))}
	v, err := newViper(c, data)
	if c.root == nil {
		if len(r.faults) == 0 && err != nil {
			r.whole(0, 0, "%s", err) // not by any known input
		}
		return config
	}
	var top found = *newFound(len(rootSection.fields))
	decode(c.reader, rootSection, c.root, nil, path{}, &config, &top)
	s := &settingsReader{reader: c.reader, viper: v, origins: make(map[string]origin)}
	s.read(&config, &top)
	config.Probes = readProbes(c, &top)
	return config
}

// readProbes reads the defaults block and the probes.
func readProbes(c *codec, top *found) []Probe {
	r := newProbeReader(c.reader)
	if p := top.pairs[rootSection.index["defaults"]]; p.present() {
		r.defaults(p)
	}
	probes := top.pairs[rootSection.index["probes"]]
	if !probes.present() {
		if c.root.Kind == yaml.MappingNode {
			r.at(c.root, path{key: "probes"}, "is required: a list with at least one probe")
		}
		return nil
	}
	return r.list(probes)
}

// settingsReader reads the sections agent and otlp, in which every scalar can come from the file
// or from a variable.
type settingsReader struct {
	*reader
	viper   *viper.Viper
	origins map[string]origin // of the fields that are not just their default, by path
}

// origin is where the value that holds comes from: a node of the file or a variable.
type origin struct {
	node     *yaml.Node
	where    path
	variable string
	standard bool // the variable is one of OpenTelemetry's
}

// fault reports what is wrong with a value at its origin.
func (s *settingsReader) fault(o origin, format string, args ...any) {
	if o.variable != "" {
		s.variable(o.variable, format, args...)
		return
	}
	s.at(o.node, o.where, format, args...)
}

func (s *settingsReader) read(config *Config, top *found) {
	checkVariables(s.report)
	agent, otlp := newFound(len(agentSection.fields)), newFound(len(otlpSection.fields))
	readSection(s, agentSection, top.pairs[rootSection.index["agent"]], config, agent)
	readSection(s, otlpSection, top.pairs[rootSection.index["otlp"]], config, otlp)
	var files tlsFiles
	readSection(s, tlsSection, otlp.pairs[otlpSection.index["tls"]], &files, newFound(len(tlsSection.fields)))
	s.refuse()
	config.OTLP.TLS = s.tls(config.OTLP.Endpoint, files)
	config.OTLP.Resource = readResource(s.report)
}

// readSection reads a section of the file, which may be absent, and then lets the variables speak.
func readSection[T any](s *settingsReader, section *section[T], p pair, into *T, got *found) {
	section.setDefaults(into)
	if p.present() {
		decode(s.reader, section, p.value, aliasOf(p.valueAt), path{section: section.name}, into, got)
	}
	for i := range section.fields {
		f := &section.fields[i]
		if f.into == nil {
			continue
		}
		if f.OTel != nil {
			s.viper.SetDefault(f.Path, standardVariable(f.OTel))
		}
		switch value := s.viper.Get(f.Path).(type) {
		case *yaml.Node:
			s.origins[f.Path] = origin{node: value, where: path{section: section.name, key: f.Key()}}
		case string:
			o := origin{variable: f.Env}
			s.origins[f.Path] = o
			if problem := store(&f.Field, f.check, f.into(into), value); problem != "" {
				s.fault(o, "%s", problem)
			}
		case standard:
			s.origins[f.Path] = origin{variable: value.name, standard: true}
			storeStandard(s, f, f.into(into), value)
		}
	}
}
