package discovery

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/wsprobe/wsprobe/config/internal/readfile"
)

const (
	// maxFiles bounds the files of a source.
	maxFiles = 10_000
	// maxUnsettled is the number of looks after which a file that changes all the time is read nevertheless.
	maxUnsettled = 10
	// maxJSON and maxYAML bound a list, in bytes.
	maxJSON = 32 << 20
	maxYAML = 4 << 20
)

// filesLooker looks at files. A file whose name, size or time changed is read once two looks in a row agree about it,
// because a file that is written in place is half a file for a while, and half a YAML file is often a valid one. So a
// change holds at the second look after it, however often the file changed in between.
type filesLooker struct {
	Files
	maxTargets int
	files      map[string]*file
	started    bool
	full       time.Time // of the next look that reads all files
}

// file is a group.
type file struct {
	targets []Target          // of the last time that it could be read
	was     stamp             // when it was read last, zero to read it again
	sum     [sha256.Size]byte // of its content then
	sees    stamp             // at the last look, if it has yet to be read
	waits   int               // looks that put reading off
	over    bool              // too many targets, so the content waits until others have fewer
	verdict string            // what is wrong with its content, "" if nothing is
	problem string            // verdict, or why it could not be read
}

// stamp tells one state of a file from another without its content.
type stamp struct {
	size     int64
	modified time.Time
	info     fs.FileInfo
}

// same reports whether the file is as it was. A file that another was renamed to is not.
func (s stamp) same(other stamp) bool {
	if s.info == nil || other.info == nil {
		return s.info == nil && other.info == nil
	}
	return s.size == other.size && s.modified.Equal(other.modified) && os.SameFile(s.info, other.info)
}

func newFilesLooker(files Files, maxTargets int) (*filesLooker, error) {
	if len(files.Patterns) == 0 || files.Refresh <= 0 {
		return nil, errors.New("files need a pattern and a refresh")
	}
	for _, pattern := range files.Patterns {
		if _, err := filepath.Match(pattern, ""); err != nil {
			return nil, fmt.Errorf("%q is no pattern of files", pattern)
		}
		if format(pattern) == "" {
			return nil, fmt.Errorf("%q must end in .json, .yaml or .yml", pattern)
		}
	}
	return &filesLooker{Files: files, maxTargets: maxTargets, files: make(map[string]*file)}, nil
}

// format is "json" or "yaml", by the end of a name.
func format(name string) string {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".json":
		return "json"
	case ".yaml", ".yml":
		return "yaml"
	}
	return ""
}

func (l *filesLooker) close() {}

func (l *filesLooker) look(ctx context.Context) view {
	seen := view{wait: l.Refresh}
	if l.Watch > 0 {
		seen.wait = min(l.Watch, l.Refresh)
	}
	now := time.Now()
	full := !now.Before(l.full)
	if full {
		l.full = now.Add(l.Refresh)
	}
	names, err := l.list()
	if err != nil {
		seen.refused, seen.problem = true, err.Error()
		return seen
	}
	moved := l.end(names)
	for _, name := range names {
		if ctx.Err() != nil {
			return seen
		}
		moved = l.visit(name, full) || moved
	}
	for _, name := range names {
		if f := l.files[name]; f.over && moved {
			f.problem = l.read(f, name)
		}
	}
	l.started = true
	return l.result(seen, names)
}

// result is what a look knows now.
func (l *filesLooker) result(seen view, names []string) view {
	problems := 0
	for _, name := range names {
		f := l.files[name]
		seen.groups = append(seen.groups, group{name: name, targets: f.targets})
		seen.refused = seen.refused || f.over
		if f.problem == "" {
			continue
		}
		if problems++; problems == 1 {
			seen.problem = name + ": " + f.problem
		}
	}
	if problems > 1 {
		seen.problem += fmt.Sprintf(" (and %d more files)", problems-1)
	}
	return seen
}

