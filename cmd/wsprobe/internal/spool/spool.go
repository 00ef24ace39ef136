package spool

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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

	defaultPatience = 2 * time.Second
)

// ErrInUse says that another process uses the directory.
var ErrInUse = errors.New("another agent uses the directory")

// ErrDamaged says that a batch could not be read and is gone for good. It is set aside.
var ErrDamaged = errors.New("the batch is damaged")

// Dir is a directory of batches. It may be used by several goroutines. No method waits for the file system for longer
// than its Patience: the error is [ErrStuck] then, at once and until it answers again.
type Dir struct {
	// Path is the directory. Open makes it if it is absent, for this user only.
	Path string
	// Patience is how long a method waits for the file system; 2 s if it is 0. A dead network file system keeps a call
	// for ever, and a busy disk rarely takes this long.
	Patience time.Duration
	// OnUnrecognized is called with files that are not batches. A scan reports all its files in one call, and each file
	// once. The function must not wait for the Dir, nor must Scanned.
	OnUnrecognized func([]UnrecognizedFile)
	// Scanned is called when [Dir.Found] has something to return.
	Scanned func()
	// Write makes a file and makes it durable. It is WriteFile unless a test needs a disk that fails.
	Write func(name string, content []byte) error

	calls calls

	mu       sync.Mutex
	toRemove []string // batches that are about to be removed
	found    *scan    // until its entries were returned

	// Only the goroutine of the calls uses these.
	lock           *os.File        // nil if the directory is not open
	aside          []string        // files that were set aside, in the order of their names
	known          map[string]bool // files that were reported
	stays          map[string]bool // batches that could not be set aside
	pendingRemoval []string        // removed batches whose files could not be removed
	run            string          // in the names of this process's files, so that no clock can make two names equal
	sequence       int
}

// Entry is a batch in a directory.
type Entry struct {
	File  string    // its name
	Time  time.Time // as given to Put, without the monotonic part
	Items int       // as given to Put
	Size  int64     // of the file, in bytes
}

// Open takes the directory and begins to look for batches that are in it, see [Dir.Found]. The error is [ErrInUse] if
// another process has taken it; after any other error Open may be called again.
func (d *Dir) Open() error {
	var err error
	stuck := d.wait(&call{
		run: func() { err = d.open() },
		undo: func() {
			if d.lock != nil {
				_ = d.close()
			}
		},
	})
	if stuck != nil {
		return stuck
	}
	return err
}

func (d *Dir) open() error {
	if err := os.MkdirAll(d.Path, 0o700); err != nil {
		return err
	}
	held, err := lock(filepath.Join(d.Path, lockName))
	if err != nil {
		return err
	}
	s, err := d.newScan()
	if err != nil {
		return errors.Join(err, held.Close())
	}
	d.lock, s.lock = held, held
	if d.run == "" {
		d.run = uuid.NewString()[:8]
	}
	d.mu.Lock()
	d.found = s
	d.mu.Unlock()
	d.calls.later(func() { d.scan(s) })
	return nil
}

// Found returns the batches that Open has found, oldest first, once. It waits for the end of the scan for a while, and
// returns none if the scan does not end.
func (d *Dir) Found(wait time.Duration) []Entry {
	d.mu.Lock()
	s := d.found
	d.mu.Unlock()
	if s == nil {
		return nil
	}
	if !s.over(wait) {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.found != s {
		return nil
	}
	d.found = nil
	return s.entries
}

// Scanning reports whether Open has succeeded, and its batches have not been returned yet.
func (d *Dir) Scanning() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.found != nil
}

// Close finishes the removals and gives the directory back. The batches stay. A file system that does not answer keeps
// the directory until it answers, or until the process ends.
func (d *Dir) Close() error {
	wait := d.patience()
	if d.calls.stuck() {
		wait = 0
	}
	closed := make(chan error, 1)
	d.calls.later(func() { closed <- d.close() })
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case err := <-closed:
		return err
	case <-timer.C:
		return nil
	}
}

func (d *Dir) close() error {
	for d.sweep() {
	}
	if d.lock == nil {
		return nil
	}
	d.mu.Lock()
	d.found = nil
	d.mu.Unlock()
	held := d.lock
	d.lock = nil
	return held.Close()
}

// Put keeps a batch. It is durable when Put returns. After an error there is no such batch, not even later.
func (d *Dir) Put(at time.Time, items int, content []byte) (Entry, error) {
	if len(content) > MaxContent {
		return Entry{}, fmt.Errorf("a batch of %d bytes is longer than %d", len(content), MaxContent)
	}
	var e Entry
	var err error
	one := &call{}
	one.run = func() { e, err = d.put(one, at, items, content) }
	one.undo = func() {
		if e.File != "" {
			d.Remove(e)
		}
	}
	if stuck := d.wait(one); stuck != nil {
		return Entry{}, stuck
	}
	return e, err
}

// put writes a batch for a call. The batch does not get its name if the caller has left meanwhile: the caller still has
// the batch, and would deliver it twice.
func (d *Dir) put(one *call, at time.Time, items int, content []byte) (Entry, error) {
	if d.lock == nil {
		return Entry{}, fs.ErrClosed
	}
	d.sequence++
	name := fmt.Sprintf("%019d-%06d-%s.%d%s", at.UnixNano(), d.sequence, d.run, items, batchSuffix)
	part := d.file(name + strings.TrimPrefix(partSuffix, batchSuffix))
	file := encode(at, items, content)
	write := d.Write
	if write == nil {
		write = WriteFile
	}
	err := write(part, file)
	switch {
	case err != nil:
	case d.calls.abandoned(one):
		err = ErrStuck
	default:
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

// Get returns the content of a batch. The error is [ErrDamaged] if the content cannot be read any more, now or later.
func (d *Dir) Get(e Entry) ([]byte, error) {
	var content []byte
	var err error
	if stuck := d.wait(&call{run: func() { _, content, err = readFile(d.file(e.File)) }}); stuck != nil {
		return nil, stuck
	}
	var bad *damage
	switch {
	case errors.As(err, &bad):
		d.SetAside(e, bad.Error())
		return nil, ErrDamaged
	case errors.Is(err, fs.ErrNotExist):
		d.calls.later(func() { d.report(UnrecognizedFile{File: e.File, Why: "somebody else removed it"}) })
		return nil, ErrDamaged
	}
	return content, err
}

// SetAside gives a batch with a wrong content another name. It waits for nothing.
func (d *Dir) SetAside(e Entry, why string) {
	d.calls.later(func() { d.report(d.setAside(e.File, why)) })
}

// wait performs a call and waits for it.
func (d *Dir) wait(one *call) error { return d.calls.do(one, d.patience()) }

func (d *Dir) patience() time.Duration { return cmp.Or(d.Patience, defaultPatience) }

func (d *Dir) file(name string) string { return filepath.Join(d.Path, name) }

// absent returns an error, but nil for one that says that there is no file.
func absent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
