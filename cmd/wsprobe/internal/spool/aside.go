package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

const (
	// keepDamaged is how many files that were set aside are kept.
	keepDamaged = 16
	// asideNames is how many names are tried for one.
	asideNames = 10
)

// UnrecognizedFile is a file in the directory that is not a batch.
type UnrecognizedFile struct {
	File    string
	Why     string // for people
	Foreign bool   // it belongs to somebody else, and was left alone
	// Lost is the number of items of an earlier process that are lost with the file: the number in its name, or 1
	// without one. It is 0 for a foreign file, and for a batch that was returned as an [Entry].
	Lost int
}

// setAside gives a file that is not a batch another name, and says what became of it. A file that cannot be moved stays
// where it is, and does not harm others.
func (d *Dir) setAside(name, why string) UnrecognizedFile {
	aside, err := d.moveAside(name)
	if err != nil {
		if d.stays == nil {
			d.stays = make(map[string]bool)
		}
		d.stays[name] = true
		return UnrecognizedFile{File: name, Why: fmt.Sprintf("%s; it cannot be set aside: %v", why, err)}
	}
	delete(d.stays, name)
	if at, here := slices.BinarySearch(d.aside, aside); !here {
		d.aside = slices.Insert(d.aside, at, aside)
	}
	d.prune()
	return UnrecognizedFile{File: name, Why: why + "; it is " + aside + " now"}
}

// moveAside renames a file to the first name that is free.
func (d *Dir) moveAside(name string) (aside string, err error) {
	base := strings.TrimSuffix(name, batchSuffix)
	for i := range asideNames {
		aside = base + damagedSuffix
		if i > 0 {
			aside = fmt.Sprintf("%s.%d%s", base, i, damagedSuffix)
		}
		info, statErr := os.Lstat(d.file(aside))
		if statErr == nil && !info.Mode().IsRegular() {
			err = fmt.Errorf("%s is in the way", aside)
			continue
		}
		err = os.Rename(d.file(name), d.file(aside))
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return aside, err
}

// prune removes the oldest files that were set aside. It no longer counts a file that cannot be removed.
func (d *Dir) prune() {
	for len(d.aside) > keepDamaged { // in the order of their names
		_ = os.Remove(d.file(d.aside[0]))
		d.aside = d.aside[1:]
	}
}

// report hands files over to OnUnrecognized. The caller is the goroutine of the calls.
func (d *Dir) report(files ...UnrecognizedFile) {
	if d.OnUnrecognized != nil && len(files) > 0 {
		d.OnUnrecognized(files)
	}
}
