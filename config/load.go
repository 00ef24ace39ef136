package config

import (
	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/config/internal/yamltree"
)

// Load reads a configuration from files and the environment. A name may be that of a directory, which stands for its
// files *.yaml and *.yml in the order of their names. The error is an [*Error] that names everything that is wrong.
//
// Probes and streams of all files add up, in the order of the names. A defaults block is for its own file. The sections
// agent and otlp may each stand in one file only. All files together have at most 64 MiB.
//
// A WSPROBE_ variable overrides the files, the files override the OTEL_ variables, and those override the defaults. A
// wrong value in a file is a fault even if a variable overrides it.
func Load(names ...string) (Config, error) { return loadFiles(yamltree.NewReport(""), names) }

// CheckWithoutSecrets is [Load] where the secrets are not available, for a change under review for instance. It takes
// every reference for valid, and reads no file of TLS. Show the Config, but do not run it, because a value with a
// reference may be absent or a stand-in.
func CheckWithoutSecrets(names ...string) (Config, error) {
	r := yamltree.NewReport("")
	r.Blind = true
	return loadFiles(r, names)
}

// Parse is [Load] for the text of a file. Faults call it by the name.
func Parse(name string, data []byte) (Config, error) {
	r := yamltree.NewReport(name)
	return load(r, []*yaml.Node{yamltree.Parse(r, data)}, len(data))
}

// load reads the trees of files that have so many bytes together. The tree of a file that cannot be read is nil.
func load(r *yamltree.Report, roots []*yaml.Node, size int) (Config, error) {
	var config Config
	if set := newFileSet(newReader(r, size), roots); len(set.files) > 0 {
		config = set.read(size)
	}
	if err := errorOf(r); err != nil {
		return Config{}, err
	}
	config.Warnings = published(r.Warnings())
	config.Files = r.Looked()
	return config, nil
}
