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

// Odd is a file in the directory that is no batch.
type Odd struct {
	File    string
	Why     string // for people
	Foreign bool   // it is somebody else's, and was left alone
	// Lost is how many items an earlier process's batch had that is lost with the file: as its name says, or 1 if the
	// name does not say it. It is 0 for a foreign file, and for a batch that has been returned as an [Entry].
	Lost int
}

// setAside gives a file that is no batch another name, and says what became of it. A file that cannot be moved stays
// where it is, and costs nobody else anything.
func (d *Dir) setAside(name, why string) Odd {
	aside, err := d.moveAside(name)
	if err != nil {
		if d.stays == nil {
			d.stays = make(map[string]bool)
		}
		d.stays[name] = true
		return Odd{File: name, Why: fmt.Sprintf("%s; it cannot be set aside: %v", why, err)}
	}
	delete(d.stays, name)
	if at, here := slices.BinarySearch(d.aside, aside); !here {
		d.aside = slices.Insert(d.aside, at, aside)
	}
	d.prune()
	return Odd{File: name, Why: why + "; it is " + aside + " now"}
}

// moveAside renames a file to the first name that can be had.
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

// prune removes the oldest of the files that were set aside. One that cannot be removed is no longer counted.
func (d *Dir) prune() {
	for len(d.aside) > keepDamaged { // in the order of their names
		_ = os.Remove(d.file(d.aside[0]))
		d.aside = d.aside[1:]
	}
}

// tell passes on what was found. The caller is the goroutine of the calls.
func (d *Dir) tell(odd ...Odd) {
	if d.Told != nil && len(odd) > 0 {
		d.Told(odd)
	}
}
