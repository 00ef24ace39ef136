// Package watch tells when the content of files changes.
//
// A [Looker] looks at files again and again, and a [Settling] says which news of a look are worth an action. Nothing
// here asks the kernel for events, as inotify gives them: they do not come over NFS, and belong to an inode. A link
// that Kubernetes swaps and a file that an editor renames into place have another inode each time. A look sees the same
// in all these cases: a name, and the content behind it.
package watch

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

const (
	// racy is how long ago a file must have changed for its stat to prove that its content is the same. Some file
	// systems have times of two seconds, and two writes within that time look like one.
	racy = 2 * time.Second
	// skew is how far the clock of a file server may be ahead. A time beyond that was set on purpose.
	skew = time.Hour
	// grain is how coarse the times of a local file system are, and more.
	grain = 20 * time.Millisecond
)

// Sum is the identity of the content of files.
type Sum [sha256.Size]byte

// Looker looks at files. It remembers the last look, so that files which did not change are not read again. One
// goroutine may use it at a time.
type Looker struct {
	matters func(name string) bool
	limit   int64
	seen    map[string]*state
	now     map[string]*state // of the look under way
}

// state is what a look saw under a name.
type state struct {
	sum     Sum
	touched time.Time   // when it last changed, as far as the file system knows; zero if there is nothing
	info    fs.FileInfo // nil if the sum must be made anew
	at      time.Time   // when the sum was made
	size    int64       // in bytes, with that of the entries
	entries []string    // of a directory, those that matter
}

// NewLooker returns a Looker that reads at most limit bytes of each file. Of the entries of a directory, it heeds those
// whose name matters.
func NewLooker(matters func(name string) bool, limit int64) *Looker {
	return &Looker{matters: matters, limit: limit, seen: make(map[string]*state)}
}

// Look is how files were at a moment. It does not change.
type Look map[string]*state

// Look looks at files and directories, behind links. That a name has nothing behind it, or nothing that may be read, is
// a state as any other. Of a directory, the entries that matter belong to its state, with the content of files, but not
// directories below it. Each file is read at most once, and only if it may have changed since the last look.
func (l *Looker) Look(names []string) Look {
	l.now = make(map[string]*state, len(l.seen))
	look := make(Look, len(names))
	for _, name := range names {
		look[name] = l.look(name, true)
	}
	l.seen, l.now = l.now, nil
	return look
}

// Sum is the identity of these files, which the look has all seen. Their order does not matter.
func (l Look) Sum(names []string) Sum {
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	all := sha256.New()
	for _, name := range names {
		writeText(all, name)
		if s := l[name]; s != nil {
			all.Write(s.sum[:])
		}
	}
	return Sum(all.Sum(nil))
}

// Size is that of all files of the look, in bytes.
func (l Look) Size() int64 {
	var size int64
	for _, s := range l {
		size += s.size
	}
	return size
}

// Steady reports whether the files cannot have changed between a moment and this look. What an earlier look saw before
// that moment must be the same now. A file that it did not see must have been touched before.
func (l Look) Steady(before Look, began time.Time) bool {
	for name, s := range l {
		old := before[name]
		if old != nil && old.sum != s.sum || old == nil && s.touched.After(began.Add(-grain)) {
			return false
		}
	}
	return true
}

// look returns the state of a name, whose entries are of interest if it is a directory that was asked for.
func (l *Looker) look(name string, asked bool) *state {
	key := name
	if !asked {
		key += "\x00" // a directory among the entries of another has no entries
	}
	if s := l.now[key]; s != nil {
		return s
	}
	old := l.seen[key]
	info, err := os.Stat(name)
	var s *state
	switch {
	case err != nil:
		s = failed(err)
	case info.IsDir() && asked:
		s = l.directory(name, info, old)
	case info.Mode().IsRegular():
		s = l.file(name, info, old)
	default:
		s = &state{sum: sumOf("kind", info.Mode().Type().String())}
	}
	l.now[key] = s
	return s
}

// failed is the state of a name that cannot be looked at.
func failed(err error) *state {
	var number syscall.Errno
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &state{sum: sumOf("absent")}
	case errors.As(err, &number):
		return &state{sum: sumOf("error", number.Error())}
	}
	return &state{sum: sumOf("error", err.Error())}
}

// holds reports whether the state is that of now without another read.
func (s *state) holds(info fs.FileInfo) bool {
	if s == nil || s.info == nil || !sameStat(s.info, info) {
		return false
	}
	young := info.ModTime().After(s.at.Add(-racy)) && info.ModTime().Before(s.at.Add(skew))
	return !young
}

// sameStat reports whether two stats are of the same file, without a change between them that the file system noted.
func sameStat(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.Mode() == b.Mode() && a.ModTime().Equal(b.ModTime()) &&
		changeTime(a).Equal(changeTime(b))
}

// touched is when a file last changed, or was given its name.
func touched(info fs.FileInfo) time.Time {
	if at := changeTime(info); at.After(info.ModTime()) {
		return at
	}
	return info.ModTime()
}

// file returns the state of a regular file.
func (l *Looker) file(name string, info fs.FileInfo, old *state) *state {
	if old.holds(info) {
		return old
	}
	at := time.Now()
	// Another thing may have the name by now, and a pipe would keep an open that blocks.
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return failed(err)
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil || !info.Mode().IsRegular() {
		return &state{sum: sumOf("gone")}
	}
	content := sha256.New()
	writeText(content, "file")
	if _, err := io.Copy(content, io.LimitReader(f, l.limit)); err != nil {
		return failed(err)
	}
	if info.Size() > l.limit {
		writeText(content, "and more")
	}
	return &state{sum: Sum(content.Sum(nil)), touched: touched(info), info: info, at: at, size: info.Size()}
}

// directory returns the state of a directory: the names of the entries that matter, and the state of each.
func (l *Looker) directory(name string, info fs.FileInfo, old *state) *state {
	s := &state{touched: touched(info), info: info, at: time.Now()}
	if old.holds(info) {
		s.at, s.entries = old.at, old.entries
	} else {
		entries, err := os.ReadDir(name) // sorted by name
		if err != nil {
			return failed(err)
		}
		for _, entry := range entries {
			if l.matters(entry.Name()) {
				s.entries = append(s.entries, entry.Name())
			}
		}
	}
	all := sha256.New()
	writeText(all, "directory")
	for _, entry := range s.entries {
		one := l.look(filepath.Join(name, entry), false)
		writeText(all, entry)
		all.Write(one.sum[:])
		s.size += one.size
		if one.touched.After(s.touched) {
			s.touched = one.touched
		}
	}
	s.sum = Sum(all.Sum(nil))
	return s
}

// sumOf is the identity of a state without content.
func sumOf(texts ...string) Sum {
	all := sha256.New()
	for _, text := range texts {
		writeText(all, text)
	}
	return Sum(all.Sum(nil))
}

// writeText writes a text so that the one behind it cannot be taken for a part of it.
func writeText(w io.Writer, text string) {
	_, _ = w.Write(binary.BigEndian.AppendUint64(nil, uint64(len(text)))) // a hash takes everything
	_, _ = io.WriteString(w, text)
}
