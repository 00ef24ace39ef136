package spool

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// turn is how long a scan or a removal of many files goes on before other calls have their turn.
const turn = 50 * time.Millisecond

// scan is a look at every file that was in the directory when it was opened.
type scan struct {
	files        []fs.DirEntry // that are left, in the order of their names
	entries      []Entry
	unrecognized []UnrecognizedFile
	ended        chan struct{}
	lock         *os.File // the scan is over when the directory no longer has it
}

// newScan begins a scan.
func (d *Dir) newScan() (*scan, error) {
	files, err := os.ReadDir(d.Path)
	if err != nil {
		return nil, err
	}
	d.aside = nil
	for _, file := range files {
		if strings.HasSuffix(file.Name(), damagedSuffix) && !file.IsDir() {
			d.aside = append(d.aside, file.Name())
		}
	}
	return &scan{files: files, ended: make(chan struct{})}, nil
}

// scan goes on with a scan for a turn, unless the directory was closed meanwhile.
func (d *Dir) scan(s *scan) {
	began := time.Now()
	for len(s.files) > 0 && d.lock == s.lock {
		d.look(s, s.files[0])
		s.files = s.files[1:]
		if time.Since(began) > turn {
			d.calls.later(func() { d.scan(s) })
			return
		}
	}
	d.report(s.unrecognized...)
	if d.lock != s.lock {
		return
	}
	slices.SortStableFunc(s.entries, func(a, b Entry) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.File, b.File))
	})
	close(s.ended)
	if d.Scanned != nil {
		d.Scanned()
	}
}

// over waits for the end of the scan, and reports whether it has come.
func (s *scan) over(wait time.Duration) bool {
	select {
	case <-s.ended:
		return true
	default:
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-s.ended:
		return true
	case <-timer.C:
		return false
	}
}

// look looks at one file.
func (d *Dir) look(s *scan, file fs.DirEntry) {
	name := file.Name()
	switch {
	case file.IsDir() || name == lockName || strings.HasSuffix(name, damagedSuffix):
	case strings.HasSuffix(name, partSuffix):
		if err := absent(os.Remove(d.file(name))); err != nil {
			d.reportOnce(s, UnrecognizedFile{File: name, Why: fmt.Sprint("it was being written, and cannot be removed: ", err)})
		}
	case strings.HasSuffix(name, batchSuffix):
		d.lookInto(s, name)
	default:
		d.reportOnce(s, UnrecognizedFile{File: name, Why: "it does not belong to the spool and is left alone", Foreign: true})
	}
}

// lookInto looks into a file with the name of a batch. It sets the file aside if it is not one. A file that cannot be
// read for now, or cannot be moved, stays for the next start.
func (d *Dir) lookInto(s *scan, name string) {
	h, err := d.header(name)
	var bad *damage
	switch {
	case err == nil:
		s.entries = append(s.entries, Entry{File: name, Time: h.time, Items: h.items, Size: headerSize + h.length})
		return
	case errors.Is(err, fs.ErrNotExist):
		return
	case errors.Is(err, fs.ErrPermission):
		err = &damage{errors.New("this user may not read it")}
	case !errors.As(err, &bad):
		d.reportOnce(s, UnrecognizedFile{File: name, Why: fmt.Sprint("it cannot be read for now: ", err)})
		return
	}
	unrecognized := d.setAside(name, err.Error())
	unrecognized.Lost = 1
	if items, ok := itemsOf(name); ok {
		unrecognized.Lost = items
	}
	if d.stays[name] {
		d.reportOnce(s, unrecognized)
		return
	}
	s.unrecognized = append(s.unrecognized, unrecognized)
}

// header returns the header of a file, and makes sure of its number of items, because a damaged header could count
// items that never existed. The name has the number, too. Without it in the name, the checksum is the proof.
func (d *Dir) header(name string) (header, error) {
	items, ok := itemsOf(name)
	if !ok {
		h, _, err := readFile(d.file(name))
		return h, err
	}
	h, err := readHeader(d.file(name))
	if err == nil && h.items != items {
		err = &damage{errors.New("its header differs from its name")}
	}
	return h, err
}

// itemsOf returns the number of items that the name of a batch says.
func itemsOf(name string) (int, bool) {
	base := strings.TrimSuffix(name, batchSuffix)
	items, err := strconv.ParseUint(base[strings.LastIndexByte(base, '.')+1:], 10, 31)
	return int(items), err == nil && strings.Contains(base, ".")
}

// reportOnce adds a file to the report of a scan, unless an earlier scan has reported it.
func (d *Dir) reportOnce(s *scan, file UnrecognizedFile) {
	if d.known == nil {
		d.known = make(map[string]bool)
	}
	if !d.known[file.File] {
		d.known[file.File] = true
		s.unrecognized = append(s.unrecognized, file)
	}
}
