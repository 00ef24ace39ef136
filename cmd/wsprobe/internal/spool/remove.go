package spool

import (
	"os"
	"time"
)

// Remove removes a batch. It waits for nothing. [Dir.Tidy] tries again if that fails.
func (d *Dir) Remove(e Entry) {
	if d.markForRemoval(e.File) == 1 {
		d.calls.later(d.sweepOn)
	}
}

// markForRemoval notes a batch that is to be removed, and returns how many there are.
func (d *Dir) markForRemoval(name string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.toRemove = append(d.toRemove, name)
	return len(d.toRemove)
}

// sweepOn removes batches, turn by turn.
func (d *Dir) sweepOn() {
	if d.sweep() {
		d.calls.later(d.sweepOn)
	}
}

// sweep removes batches for a turn, and reports whether there are more. It makes all removals durable at once, because
// thousands can expire together.
func (d *Dir) sweep() (more bool) {
	began, any := time.Now(), false
	for time.Since(began) <= turn {
		d.mu.Lock()
		if len(d.toRemove) == 0 {
			d.toRemove = nil
			d.mu.Unlock()
			break
		}
		name := d.toRemove[0]
		d.toRemove = d.toRemove[1:]
		more = len(d.toRemove) > 0
		d.mu.Unlock()
		any = true
		if err := absent(os.Remove(d.file(name))); err != nil && !d.stays[name] {
			d.pendingRemoval = append(d.pendingRemoval, name)
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
	any := len(d.pendingRemoval) > 0
	for len(d.pendingRemoval) > 0 {
		if err := absent(os.Remove(d.file(d.pendingRemoval[0]))); err != nil {
			return err
		}
		d.pendingRemoval = d.pendingRemoval[1:]
	}
	if !any {
		return nil
	}
	return syncDir(d.Path)
}
