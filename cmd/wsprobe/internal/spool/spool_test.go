package spool

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// patience bounds every wait of these tests. It passes only if something is broken.
const patience = 2 * time.Minute

// opened opens a directory, and closes it when the test ends. What is told goes into the slice.
func opened(t *testing.T, path string) (*Dir, []Entry, *[]string) {
	t.Helper()
	told := new([]string)
	d := &Dir{Path: path, Patience: patience, OnUnrecognized: func(found []UnrecognizedFile) {
		for _, o := range found {
			*told = append(*told, o.File+": "+o.Why)
		}
	}}
	if err := d.Open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d, d.Found(patience), told
}

func put(t *testing.T, d *Dir, at time.Time, content string) Entry {
	t.Helper()
	e, err := d.Put(at, len(content), []byte(content))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// contents returns what is in the batches, in order.
func contents(t *testing.T, d *Dir, entries []Entry) string {
	t.Helper()
	var all []string
	for _, e := range entries {
		content, err := d.Get(e)
		if err != nil {
			t.Fatalf("%s: %v", e.File, err)
		}
		all = append(all, string(content))
	}
	return strings.Join(all, " ")
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, f := range files {
		all = append(all, f.Name())
	}
	return all
}

func TestBatchesOutliveTheProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a [b]", "spool")
	d, entries, _ := opened(t, path)
	if len(entries) != 0 {
		t.Errorf("a new directory has %v", entries)
	}
	put(t, d, noon.Add(time.Second), "second")
	put(t, d, noon, "first")
	third := put(t, d, noon.Add(time.Second), "third")
	gone := put(t, d, noon, "gone")
	d.Remove(gone)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}

	d, entries, told := opened(t, path)
	if got := contents(t, d, entries); got != "first second third" {
		t.Errorf("got %q", got)
	}
	if got := entries[2]; got.File != third.File || !got.Time.Equal(third.Time) || got.Items != 5 || got.Size != third.Size {
		t.Errorf("got %+v, want %+v", got, third)
	}
	if len(*told) != 0 {
		t.Errorf("told %v", *told)
	}
	// The next process has a name for the same time and the same sequence that is its own.
	if e := put(t, d, noon.Add(time.Second), "other"); slices.ContainsFunc(entries, func(o Entry) bool { return o.File == e.File }) {
		t.Errorf("%s was there before", e.File)
	}
}

func TestOnlyThisUserMayLook(t *testing.T) {
	path := filepath.Join(t.TempDir(), "spool")
	d, _, _ := opened(t, path)
	e := put(t, d, noon, "x")
	for name, want := range map[string]fs.FileMode{path: fs.ModeDir | 0o700, d.file(e.File): 0o600, d.file(lockName): 0o600} {
		info, err := os.Stat(name)
		if err != nil || info.Mode() != want {
			t.Errorf("%s: %v %v, want %v", name, info.Mode(), err, want)
		}
	}
}

func TestOneProcessAtATime(t *testing.T) {
	path := t.TempDir()
	d, _, _ := opened(t, path)
	if err := (&Dir{Path: path}).Open(); !errors.Is(err, ErrInUse) {
		t.Errorf("got %v, want ErrInUse", err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Put(noon, 1, nil); err == nil {
		t.Error("a closed directory took a batch")
	}
	opened(t, path)
}

func TestDirectoryThatCannotBeMadeYet(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	d := &Dir{Path: filepath.Join(file, "spool")}
	if err := d.Open(); !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("got %v", err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := d.Open(); err != nil {
		t.Error(err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

func TestFullDiskLeavesNothingBehind(t *testing.T) {
	path := t.TempDir()
	d, _, _ := opened(t, path)
	d.Write = func(name string, content []byte) error {
		return errors.Join(WriteFile(name, content[:len(content)/2]), syscall.ENOSPC)
	}
	if _, err := d.Put(noon, 1, []byte("content")); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("got %v", err)
	}
	if got := names(t, path); !slices.Equal(got, []string{lockName}) {
		t.Errorf("left %v", got)
	}
	d.Write = WriteFile
	put(t, d, noon, "content")
}

func TestBatchThatSomebodyRemoved(t *testing.T) {
	d, _, told := opened(t, t.TempDir())
	e := put(t, d, noon, "x")
	if err := os.Remove(d.file(e.File)); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Get(e); !errors.Is(err, ErrDamaged) {
		t.Errorf("got %v", err)
	}
	d.Remove(e)
	if err := d.Tidy(); err != nil || len(*told) != 1 {
		t.Errorf("got %v, told %v", err, *told)
	}
}

// TestRemovalIsTriedAgain puts a directory with a file in it where the batch was: no user can unlink that.
func TestRemovalIsTriedAgain(t *testing.T) {
	d, _, _ := opened(t, t.TempDir())
	e := put(t, d, noon, "x")
	if err := os.Remove(d.file(e.File)); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(d.file(e.File), "inside"), 0o700); err != nil {
		t.Fatal(err)
	}
	d.Remove(e)
	if err := d.Tidy(); err == nil {
		t.Error("nothing was wrong")
	}
	if err := os.Remove(filepath.Join(d.file(e.File), "inside")); err != nil {
		t.Fatal(err)
	}
	if err := d.Tidy(); err != nil {
		t.Error(err)
	}
	if got := names(t, d.Path); !slices.Equal(got, []string{lockName}) {
		t.Errorf("left %v", got)
	}
}

func TestBatchIsBounded(t *testing.T) {
	d, _, _ := opened(t, t.TempDir())
	if _, err := d.Put(noon, 1, make([]byte, MaxContent+1)); err == nil {
		t.Error("too long a batch was taken")
	}
}
