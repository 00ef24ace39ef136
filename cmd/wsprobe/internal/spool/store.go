package spool

import (
	"cmp"
	"errors"
	"io/fs"
	"log/slog"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// searchPatience is how long a start waits for the batches of earlier processes. Mostly the search takes milliseconds.
// If there are very many batches, or the disk is slow, they come later.
const searchPatience = 500 * time.Millisecond

// Store is a [Dir] that is taken when it can be, and whose failures are counted and logged. A file system can be full or
// read-only for a while, or not answer: the owner keeps its batches in memory meanwhile. No call takes longer than the
// patience of the directory.
type Store struct {
	Dir Dir // its OnUnrecognized is the Store's
	// Kept names what stays in memory while the disk fails, for the log.
	Kept string
	// Failed is told of each failed use of the directory, by one of few fixed words. Nil tells nobody.
	Failed func(kind string)
	// Unrecognized is told of files in the directory that are not batches, and of the number of items that are lost with
	// them for certain. Nil tells nobody.
	Unrecognized func(files, lost int)
	// Log is nil for no log.
	Log *slog.Logger

	// Only the goroutine of Ready and Put uses these.
	open    bool
	trouble string // the kind of the last failure; empty if the disk works
}

// Ready makes the disk usable, if it can, and returns the batches of earlier processes that were found since the last
// time. It and Put belong to one goroutine.
func (s *Store) Ready() ([]Entry, error) {
	if s.open && s.trouble == notFound { // somebody removed the directory: make it again
		s.open = false
		_ = s.Dir.Close() // of a lock that nobody can see any more
	}
	if !s.open {
		s.Dir.OnUnrecognized = s.tell
		err := s.Dir.Open()
		s.open = err == nil
		s.note(err)
		if err != nil {
			return nil, err
		}
		return s.Dir.Found(searchPatience), nil
	}
	err := s.Dir.Tidy()
	if err != nil || s.trouble == stuck {
		s.note(err)
	}
	return s.Dir.Found(0), err
}

// Put writes a batch, as [Dir.Put] does.
func (s *Store) Put(at time.Time, items int, content []byte) (Entry, error) {
	e, err := s.Dir.Put(at, items, content)
	s.note(err)
	return e, err
}

// note keeps whether the disk works, and logs a change.
func (s *Store) note(err error) {
	before := s.trouble
	s.trouble = troubleOf(err)
	if err != nil {
		s.failed(s.trouble)
	}
	switch {
	case s.trouble == before:
	case err != nil:
		s.log().Error("the spool does not work: "+s.Kept+" stay in memory",
			"dir", s.Dir.Path, "error.type", s.trouble, "error", err)
	default:
		s.log().Info("the spool works again", "dir", s.Dir.Path)
	}
}

// Get reads a batch, as [Dir.Get] does. Any goroutine may call it.
func (s *Store) Get(e Entry) ([]byte, error) {
	content, err := s.Dir.Get(e)
	if err != nil && !errors.Is(err, ErrDamaged) {
		s.failed(troubleOf(err))
		s.log().Error("a batch of the spool cannot be read for now", "dir", s.Dir.Path, "error", err)
	}
	return content, err
}

// tell counts and logs files that are not batches, in one line of each kind.
func (s *Store) tell(files []UnrecognizedFile) {
	var damaged, foreign []string
	items := 0
	for _, f := range files {
		items += f.Lost
		if f.Foreign {
			foreign = append(foreign, escaped(f.File))
		} else {
			damaged = append(damaged, escaped(f.File)+": "+escaped(f.Why))
		}
	}
	if len(damaged) > 0 {
		s.log().Warn("files in the spool are no batches", "files", len(damaged), "dir", s.Dir.Path,
			"examples", examples(damaged))
	}
	if len(foreign) > 0 {
		s.log().Warn("files in the spool do not belong there and are left alone", "files", len(foreign), "dir", s.Dir.Path,
			"examples", examples(foreign))
	}
	if s.Unrecognized != nil {
		s.Unrecognized(len(files), items)
	}
}

func (s *Store) failed(kind string) {
	if s.Failed != nil {
		s.Failed(kind)
	}
}

func (s *Store) log() *slog.Logger { return cmp.Or(s.Log, slog.New(slog.DiscardHandler)) }

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
	case is(ErrStuck):
		return stuck
	case is(ErrInUse):
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
