package spool

import (
	"os"
	"time"
)

// Remove takes a batch out. It waits for nothing. One that cannot be removed is tried again by [Dir.Tidy].
func (d *Dir) Remove(e Entry) {
	if d.doom(e.File) == 1 {
		d.calls.later(d.sweepOn)
	}
}

// doom notes a batch that is to be removed, and returns how many there are.
func (d *Dir) doom(name string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.doomed = append(d.doomed, name)
	return len(d.doomed)
}

// sweepOn removes batches, turn by turn.
func (d *Dir) sweepOn() {
	if d.sweep() {
		d.calls.later(d.sweepOn)
	}
}

// sweep removes batches for a turn, and reports whether there are more. It makes their removal durable together: thousands
// that expired cost no more than one.
func (d *Dir) sweep() (more bool) {
	began, any := time.Now(), false
	for time.Since(began) <= turn {
		d.mu.Lock()
		if len(d.doomed) == 0 {
			d.doomed = nil
			d.mu.Unlock()
			break
		}
		name := d.doomed[0]
		d.doomed = d.doomed[1:]
		more = len(d.doomed) > 0
		d.mu.Unlock()
		any = true
		if err := absent(os.Remove(d.file(name))); err != nil && !d.stays[name] {
			d.undead = append(d.undead, name)
		}
	}
	if any {
		_ = syncDir(d.Path) // if it does not last, a batch is delivered twice at worst
	}
	return more
}

// Tidy removes what could not be removed before. The error says why it still cannot be.
func (d *Dir) Tidy() error {
	var err error
	if stuck := d.wait(&call{run: func() { err = d.tidy() }}); stuck != nil {
		return stuck
	}
	return err
}

func (d *Dir) tidy() error {
	any := len(d.undead) > 0
	for len(d.undead) > 0 {
		if err := absent(os.Remove(d.file(d.undead[0]))); err != nil {
			return err
		}
		d.undead = d.undead[1:]
	}
	if !any {
		return nil
	}
	return syncDir(d.Path)
}
