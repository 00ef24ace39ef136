//go:build unix

package readfile_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/wsprobe/wsprobe/config/internal/readfile"
)

// TestRegularFiles: what could keep a run waiting is not read; links, as mounted secrets are, are followed.
func TestRegularFiles(t *testing.T) {
	dir := t.TempDir()
	fifo, link, target := filepath.Join(dir, "fifo"), filepath.Join(dir, "link"), filepath.Join(dir, "target")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(target, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{fifo, os.DevNull} {
		if _, err := readfile.Regular(file, 100); err == nil || err.Error() != "is no regular file" {
			t.Errorf("%s: %v", file, err)
		}
	}
	if got, err := readfile.Regular(link, 100); string(got) != "secret\n" || err != nil {
		t.Errorf("a link: %q, %v", got, err)
	}
}

// TestShortErrors: an error has neither the name nor the content of the file in it, and both ways to read have the
// same.
func TestShortErrors(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "name")
	if err := os.WriteFile(file, []byte(strings.Repeat("x", 2<<20+1)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, read := range []func(string, int64) ([]byte, error){readfile.Any, readfile.Regular} {
		for name, want := range map[string]string{
			dir:                           "is a directory",
			filepath.Join(dir, "nothing"): "no such file or directory",
			filepath.Join(file, "below"):  "not a directory",
		} {
			if _, err := read(name, 1); err == nil || err.Error() != want {
				t.Errorf("%s: %v, want %s", name, err, want)
			}
		}
		if got, err := read(file, 2<<20+1); len(got) != 2<<20+1 || err != nil {
			t.Errorf("a file of the largest size: %d bytes, %v", len(got), err)
		}
	}
	if _, err := readfile.Any(file, 2<<20); err == nil || err.Error() != "is larger than 2 MiB" {
		t.Error(err)
	}
	if _, err := readfile.Regular(file, 64<<10); err == nil || err.Error() != "is larger than 64 KiB" {
		t.Error(err)
	}
}