// list returns the files that there are, sorted. A file that could be read, and that nobody can say to be gone, is
// among them: a directory that cannot be read now says nothing about its files.
func (l *filesLooker) list() ([]string, error) {
	var names []string
	for _, pattern := range l.Patterns {
		matches, err := filepath.Glob(pattern)
		if err != nil {
			return nil, err // never: New looked at the pattern
		}
		names = append(names, matches...)
	}
	if len(names) > maxFiles {
		return nil, fmt.Errorf("the patterns match %d files: at most %d can be", len(names), maxFiles)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	var hidden []string
	for name := range l.files {
		if _, found := slices.BinarySearch(names, name); found {
			continue
		}
		if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
			hidden = append(hidden, name)
		}
	}
	names = append(names, hidden...)
	slices.Sort(names)
	return names, nil
}

// end forgets the files that are gone, and reports whether there were any.
func (l *filesLooker) end(names []string) (ended bool) {
	for name := range l.files {
		if _, found := slices.BinarySearch(names, name); !found {
			delete(l.files, name)
			ended = true
		}
	}
	return ended
}

// visit looks at one file, and reads it if it changed and is whole again. It reports whether it was read.
func (l *filesLooker) visit(name string, full bool) bool {
	f := l.files[name]
	if f == nil {
		f = new(file)
		l.files[name] = f
	}
	sees, err := stampOf(name)
	if err != nil {
		f.problem = cause(err)
		f.was, f.sees = stamp{}, stamp{}
		f.forget()
		return false
	}
	if sees.same(f.was) && !full {
		return false
	}
	if l.started && l.Watch > 0 && !sees.same(f.was) && !sees.same(f.sees) && f.waits < maxUnsettled {
		f.sees = sees
		f.waits++
		return false
	}
	f.waits, f.was = 0, sees
	f.problem = l.read(f, name)
	if after, err := stampOf(name); err != nil || !after.same(sees) {
		f.was = stamp{} // it changed meanwhile
	}
	return true
}

// read reads a file anew, and returns the problem that it has. With a problem the file keeps its targets.
func (l *filesLooker) read(f *file, name string) (problem string) {
	most := int64(maxJSON)
	if format(name) == "yaml" {
		most = maxYAML
	}
	data, err := readfile.Regular(name, most)
	if err != nil {
		f.forget()
		return err.Error()
	}
	sum := sha256.Sum256(data)
	if sum == f.sum && !f.over {
		return f.verdict
	}
	f.sum, f.verdict = sum, ""
	others := -len(f.targets)
	for _, other := range l.files {
		others += len(other.targets)
	}
	targets, err := decodeFile(name, data, l.maxTargets-others)
	f.over = errors.Is(err, errTooMany)
	switch {
	case f.over:
		f.verdict = tooMany(l.maxTargets)
	case err != nil:
		f.verdict = err.Error()
	default:
		f.targets = targets
	}
	return f.verdict
}

// forget makes the file one whose content is not known. It keeps its targets, and holds up no other file.
func (f *file) forget() { f.over, f.sum = false, [sha256.Size]byte{} }

// decodeFile returns the targets that a file has.
func decodeFile(name string, data []byte, most int) ([]Target, error) {
	about := map[string]string{"__meta_filepath": name}
	if format(name) == "yaml" {
		return decodeYAML(data, most, about)
	}
	return decodeJSON(bytes.NewReader(data), most, about)
}

// stampOf looks at a file without reading it, through links.
func stampOf(name string) (stamp, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return stamp{}, err
	case !info.Mode().IsRegular():
		return stamp{}, errors.New("is no regular file")
	}
	return stamp{size: info.Size(), modified: info.ModTime(), info: info}, nil
}

// cause is the text of an error without the name of the file, which stands before it.
func cause(err error) string {
	var in *fs.PathError
	if errors.As(err, &in) {
		return in.Err.Error()
	}
	return err.Error()
}
