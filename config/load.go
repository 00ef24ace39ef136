package config

import "go.yaml.in/yaml/v3"

// Load reads a configuration from a file and the environment. The error is an [*Error] that names everything
// that is wrong with either.
//
// What a WSPROBE_ variable says wins over the file, the file wins over the OTEL_ variables, and those over the
// defaults. A wrong value in the file is a fault even if a variable overrides it.
func Load(file string) (Config, error) {
	return read(newReport(file))
}

// CheckWithoutSecrets is [Load] where the secrets are not there, for a change under review for instance. What a
// reference stands for is taken for right, and no file of TLS is read. The Config is to be shown, not to be run:
// a value with a reference may be absent or a stand-in.
func CheckWithoutSecrets(file string) (Config, error) {
	r := newReport(file)
	r.blind = true
	return read(r)
}

// read reads the file of a report.
func read(r *report) (Config, error) {
	data, err := readFile(r.file, maxFile)
	if err != nil {
		r.whole(0, 0, "%s", err)
		return Config{}, r.err()
	}
	config := load(r, data)
	if err := r.err(); err != nil {
		return Config{}, err
	}
	config.Warnings = inOrder(r.warnings)
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
	top := newFound(len(rootSection.fields))
	decode(c.reader, rootSection, c.root, nil, path{}, &config, top)
	files := newTLSFiles()
	files.unread = r.blind
	s := &settingsReader{reader: c.reader, viper: v, origins: make(map[string]origin), wrong: make(map[string]bool), files: files}
	s.read(&config, top)
	config.Probes = readProbes(c, top, files)
	config.OTLP.Resource.checkLabels(r, config.Probes)
	return config
}

// readProbes reads the defaults block and the probes.
func readProbes(c *codec, top *found, files *tlsFiles) []Probe {
	r := newProbeReader(c.reader, files)
	if p := top.pairs[rootSection.index["defaults"]]; p.present() {
		r.defaults(p)
	}
	probes := top.pairs[rootSection.index["probes"]]
	if !probes.present() {
		if c.root.Kind == yaml.MappingNode && !top.meant[rootSection.index["probes"]] && c.gaps == 0 {
			r.at(c.root, path{key: "probes"}, "is required: a list with at least one probe")
		}
		return nil
	}
	return r.list(probes)
}
