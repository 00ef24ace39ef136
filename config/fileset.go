package config

import (
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/config/internal/yamltree"
)

// fileSet reads the files of a configuration as one.
type fileSet struct {
	*reader
	files []fileTree
	// complete says that every file could be read, so that nothing that seems to be missing is in another.
	complete bool
	names    map[string]int // of probes, see probeReader
}

// fileTree is the tree of a file and what stands at its top.
type fileTree struct {
	root *yaml.Node
	top  *found
	cut  *cutFile // nil for a file that is parsed whole
}

// newFileSet takes the trees of files, of which those have no root that could not be read.
func newFileSet(r *reader, trees []fileTree) *fileSet {
	s := &fileSet{reader: r}
	for _, f := range trees {
		if f.root != nil {
			f.top = newFound(len(rootSection.fields))
			s.files = append(s.files, f)
		}
	}
	s.complete = len(s.files) == len(trees)
	return s
}

// read reads the trees of files of so many bytes, and the environment.
func (s *fileSet) read(size int) Config {
	var config Config
	for _, f := range s.files {
		decode(s.reader, rootSection, f.root, nil, yamltree.Path{}, &config, f.top)
	}
	s.names = make(map[string]int, s.count("probes"))
	agent, otlp := s.only("agent"), s.only("otlp")
	viper, err := newViper(newCodec(agent.root, otlp.root, size))
	if err != nil {
		s.Whole(0, 0, "%s", err) // not by any known input
		return config
	}
	files := newTLSFiles()
	files.unread = s.Blind
	settings := &settingsReader{reader: s.reader, viper: viper, origins: make(map[string]origin), wrong: make(map[string]bool),
		files: files, streams: s.lists("streams")}
	settings.read(&config, agent.pair("agent"), otlp.pair("otlp"))
	for _, f := range s.files {
		config.add(s.probes(f, files))
	}
	s.checkProbes(config)
	var sources []*discoverEntry
	for _, f := range s.files {
		config.Modules = append(config.Modules, readModules(s.reader, f, files, size)...)
		sources = append(sources, readDiscover(s.reader, f, files)...)
	}
	uniqueModules(s.reader, config.Modules)
	config.Discover = link(sources, config.Modules)
	config.Streams = s.streams(files, config)
	settings.checkSessions(config)
	settings.checkProbeEndpoint(config)
	config.OTLP.Resource.checkLabels(s.Report, config.Probes)
	for _, m := range config.Modules {
		m.taken = slices.Sorted(maps.Keys(config.OTLP.Resource.Attributes))
	}
	return config
}

// add adds probes, and of those that are disabled the names.
func (c *Config) add(probes []Probe) {
	if c.Probes == nil && !slices.ContainsFunc(probes, func(p Probe) bool { return !p.enabled }) {
		c.Probes = probes // of which most files have many
		return
	}
	for i := range probes {
		if p := &probes[i]; p.enabled {
			c.Probes = append(c.Probes, *p)
		} else {
			c.Disabled = append(c.Disabled, p.Name)
		}
	}
}

// pair returns the field of this key at the top of a file.
func (f fileTree) pair(key string) yamltree.Pair {
	if f.top == nil {
		return yamltree.Pair{}
	}
	return f.top.pairs[rootSection.index[key]]
}

// only returns the file that has a section which may stand in one file only, or no file.
func (s *fileSet) only(key string) fileTree {
	var first fileTree
	for _, f := range s.files {
		switch p := f.pair(key); {
		case !p.Present():
		case first.root == nil:
			first = f
		default:
			s.Used(p.Key, p.KeyAt, yamltree.Path{Key: key}, "may stand in one file only, %s has it already",
				s.Seen(first.pair(key).KeyAt, p.KeyAt))
		}
	}
	return first
}

// lists reports whether a list at the top of any file has elements.
func (s *fileSet) lists(key string) bool {
	return slices.ContainsFunc(s.files, func(f fileTree) bool {
		p := f.pair(key)
		return p.Present() && len(p.Value.Content) > 0 || key == "probes" && f.cut != nil
	})
}

// count returns how many elements the lists of this key have that stand at the top of the files.
func (s *fileSet) count(key string) (n int) {
	for _, f := range s.files {
		if p := f.pair(key); p.Present() {
			n += len(p.Value.Content)
		}
		if f.cut != nil && key == "probes" {
			n += len(f.cut.slots)
		}
	}
	return n
}

// probes reads the defaults block and the probes of a file.
func (s *fileSet) probes(f fileTree, files *tlsFiles) []Probe {
	s.unreadable, s.inheritedReferences = nil, nil
	reader := newProbeReader(s.reader, files)
	reader.names = s.names
	if p := f.pair("defaults"); p.Present() {
		reader.defaults(p)
	}
	switch p := f.pair("probes"); {
	case f.cut != nil:
		return reader.slots(f.cut)
	case p.Present():
		return reader.list(p)
	}
	return nil
}

// checkProbes looks for a configuration without a probe.
func (s *fileSet) checkProbes(config Config) {
	if s.lists("probes") || s.lists("discover") || !s.complete || s.LostMerges > 0 || len(config.Agent.ProbeEndpoint.Targets) > 0 {
		return
	}
	empty := false
	for _, f := range s.files {
		p := f.pair("probes")
		switch {
		case f.root.Kind != yaml.MappingNode || f.top.resembled[rootSection.index["probes"]]:
			return
		case !p.Present():
		case p.Value.Kind != yaml.SequenceNode:
			return
		default:
			s.At(p.Value, yamltree.Path{Key: "probes"}, "must have at least one probe")
			empty = true
		}
	}
	switch {
	case empty:
	case s.lists("modules"):
		s.At(s.files[0].root, yamltree.Path{Key: "probes"}, "is required, or discover or agent.probe_endpoint.targets, which use the modules")
	default:
		s.At(s.files[0].root, yamltree.Path{Key: "probes"}, "is required: a list with at least one probe")
	}
}
