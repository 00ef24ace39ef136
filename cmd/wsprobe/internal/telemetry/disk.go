package telemetry

import (
	"errors"
	"io/fs"
	"log/slog"
	"syscall"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/spool"
)

// disk is the spool of a queue, which may work or not: a file system can be full or read-only for a while, and
// the queue stays in memory meanwhile.
type disk struct {
	dir    *spool.Dir
	failed func(kind string) // counts
	log    *limitedLog

	// The goroutine of ready and put has these to itself.
	open    bool
	trouble string // the kind of the last failure; empty if the disk works
}

// newDisk makes the disk of a queue. Files that are no batches are counted and logged.
func newDisk(dir string, odd func(), failed func(kind string), log *limitedLog) *disk {
	told := func(file, why string) {
		odd()
		log.logger.Warn("a file in the spool is no batch", "dir", dir, "file", file, "detail", why)
	}
	return &disk{dir: &spool.Dir{Path: dir, Told: told}, failed: failed, log: log}
}

// ready makes the disk usable, if it can, and returns the batches that it has found if it was not.
func (d *disk) ready() ([]spool.Entry, error) {
	if d.open && d.trouble == notFound { // somebody removed the directory: make it anew
		d.open = false
		_ = d.dir.Close() // of a lock that nobody can see any more
	}
	if d.open {
		err := d.dir.Tidy()
		if err != nil {
			d.note(err)
		}
		return nil, err
	}
	found, err := d.dir.Open()
	d.open = err == nil
	d.note(err)
	return found, err
}

// put writes a batch.
func (d *disk) put(b *batch, packed []byte) (*spool.Entry, error) {
	e, err := d.dir.Put(b.collected, b.points, packed)
	d.note(err)
	return &e, err
}

// note keeps whether the disk works, and tells of a change.
func (d *disk) note(err error) {
	before := d.trouble
	d.trouble = troubleOf(err)
	if err != nil {
		d.failed(d.trouble)
	}
	switch {
	case d.trouble == before:
	case err != nil:
		d.log.log(slog.LevelError, "the spool does not work: what is not delivered stays in memory",
			"dir", d.dir.Path, "error.type", d.trouble, "error", err)
	default:
		d.log.log(slog.LevelInfo, "the spool works again", "dir", d.dir.Path)
	}
}

// get reads a batch. It is for the delivery, as are remove and setAside.
func (d *disk) get(e *spool.Entry) ([]byte, error) {
	packed, err := d.dir.Get(*e)
	if err != nil && !errors.Is(err, spool.ErrDamaged) {
		d.failed(troubleOf(err))
		d.log.log(slog.LevelError, "a batch of the spool cannot be read for now", "dir", d.dir.Path, "error", err)
	}
	return packed, err
}

func (d *disk) remove(e *spool.Entry) { d.dir.Remove(*e) }

func (d *disk) setAside(e *spool.Entry, why string) {
	if err := d.dir.SetAside(*e, why); err != nil {
		d.failed(troubleOf(err))
	}
}

// The kinds of trouble with a disk, as values of error.type.
const (
	notFound     = "not_found"
	otherTrouble = "_OTHER"
)

// troubleOf returns the kind of an error, or nothing for none.
func troubleOf(err error) string {
	is := func(targets ...error) bool {
		for _, target := range targets {
			if errors.Is(err, target) {
				return true
			}
		}
		return false
	}
	switch {
	case err == nil:
		return ""
	case is(spool.ErrInUse):
		return "in_use"
	case is(syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG):
		return "no_space"
	case is(syscall.EROFS):
		return "read_only"
	case is(fs.ErrPermission):
		return "permission"
	case is(fs.ErrNotExist):
		return notFound
	case is(syscall.EIO):
		return "io"
	}
	return otherTrouble
}
