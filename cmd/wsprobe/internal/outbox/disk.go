package outbox

import (
	"errors"
	"io/fs"
	"log/slog"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/spool"
)

// searchPatience is how long a start waits for the batches of earlier processes. Mostly the search takes milliseconds.
// If there are very many batches, or the disk is slow, they are loaded later.
const searchPatience = 500 * time.Millisecond

// disk is the spool of a queue. It can fail: a file system can be full or read-only for a while, or not answer. The
// queue stays in memory meanwhile. No call takes longer than the patience of the directory.
type disk struct {
	dir      *spool.Dir
	observer Observer
	lost     func(items int) // counts what is lost with files that are not batches, as far as that is certain
	log      *slog.Logger

	// Only the goroutine of ready and put uses these.
	open    bool
	trouble string // the kind of the last failure; empty if the disk works
}

// newDisk makes the disk of a queue. It counts and logs files that are not batches.
func newDisk(dir string, observer Observer, lost func(items int), log *slog.Logger) *disk {
	d := &disk{dir: &spool.Dir{Path: dir}, observer: observer, lost: lost, log: log}
	d.dir.OnUnrecognized = d.tell
	return d
}

// ready makes the disk usable, if it can, and returns the batches of earlier processes that were found since the last
// time.
func (d *disk) ready() ([]spool.Entry, error) {
	if d.open && d.trouble == notFound { // somebody removed the directory: make it again
		d.open = false
		_ = d.dir.Close() // of a lock that nobody can see any more
	}
	if !d.open {
		err := d.dir.Open()
		d.open = err == nil
		d.note(err)
		if err != nil {
			return nil, err
		}
		return d.dir.Found(searchPatience), nil
	}
	err := d.dir.Tidy()
	if err != nil || d.trouble == stuck {
		d.note(err)
	}
	return d.dir.Found(0), err
}

// put writes a batch.
func (d *disk) put(b *batch, packed []byte) (*spool.Entry, error) {
	e, err := d.dir.Put(b.at, b.items, packed)
	d.note(err)
	return &e, err
}

// note keeps whether the disk works, and logs a change.
func (d *disk) note(err error) {
	before := d.trouble
	d.trouble = troubleOf(err)
	if err != nil {
		d.observer.SpoolFailed(d.trouble)
	}
	switch {
	case d.trouble == before:
	case err != nil:
		d.log.Error("the spool does not work: undelivered exports stay in memory",
			"dir", d.dir.Path, "error.type", d.trouble, "error", err)
	default:
		d.log.Info("the spool works again", "dir", d.dir.Path)
	}
}

// get reads a batch. The delivery calls it, and remove and setAside, which wait for nothing.
func (d *disk) get(e *spool.Entry) ([]byte, error) {
	packed, err := d.dir.Get(*e)
	if err != nil && !errors.Is(err, spool.ErrDamaged) {
		d.observer.SpoolFailed(troubleOf(err))
		d.log.Error("a batch of the spool cannot be read for now", "dir", d.dir.Path, "error", err)
	}
	return packed, err
}

func (d *disk) remove(e *spool.Entry) { d.dir.Remove(*e) }

func (d *disk) setAside(e *spool.Entry, why string) { d.dir.SetAside(*e, why) }

// tell counts and logs files that are not batches, in one line of each kind.
func (d *disk) tell(files []spool.UnrecognizedFile) {
	var damaged, foreign []string
	items := 0
	for _, f := range files {
		d.observer.UnrecognizedFile()
		items += f.Lost
		if f.Foreign {
			foreign = append(foreign, escaped(f.File))
		} else {
			damaged = append(damaged, escaped(f.File)+": "+escaped(f.Why))
		}
	}
	if len(damaged) > 0 {
		d.log.Warn("files in the spool are no batches", "files", len(damaged), "dir", d.dir.Path,
			"examples", examples(damaged))
	}
	if len(foreign) > 0 {
		d.log.Warn("files in the spool do not belong there and are left alone", "files", len(foreign), "dir", d.dir.Path,
			"examples", examples(foreign))
	}
	if items > 0 {
		d.lost(items)
	}
}

// examples returns the first few of some texts.
func examples(all []string) string {
	const few = 3
	text := strings.Join(all[:min(few, len(all))], ", ")
	if len(all) > few {
		text += ", ..."
	}
	return text
}

// escaped returns a name that cannot break its line or control a terminal.
func escaped(name string) string {
	quoted := strconv.Quote(name)
	return quoted[1 : len(quoted)-1]
}

// The kinds of trouble with a disk, as values of error.type.
const (
	notFound     = "not_found"
	stuck        = "stuck"
	otherTrouble = "_OTHER"
)

// troubleOf returns the kind of an error; empty for nil.
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
	case is(spool.ErrStuck):
		return stuck
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
