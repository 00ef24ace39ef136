//go:build unix && !aix && !solaris

package spool

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestLockIsARegularFile: a lock that leads elsewhere, or would keep the agent waiting, is an error, and the file that
// a link leads to is neither made nor touched.
func TestLockIsARegularFile(t *testing.T) {
	dir := t.TempDir()
	target, link, fifo := filepath.Join(dir, "target"), filepath.Join(dir, "link"), filepath.Join(dir, "fifo")
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{link, fifo} {
		if f, err := lock(name); f != nil || err == nil || !strings.HasSuffix(err.Error(), "is no regular file, and is not followed if it is a link") {
			t.Errorf("%s: %v, %v", name, f, err)
		}
	}
	if _, err := os.Lstat(target); !os.IsNotExist(err) {
		t.Errorf("the link was followed: %v", err)
	}
	f, err := lock(filepath.Join(dir, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
}
