package config

import (
	"cmp"

	"github.com/spf13/viper"
	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/config/internal/yamltree"
)

// settingsReader reads the sections agent and otlp, in which every scalar can come from the file
// or from a variable.
type settingsReader struct {
	*reader
	viper   *viper.Viper
	origins map[string]origin // of the fields that are not just their default, by path
	wrong   map[string]bool   // the fields whose value that holds is wrong, by path
	files   *tlsFiles
	targets yamltree.Pair // agent.probe_endpoint.targets
	streams bool          // whether results go to streams
	preset  Preset        // otlp.preset, once it is read
}

// origin is where the value that holds comes from: a node of the file, a variable or the preset.
type origin struct {
	node     *yaml.Node
	where    yamltree.Path
	variable string
	standard bool // the variable is one of OpenTelemetry's
	preset   bool
}

// fault reports what is wrong with a value at its origin.
func (s *settingsReader) fault(o origin, format string, args ...any) {
	if o.variable != "" {
		s.Variable(o.variable, format, args...)
		return
	}
	s.At(o.node, o.where, format, args...)
}

// warn warns of a value at its origin.
func (s *settingsReader) warn(o origin, format string, args ...any) {
	if o.variable != "" {
		s.WarnVariable(o.variable, format, args...)
		return
	}
	s.Warn(o.node, o.node, o.where, format, args...)
}

// maxQueueInMemory is the default of otlp.spool.max_bytes for exports that wait in memory.
const maxQueueInMemory = 32 << 20

// read reads the two sections, either of which may be absent, and then lets the variables speak.
func (s *settingsReader) read(config *Config, agentAt, otlpAt yamltree.Pair) {
	checkVariables(s.Report)
	agent, otlp := newFound(len(agentSection.fields)), newFound(len(otlpSection.fields))
	readSection(s, agentSection, agentAt, config, agent)
	s.checkHosts(agent.pairs[agentSection.index["hosts"]], config.Agent.Hosts)
	s.checkOrigins(agent.pairs[agentSection.index["origins"]], config.Agent.Origins)
	readSection(s, otlpSection, otlpAt, config, otlp)
	readSection(s, shardSection, agent.pairs[agentSection.index["shard"]], &config.Agent.Shard, newFound(len(shardSection.fields)))
	s.checkShard(config.Agent.Shard)
	readSection(s, scrapeSection, agent.pairs[agentSection.index["metrics"]], &config.Agent.Metrics, newFound(len(scrapeSection.fields)))
	s.probeEndpoint(agent.pairs[agentSection.index["probe_endpoint"]], &config.Agent.ProbeEndpoint)
	var settings tlsSettings
	readSection(s, tlsSection, otlp.pairs[otlpSection.index["tls"]], &settings, newFound(len(tlsSection.fields)))
	readSection(s, spoolSection, otlp.pairs[otlpSection.index["spool"]], config, newFound(len(spoolSection.fields)))
	if _, given := s.origins["otlp.spool.max_bytes"]; !given && config.OTLP.Spool.Dir == "" {
		config.OTLP.Spool.MaxBytes = maxQueueInMemory
	}
	s.refuse(config.OTLP)
	s.checkAudience(config)
	s.endpoint(&config.OTLP)
	s.ends(&config.OTLP)
	s.traces(&config.OTLP)
	s.histograms(config)
	s.fits(&config.OTLP)
	if config.OTLP.Exports() {
		config.OTLP.TLS = s.tls(config.OTLP.Endpoint, settings)
	}
	config.OTLP.Resource = readResource(s.Report)
	config.Agent.Location = cmp.Or(config.Agent.Location, config.OTLP.Resource.Location)
}

// maxHosts is how many names agent.hosts can have.
const maxHosts = 100

// checkHosts checks the names in agent.hosts.
func (s *settingsReader) checkHosts(p yamltree.Pair, hosts []string) {
	where := yamltree.Path{Section: "agent", Key: "hosts"}
	if len(hosts) > maxHosts {
		s.Used(p.Value, p.ValueAt, where, "must have at most %d entries, got %d", maxHosts, len(hosts))
	}
	for i, host := range hosts {
		if element := yamltree.Follow(p.Value.Content[i]); yamltree.IsText(element) {
			if problem := hostNameProblem(host); problem != "" {
				s.At(element, where.Item(i), "%s", problem)
			}
		}
	}
}

// checkOrigins checks the origins in agent.origins, and writes them as browsers do.
func (s *settingsReader) checkOrigins(p yamltree.Pair, origins []string) {
	where := yamltree.Path{Section: "agent", Key: "origins"}
	if len(origins) > maxHosts {
		s.Used(p.Value, p.ValueAt, where, "must have at most %d entries, got %d", maxHosts, len(origins))
	}
	for i := range origins {
		element := yamltree.Follow(p.Value.Content[i])
		if !yamltree.IsText(element) || s.Unknown(element) {
			continue
		}
		origin, problem := originOf(origins[i])
		if problem != "" {
			s.At(element, where.Item(i), "%s", problem)
		}
		origins[i] = origin
	}
}

// checkAudience looks for an agent that would tell nobody what it measures.
func (s *settingsReader) checkAudience(config *Config) {
	if !s.streams && config.OTLP.Protocol == protocolNone && config.Agent.Listen == "" && !s.wrong["agent.listen"] {
		s.fault(s.origins["otlp.protocol"], "must not be none while agent.listen is empty: nobody would see the results")
	}
}

// readSection reads a section of the file, which may be absent, and then lets the variables speak.
func readSection[T any](s *settingsReader, section *section[T], p yamltree.Pair, into *T, set *found) {
	section.setDefaults(into)
	if p.Present() {
		decode(s.reader, section, p.Value, yamltree.AliasOf(p.ValueAt), yamltree.Path{Section: section.name}, into, set)
	}
	for i := range section.fields {
		f := &section.fields[i]
		if !f.value.kept() {
			continue
		}
		if value := s.fallback(f.Field); value != nil {
			s.viper.SetDefault(f.Path, value)
		}
		switch value := s.viper.Get(f.Path).(type) {
		case *yaml.Node:
			s.origins[f.Path] = origin{node: value, where: yamltree.Path{Section: section.name, Key: f.Key()}}
			s.wrong[f.Path] = set.faulty[i]
		case string:
			o := origin{variable: f.Env}
			s.origins[f.Path] = o
			if problem := f.value.store(into, &f.Field, value); problem != "" {
				s.fault(o, "%s", problem)
				s.wrong[f.Path] = true
			} else if f.File {
				s.lookFor(value)
			}
		case standard:
			s.origins[f.Path] = origin{variable: value.name, standard: true}
			storeStandard(s, f, into, value)
		case PresetValue:
			s.origins[f.Path] = origin{preset: true}
			f.value.store(into, &f.Field, value.Value) // a test reads every value
		}
		if f.Path == "otlp.preset" {
			s.preset = presetOf(*f.value.at(into).(*string))
		}
	}
}
