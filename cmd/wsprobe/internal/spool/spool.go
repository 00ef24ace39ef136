package spool

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

const (
	batchSuffix   = ".batch"
	partSuffix    = batchSuffix + ".tmp"
	damagedSuffix = ".damaged"
	lockName      = "lock"

	// keepDamaged is how many files that were set aside are kept.
	keepDamaged = 16
)

// ErrInUse says that another process uses the directory.
var ErrInUse = errors.New("another agent uses the directory")

// ErrDamaged says that a batch could not be read, was set aside, and is gone for good.
var ErrDamaged = errors.New("the batch is damaged")

// Dir is a directory of batches. It may be used by several goroutines once it is open.
type Dir struct {
	// Path is the directory. Open makes it if it is absent, for nobody but this user.
	Path string
	// Told is called once for each file that does not belong there, with its name and what is wrong with it. It
	// is called under a lock: it must not use the Dir.
	Told func(file, why string)
	// Write makes a file and makes it durable. It is WriteFile unless a test wants a disk that fails.
	Write func(name string, content []byte) error

	mu       sync.Mutex
	lock     *os.File        // nil if the directory is not open
	foreign  map[string]bool // files of others that were told
	undead   []string        // batches that should be gone, but could not be removed
	run      string          // in the names of this process's files, so that no clock can make two of them equal
	sequence int
}

// Entry is a batch in a directory.
type Entry struct {
	File  string    // its name
	Time  time.Time // as given to Put, without the monotonic part
	Items int       // as given to Put
	Size  int64     // of the file, in bytes
}

// Open takes the directory and returns the batches that are in it, oldest first. The error is [ErrInUse] if
// another process has taken it; after any other error Open may be called again.
func (d *Dir) Open() ([]Entry, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := os.MkdirAll(d.Path, 0o700); err != nil {
		return nil, err
	}
	held, err := lock(filepath.Join(d.Path, lockName))
	if err != nil {
		return nil, err
	}
	entries, err := d.scan()
	if err != nil {
		return nil, errors.Join(err, held.Close())
	}
	d.lock = held
	if d.run == "" {
		d.run = uuid.NewString()[:8]
	}
	if d.Write == nil {
		d.Write = WriteFile
	}
	return entries, nil
}

// Close gives the directory back. What is in it stays.
func (d *Dir) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.lock == nil {
		return nil
	}
	held := d.lock
	d.lock = nil
	return held.Close()
}

// scan looks at every file. The caller holds the lock of the directory or is about to.
func (d *Dir) scan() ([]Entry, error) {
	files, err := os.ReadDir(d.Path)
	if err != nil {
		return nil, err
	}
	var entries []Entry
	for _, file := range files { // in the order of their names
		name := file.Name()
		switch {
		case file.IsDir() || name == lockName || strings.HasSuffix(name, damagedSuffix):
		case strings.HasSuffix(name, partSuffix):
			if err := absent(os.Remove(d.file(name))); err != nil {
				return nil, err
			}
		case strings.HasSuffix(name, batchSuffix):
			e, ok, err := d.entry(name)
			if err != nil {
				return nil, err
			}
			if ok {
				entries = append(entries, e)
			}
		default:
			d.tellForeign(name)
		}
	}
	slices.SortStableFunc(entries, func(a, b Entry) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.File, b.File))
	})
	return entries, nil
}

// entry looks at the header of a batch, or sets it aside.
func (d *Dir) entry(name string) (Entry, bool, error) {
	h, err := readHeader(d.file(name))
	var bad *damage
	switch {
	case err == nil:
		return Entry{File: name, Time: h.time, Items: h.items, Size: headerSize + h.length}, true, nil
	case errors.As(err, &bad):
		return Entry{}, false, d.setAside(name, bad.Error())
	case errors.Is(err, fs.ErrPermission):
		return Entry{}, false, d.setAside(name, "this user may not read it")
	}
	return Entry{}, false, absent(err)
}

// tellForeign tells of a file that is none of ours, once.
func (d *Dir) tellForeign(name string) {
	if d.foreign == nil {
		d.foreign = make(map[string]bool)
	}
	if !d.foreign[name] {
		d.foreign[name] = true
		d.told(name, "it does not belong to the spool and is left alone")
	}
}

func (d *Dir) told(name, why string) {
	if d.Told != nil {
		d.Told(name, why)
	}
}

// setAside gives a file that is no batch another name, and removes the oldest of such files if there are too
// many.
func (d *Dir) setAside(name, why string) error {
	aside := strings.TrimSuffix(name, batchSuffix) + damagedSuffix
	if err := os.Rename(d.file(name), d.file(aside)); err != nil {
		return err
	}
	d.told(name, why+"; it is "+aside+" now")
	files, err := os.ReadDir(d.Path)
	if err != nil {
		return err
	}
	old := slices.DeleteFunc(files, func(f fs.DirEntry) bool { return f.IsDir() || !strings.HasSuffix(f.Name(), damagedSuffix) })
	for _, file := range old[:max(0, len(old)-keepDamaged)] { // in the order of their names
		if err := absent(os.Remove(d.file(file.Name()))); err != nil {
			return err
		}
	}
	return nil
}

// Put keeps a batch of some time. It is durable when Put returns.
func (d *Dir) Put(at time.Time, items int, content []byte) (Entry, error) {
	if len(content) > MaxContent {
		return Entry{}, fmt.Errorf("a batch of %d bytes is longer than %d", len(content), MaxContent)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.lock == nil {
		return Entry{}, fs.ErrClosed
	}
	d.sequence++
	name := fmt.Sprintf("%019d-%06d-%s%s", at.UnixNano(), d.sequence, d.run, batchSuffix)
	part := d.file(name + ".tmp")
	file := encode(at, items, content)
	err := d.Write(part, file)
	if err == nil {
		err = os.Rename(part, d.file(name))
	}
	if err != nil {
		return Entry{}, errors.Join(err, absent(os.Remove(part)))
	}
	if err := syncDir(d.Path); err != nil {
		return Entry{}, errors.Join(err, os.Remove(d.file(name)))
	}
	return Entry{File: name, Time: at.Round(0), Items: items, Size: int64(len(file))}, nil
}

// Get returns the content of a batch. The error is [ErrDamaged] if there is nothing to be had any more, now or
// later.
func (d *Dir) Get(e Entry) ([]byte, error) {
	content, err := readContent(d.file(e.File))
	if err == nil {
		return content, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	var bad *damage
	switch {
	case errors.As(err, &bad):
		return nil, errors.Join(ErrDamaged, d.setAside(e.File, bad.Error()))
	case errors.Is(err, fs.ErrNotExist):
		d.told(e.File, "somebody else removed it")
		return nil, ErrDamaged
	}
	return nil, err
}

// SetAside is for a batch whose content turned out not to be what it should be.
func (d *Dir) SetAside(e Entry, why string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.setAside(e.File, why)
}

// Remove takes a batch out. One that cannot be removed now is tried again by [Dir.Tidy].
func (d *Dir) Remove(e Entry) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.remove(e.File); err != nil {
		d.undead = append(d.undead, e.File)
	}
}

func (d *Dir) remove(name string) error {
	if err := absent(os.Remove(d.file(name))); err != nil {
		return err
	}
	return syncDir(d.Path)
}

// Tidy removes what could not be removed before.
func (d *Dir) Tidy() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.undead) > 0 {
		if err := d.remove(d.undead[0]); err != nil {
			return err
		}
		d.undead = d.undead[1:]
	}
	return nil
}

func (d *Dir) file(name string) string { return filepath.Join(d.Path, name) }

// absent takes an error away that says that there is no file.
func absent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
