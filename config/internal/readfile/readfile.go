// Package readfile reads whole files up to a limit.
//
// Its errors are short. They omit the name of the file, which the caller says, and its content, which may be secret.
package readfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Any reads a file, a pipe or a device of at most limit bytes. It waits for the writers of a pipe.
func Any(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, bare(err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, errDirectory
	}
	return read(f, limit)
}

// YAML returns the names of the YAML files in a directory, in their order: those that end in .yaml or .yml and begin
// with no dot. A directory has no part in it, whatever its name.
func YAML(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, bare(err)
	}
	var names []string
	for _, e := range entries {
		extension := filepath.Ext(e.Name())
		if strings.HasPrefix(e.Name(), ".") || extension != ".yaml" && extension != ".yml" {
			continue
		}
		name := filepath.Join(dir, e.Name())
		if info, err := os.Stat(name); err == nil && info.IsDir() { // which a link may lead to
			continue
		}
		names = append(names, name)
	}
	return names, nil
}

// Regular reads a file of at most limit bytes. It never waits for somebody to write, because it refuses a file that is
// not regular, such as a FIFO. It follows links, because mounted secrets are links.
func Regular(name string, limit int64) ([]byte, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, bare(err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, bare(err)
	case info.IsDir():
		return nil, errDirectory
	case !info.Mode().IsRegular():
		return nil, errors.New("is no regular file")
	}
	return read(f, limit)
}

var errDirectory = errors.New("is a directory")

// read reads an open file.
func read(f *os.File, limit int64) ([]byte, error) {
	var text bytes.Buffer
	if info, err := f.Stat(); err == nil { // of a pipe the size is not known
		text.Grow(int(min(max(info.Size(), 0), limit)) + bytes.MinRead)
	}
	_, err := text.ReadFrom(io.LimitReader(f, limit+1))
	data := text.Bytes()
	switch {
	case err != nil:
		return nil, bare(err)
	case int64(len(data)) > limit:
		if limit%(1<<20) == 0 {
			return nil, fmt.Errorf("is larger than %d MiB", limit>>20)
		}
		return nil, fmt.Errorf("is larger than %d KiB", limit>>10)
	}
	return data, nil
}

// bare returns the cause of an error without the operation and the file's name.
func bare(err error) error {
	var e *os.PathError
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}
