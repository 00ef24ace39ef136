//go:build unix

package tcp

import (
	"errors"
	"io"
	"syscall"
)

// pollRead reads the bytes that the kernel holds, without waiting. File descriptors of package net are non-blocking, so
// a plain read returns at once.
func pollRead(file syscall.RawConn, p []byte) (n int, err error) {
	ctl := file.Read(func(fd uintptr) bool {
		for {
			n, err = syscall.Read(int(fd), p)
			if !errors.Is(err, syscall.EINTR) {
				return true
			}
		}
	})
	switch {
	case ctl != nil:
		return 0, ctl
	case errors.Is(err, syscall.EAGAIN):
		return 0, ErrNothing{}
	case err != nil:
		return 0, err
	case n == 0:
		return 0, io.EOF
	default:
		return n, nil
	}
}
