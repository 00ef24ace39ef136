package config

import (
	"errors"

	"github.com/wsprobe/wsprobe/config/internal/yamltree"
)

// Load reads a configuration from files and the environment. A name may be that of a directory, which stands for its
// files *.yaml and *.yml in the order of their names. The error is an [*Error] that names everything that is wrong.
//
// Probes and streams of all files add up, in the order of the names. A defaults block is for its own file. The sections
// agent and otlp may each stand in one file only. All files together have at most 64 MiB.
//
// A WSPROBE_ variable overrides the files, the files override otlp.preset, that overrides the OTEL_ variables, and those
// override the defaults. A wrong value in a file is a fault even if a variable overrides it.
func Load(names ...string) (Config, error) {
	return newLoading(false).load(filesOf(names, true))
}

// CheckWithoutSecrets is [Load] where the secrets are not available, for a change under review for instance. It takes
// every reference for valid, and reads no file of TLS. Show the Config, but do not run it, because a value with a
// reference may be absent or a stand-in.
func CheckWithoutSecrets(names ...string) (Config, error) {
	return newLoading(true).load(filesOf(names, true))
}

// Parse is [Load] for the text of a file. Faults call it by the name.
func Parse(name string, data []byte) (Config, error) {
	return newLoading(false).load([]file{{name: name, given: true, data: data}})
}

// loading is one reading of a configuration.
type loading struct {
	*yamltree.Report
	keeps bool                 // whether probes are kept
	kept  map[string]*keptFile // what was kept before, by the name of the file
	cuts  map[string]*cutFile  // the files whose probes may be kept, by name
	// tokens are those of a Loader.
	tokens tokenSource
}

func newLoading(blind bool) *loading {
	l := &loading{Report: yamltree.NewReport(""), cuts: make(map[string]*cutFile)}
	l.Blind = blind
	return l
}

// errStale says that what is kept cannot be used.
var errStale = errors.New("what is kept is stale")

// load reads files and the environment.
func (l *loading) load(files []file) (Config, error) {
	var trees []fileTree
	var sources []string
	size := 0
	for _, f := range files {
		l.Begin(f.name)
		if !f.given {
			l.Look(f.name)
		}
		if !f.given && !f.directory {
			sources = append(sources, f.name)
		}
		switch {
		case f.problem != "":
			l.Whole(0, 0, "%s", f.problem)
			trees = append(trees, fileTree{})
		case !f.directory:
			tree, err := l.tree(f)
			if err != nil {
				return Config{}, err
			}
			trees, size = append(trees, tree), size+len(f.data)
		}
	}
	config, err := l.read(trees, size)
	if err == nil {
		config.Sources = sources
	}
	return config, err
}

// tree reads the tree of a file, without the probes that are kept. It has no root if nothing can be read.
func (l *loading) tree(f file) (fileTree, error) {
	tree := fileTree{}
	text := f.data
	if l.keeps {
		if tree.cut = cutText(l.Report, f.data, l.kept[f.name]); tree.cut != nil {
			text = tree.cut.text
		}
	}
	tree.root = yamltree.Parse(l.Report, text)
	if tree.cut == nil || tree.root == nil {
		return tree, nil
	}
	switch fits := tree.cut.fits(l.Report, tree.root); {
	case fits:
		l.cuts[f.name] = tree.cut
	case tree.cut.skipped > 0:
		return tree, errStale
	default:
		tree.cut = nil
	}
	return tree, nil
}

// read reads the trees of files that have so many bytes together.
func (l *loading) read(trees []fileTree, size int) (Config, error) {
	var config Config
	r := newReader(l.Report, size)
	if l.tokens.Cache != nil {
		r.tokens = l.tokens
	}
	if set := newFileSet(r, trees); len(set.files) > 0 {
		config = set.read(size)
	}
	if err := errorOf(l.Report); err != nil {
		return Config{}, err
	}
	if r.stale || r.Left() < l.skipped() {
		return Config{}, errStale
	}
	config.Warnings = published(l.Warnings())
	config.Files = l.Looked()
	return config, nil
}

// skipped returns how many bytes were not read because their probes are kept.
func (l *loading) skipped() (bytes int) {
	for _, f := range l.cuts {
		bytes += f.skipped
	}
	return bytes
}
