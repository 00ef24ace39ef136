package spool

import (
	"errors"
	"os"
	"syscall"
)

// sharingViolation is what Windows says of a file that somebody has opened for himself.
const sharingViolation = syscall.Errno(32)

// lock takes the lock of a directory, which ends with the process, however that ends: the file cannot be
// opened twice. A link is not followed.
func lock(name string) (*os.File, error) {
	path, err := syscall.UTF16PtrFromString(name)
	if err != nil {
		return nil, err
	}
	h, err := syscall.CreateFile(path, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil,
		syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL|syscall.FILE_FLAG_OPEN_REPARSE_POINT, 0)
	if errors.Is(err, sharingViolation) {
		return nil, ErrInUse
	}
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: err}
	}
	return os.NewFile(uintptr(h), name), nil
}

// syncDir does nothing: NTFS keeps its journal of names itself.
func syncDir(string) error { return nil }
