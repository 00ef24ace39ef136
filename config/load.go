package config

import (
	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/config/internal/readfile"
	"github.com/wsprobe/wsprobe/config/internal/yamltree"
)

// Load reads a configuration from a file and the environment. The error is an [*Error] that names everything
// that is wrong with either.
//
// A WSPROBE_ variable overrides the file, the file overrides the OTEL_ variables, and those override the defaults. A
// wrong value in the file is a fault even if a variable overrides it.
func Load(file string) (Config, error) {
	return read(yamltree.NewReport(file))
}

// CheckWithoutSecrets is [Load] where the secrets are not available, for a change under review for instance. It takes
// every reference for valid, and reads no file of TLS. Show the Config, but do not run it, because a value with a
// reference may be absent or a stand-in.
func CheckWithoutSecrets(file string) (Config, error) {
	r := yamltree.NewReport(file)
	r.Blind = true
	return read(r)
}

// Parse is [Load] for the text of a file. Faults call it by the name.
func Parse(name string, data []byte) (Config, error) {
	return load(yamltree.NewReport(name), data)
}

// read reads the file of a report.
func read(r *yamltree.Report) (Config, error) {
	data, err := readfile.Any(r.File, yamltree.MaxBytes)
	if err != nil {
		r.Whole(0, 0, "%s", err)
		return Config{}, errorOf(r)
	}
	return load(r, data)
}

// load reads the text of a file.
func load(r *yamltree.Report, data []byte) (Config, error) {
	var config Config
	if root := yamltree.Parse(r, data); root != nil {
		config = decodeRoot(newReader(r, len(data)), root, len(data))
	}
	if err := errorOf(r); err != nil {
		return Config{}, err
	}
	config.Warnings = published(r.Warnings())
	return config, nil
}

// decodeRoot reads the tree of a file of so many bytes, and the environment.
func decodeRoot(r *reader, root *yaml.Node, size int) Config {
	var config Config
	top := newFound(len(rootSection.fields))
	decode(r, rootSection, root, nil, yamltree.Path{}, &config, top)
	viper, err := newViper(newCodec(root, size))
	if err != nil {
		r.Whole(0, 0, "%s", err) // not by any known input
		return config
	}
	files := newTLSFiles()
	files.unread = r.Blind
	s := &settingsReader{reader: r, viper: viper, origins: make(map[string]origin), wrong: make(map[string]bool),
		files: files}
	s.read(&config, top)
	config.Probes = readProbes(r, root, top, files)
	config.Streams = readStreams(r, top, files, config)
	s.checkSessions(config)
	config.OTLP.Resource.checkLabels(r.Report, config.Probes)
	return config
}

// readProbes reads the defaults block and the probes.
func readProbes(r *reader, root *yaml.Node, top *found, files *tlsFiles) []Probe {
	reader := newProbeReader(r, files)
	if p := top.pairs[rootSection.index["defaults"]]; p.Present() {
		reader.defaults(p)
	}
	probes := top.pairs[rootSection.index["probes"]]
	if !probes.Present() {
		if root.Kind == yaml.MappingNode && !top.resembled[rootSection.index["probes"]] && r.LostMerges == 0 {
			r.At(root, yamltree.Path{Key: "probes"}, "is required: a list with at least one probe")
		}
		return nil
	}
	return reader.list(probes)
}
