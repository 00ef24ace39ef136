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
// A WSPROBE_ variable overrides the files, the files override otlp.preset, that overrides the OTEL_ variables, and
// those override the defaults. A wrong value in a file is a fault even if a variable overrides it.
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
	cuts  map[string]*cutFile  // the files whose probes are read a few at a time, by name
	batch int                  // bytes of probes that are parsed at a time, 0 to parse files whole
	whole map[string]bool      // the files that have to be parsed whole
	// tokens are those of a Loader.
	tokens tokenSource
}

func newLoading(blind bool) *loading {
	l := &loading{batch: batchBytes, whole: make(map[string]bool)}
	l.begin(blind)
	return l
}

// begin begins with nothing reported.
func (l *loading) begin(blind bool) {
	l.Report, l.cuts = yamltree.NewReport(""), make(map[string]*cutFile)
	l.Blind = blind
}

// errStale says that what is kept cannot be used.
var errStale = errors.New("what is kept is stale")

// errUncut says that files have to be parsed whole.
var errUncut = errors.New("files have to be parsed whole")

// load reads files and the environment. Files that turn out to be no good in parts are parsed whole: only so the places
// of their faults are known.
func (l *loading) load(files []file) (Config, error) {
	config, err := l.try(files)
	if errors.Is(err, errUncut) {
		l.begin(l.Blind)
		config, err = l.try(files)
	}
	if errors.Is(err, errUncut) { // because the first try did not come so far
		l.begin(l.Blind)
		l.batch = 0
		config, err = l.try(files)
	}
	return config, err
}

// try reads files and the environment once.
func (l *loading) try(files []file) (Config, error) {
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
			trees, size = append(trees, l.tree(f)), size+len(f.data)
		}
	}
	config, err := l.read(trees, size)
	if err == nil {
		config.Sources = sources
	}
	return config, err
}

// tree reads the tree of a file, without the probes if they are read a few at a time. It has no root if nothing can be
// read.
func (l *loading) tree(f file) fileTree {
	if c := l.cut(f); c != nil {
		return fileTree{root: c.outline.Root, cut: c}
	}
	return fileTree{root: yamltree.Parse(l.Report, f.data)}
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
	if l.uncut(r) {
		return Config{}, errUncut
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

// uncut reports whether files have to be parsed whole, and remembers which.
func (l *loading) uncut(r *reader) bool {
	if l.Overfull() && len(l.cuts) > 0 { // the order in which references are resolved decides which of them do not fit
		l.batch = 0
		return true
	}
	for _, name := range r.uncut {
		l.whole[name] = true
	}
	return len(r.uncut) > 0
}

// skipped returns how many bytes were not read because their probes are kept.
func (l *loading) skipped() (bytes int) {
	for _, f := range l.cuts {
		bytes += f.skipped
	}
	return bytes
}
