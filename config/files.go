package config

import (
	"os"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/config/internal/readfile"
	"github.com/wsprobe/wsprobe/config/internal/yamltree"
)

// maxFiles is how many files a configuration can have.
const maxFiles = 10_000

// source is a file of a configuration.
type source struct {
	name string
	info os.FileInfo // nil if the system does not tell
}

// loadFiles reads the files that these names stand for.
func loadFiles(r *yamltree.Report, names []string) (Config, error) {
	if len(names) == 0 {
		r.Begin("configuration")
		r.Whole(0, 0, "no file is named")
	}
	var roots []*yaml.Node
	var read []source
	size := 0
	for _, name := range names {
		for _, file := range expand(r, name) {
			r.Begin(file.name)
			r.Look(file.name)
			root, bytes := readTree(r, file, read, size)
			roots, read, size = append(roots, root), append(read, file), size+bytes
		}
	}
	config, err := load(r, roots, size)
	for _, s := range read {
		config.Sources = append(config.Sources, s.name)
	}
	return config, err
}

// SizeOf returns how many bytes the files have that these names stand for, as far as they can be read.
func SizeOf(names ...string) (size int64) {
	for _, name := range names {
		for _, file := range expand(yamltree.NewReport(""), name) {
			if file.info != nil {
				size += file.info.Size()
			}
		}
	}
	return size
}

// expand returns the files that a name stands for: those in a directory, or the file itself.
func expand(r *yamltree.Report, name string) []source {
	info, err := os.Stat(name)
	if err != nil || !info.IsDir() {
		return []source{{name, info}} // reading it tells what is wrong
	}
	r.Begin(name)
	r.Look(name)
	files, err := readfile.YAML(name)
	switch {
	case err != nil:
		r.Whole(0, 0, "%s", err)
	case len(files) == 0:
		r.Whole(0, 0, "is a directory without a file *.yaml or *.yml")
	case len(files) > maxFiles:
		r.Whole(0, 0, "is a directory with more than %d files *.yaml and *.yml", maxFiles)
		return nil
	}
	sources := make([]source, 0, len(files))
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			info = nil
		}
		sources = append(sources, source{file, info})
	}
	return sources
}

// readTree reads a file behind others of so many bytes. It returns nil, and a fault, for one that cannot be read.
func readTree(r *yamltree.Report, file source, read []source, size int) (*yaml.Node, int) {
	for _, other := range read {
		if file.info != nil && other.info != nil && os.SameFile(file.info, other.info) {
			twice := "is named twice"
			if other.name != file.name {
				twice = "is the same file as " + other.name
			}
			r.Whole(0, 0, "%s: every file is read once", twice)
			return nil, 0
		}
	}
	data, err := readfile.Any(file.name, yamltree.MaxBytes)
	switch {
	case err != nil:
		r.Whole(0, 0, "%s", err)
		return nil, 0
	case size+len(data) > yamltree.MaxBytes:
		r.Whole(0, 0, "has more than %d MiB, with the files before it", yamltree.MaxBytes>>20)
		return nil, 0
	}
	return yamltree.Parse(r, data), len(data)
}
