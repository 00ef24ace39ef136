//go:build unix && !aix && !solaris

package spool

import (
	"errors"
	"os"
	"syscall"
)

// lock takes the lock of a directory, which ends with the process, however that ends.
func lock(name string) (*os.File, error) {
	// Who may write to the directory could point a link at a file of ours, or at a FIFO that keeps us waiting.
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o600)
	if errors.Is(err, syscall.ELOOP) || errors.Is(err, syscall.EMLINK) { // FreeBSD says EMLINK
		return nil, notRegular(name)
	}
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(err, notRegular(name), f.Close())
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = ErrInUse
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func notRegular(name string) error {
	return &os.PathError{Op: "open", Path: name, Err: errors.New("is no regular file, and is not followed if it is a link")}
}

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = f.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		err = nil // some file systems cannot, and have nothing better
	}
	return errors.Join(err, f.Close())
}
