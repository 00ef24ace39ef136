package buffer

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
)

// TestRealFullDisk fills a small file system, and makes it larger later.
func TestRealFullDisk(t *testing.T) {
	dir := t.TempDir()
	mount := func(options string, flags uintptr) error { return syscall.Mount("tmpfs", dir, "tmpfs", flags, options) }
	if err := mount("size=64k", 0); err != nil {
		t.Skip("this user cannot mount a file system: ", err)
	}
	defer func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) }()
	failed := make(chan string, 1000)
	r := start(t, Options{Dir: dir, SpoolFailed: func(kind string) {
		select {
		case failed <- kind:
		default:
		}
	}})
	const n = 200
	for i := range n {
		it := event(fmt.Sprint("a/", i))
		it.Text = make([]byte, 1000)
		r.Add(it)
	}
	if kind := <-failed; kind != "no_space" {
		t.Errorf("the disk failed by %s", kind)
	}
	r.counts(fmt.Sprint(n, " wait"))
	if err := mount("size=1m", syscall.MS_REMOUNT); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool { return r.unwritten() == 0 })
	r.kill()
	r = start(t, Options{Dir: dir})
	r.counts(fmt.Sprint(n, " wait"))
	r.Seal()
	items, err := r.Next(t.Context(), 0, Batch{}, 0)
	for err == nil {
		r.Accept(items...)
		items, err = r.Next(t.Context(), 0, Batch{}, 0)
	}
	r.counts(fmt.Sprint("0 wait, ", n, " accepted"))
	r.close()
	if left, _ := os.ReadDir(dir); len(left) != 1 || !strings.Contains(r.log.String()+"lock", left[0].Name()) {
		t.Errorf("left %v", left)
	}
}

// TestReadOnlyDisk holds what happens while a file system cannot be written.
func TestReadOnlyDisk(t *testing.T) {
	dir := t.TempDir()
	mount := func(flags uintptr) error { return syscall.Mount("tmpfs", dir, "tmpfs", flags, "size=1m") }
	if err := mount(0); err != nil {
		t.Skip("this user cannot mount a file system: ", err)
	}
	defer func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) }()
	r := start(t, Options{Dir: dir})
	r.add("1")
	await(t, func() bool { return r.unwritten() == 0 })
	r.kill()
	if err := mount(syscall.MS_REMOUNT | syscall.MS_RDONLY); err != nil {
		t.Skip("this user cannot mount a file system anew: ", err)
	}
	r = start(t, Options{Dir: dir})
	r.add("2")
	r.counts("1 wait")
	if err := mount(syscall.MS_REMOUNT); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool { return r.Counts().Size.Events == 2 })
	await(t, func() bool { return r.unwritten() == 0 })
	var items []*Item
	for len(items) < 2 { // the second one can be on its way to the disk when the first one is back
		more, err := r.Next(t.Context(), 0, Batch{}, 0)
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, more...)
	}
	if ids(items) != "1+1 2" {
		t.Errorf("%q", ids(items))
	}
	r.Accept(items...)
}
