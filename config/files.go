package config

import (
	"os"

	"github.com/wsprobe/wsprobe/config/internal/readfile"
	"github.com/wsprobe/wsprobe/config/internal/yamltree"
)

// maxFiles is how many files a directory of a configuration can have.
const maxFiles = 10_000

// file is a file of a configuration, or a directory that cannot be read.
type file struct {
	name      string
	info      os.FileInfo // nil if the system does not tell
	directory bool
	given     bool // its text is given, and in no file
	data      []byte
	problem   string // why there is no data
}

// filesOf reads the files that these names stand for. Without others, it reads regular files only.
func filesOf(names []string, others bool) []file {
	if len(names) == 0 {
		return []file{{name: "configuration", problem: "no file is named"}}
	}
	var files []file
	size := 0
	for _, name := range names {
		for _, f := range expand(name) {
			if f.problem == "" && !f.directory {
				f.read(files, size, others)
			}
			size += len(f.data)
			files = append(files, f)
		}
	}
	return files
}

// read reads a file behind others of so many bytes.
func (f *file) read(before []file, size int, others bool) {
	for _, other := range before {
		if f.info == nil || other.info == nil || other.directory || !os.SameFile(f.info, other.info) {
			continue
		}
		if f.problem = "is named twice: every file is read once"; other.name != f.name {
			f.problem = "is the same file as " + other.name + ": every file is read once"
		}
		return
	}
	var err error
	if others {
		f.data, err = readfile.Any(f.name, yamltree.MaxBytes)
	} else {
		f.data, err = readfile.Regular(f.name, yamltree.MaxBytes)
	}
	switch {
	case err != nil:
		f.problem = err.Error()
	case size+len(f.data) > yamltree.MaxBytes:
		f.data, f.problem = nil, "makes more than 64 MiB, with the files before it"
	}
}

// expand returns the files that a name stands for: a directory and those in it, or the file itself. They are not read.
func expand(name string) []file {
	info, err := os.Stat(name)
	if err != nil || !info.IsDir() {
		return []file{{name: name, info: info}} // reading it tells what is wrong
	}
	directory := file{name: name, directory: true}
	names, err := readfile.YAML(name)
	switch {
	case err != nil:
		directory.problem = err.Error()
	case len(names) == 0:
		directory.problem = "is a directory without a file *.yaml or *.yml"
	case len(names) > maxFiles:
		directory.problem = "is a directory of more than 10000 files *.yaml and *.yml"
	}
	files := []file{directory}
	if directory.problem != "" {
		return files
	}
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			info = nil
		}
		files = append(files, file{name: name, info: info})
	}
	return files
}

// SizeOf returns how many bytes the files have that these names stand for, as far as they can be read.
func SizeOf(names ...string) (size int64) {
	for _, name := range names {
		for _, f := range expand(name) {
			if f.info != nil {
				size += f.info.Size()
			}
		}
	}
	return size
}
