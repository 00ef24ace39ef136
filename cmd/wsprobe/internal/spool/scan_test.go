package spool

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// old writes a file as agents did that gave names without a number of items.
func old(t *testing.T, dir, name string, file []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), file, 0o600); err != nil {
		t.Fatal(err)
	}
}

// scanned opens a directory and returns all that was told, call by call.
func scanned(t *testing.T, path string) (*Dir, []Entry, [][]UnrecognizedFile) {
	t.Helper()
	var told [][]UnrecognizedFile
	d := &Dir{Path: path, Patience: patience, OnUnrecognized: func(found []UnrecognizedFile) { told = append(told, found) }}
	if err := d.Open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d, d.Found(patience), told
}

func TestFilesOfOlderAgentsAreRead(t *testing.T) {
	path := t.TempDir()
	old(t, path, "1767268800000000000-000001-12345678.batch", encode(noon, 7, []byte("content")))
	old(t, path, "by hand.batch", encode(noon.Add(time.Second), 8, []byte("other")))
	d, entries, told := scanned(t, path)
	if got := contents(t, d, entries); got != "content other" || len(told) != 0 {
		t.Errorf("got %q, told %v", got, told)
	}
	if len(entries) == 2 && (entries[0].Items != 7 || entries[1].Items != 8) {
		t.Errorf("got %+v", entries)
	}
}

// TestDamagedHeaderSaysNothingOfItems: what is lost with a file is what its name says, else 1.
func TestDamagedHeaderSaysNothingOfItems(t *testing.T) {
	path := t.TempDir()
	many := encode(noon, 7, []byte("content"))
	binary.BigEndian.PutUint32(many[12:], 1<<31)
	old(t, path, "1-000001-12345678.batch", many)
	old(t, path, "2-000001-12345678.7.batch", many)
	old(t, path, "3-000001-12345678.7.batch", nil)
	old(t, path, "4-000001-12345678.99999999999.batch", nil)
	_, entries, told := scanned(t, path)
	if len(entries) != 0 || len(told) != 1 || len(told[0]) != 4 {
		t.Fatalf("found %v, told %v, want all in one call", entries, told)
	}
	for i, want := range []int{1, 7, 7, 1} {
		if got := told[0][i]; got.Lost != want || got.Foreign {
			t.Errorf("got %+v, want %d lost", got, want)
		}
	}
}

// TestDirectoryInTheWayCostsNothing has directories with the names that a damaged file should get.
func TestDirectoryInTheWayCostsNothing(t *testing.T) {
	for name, c := range map[string]struct {
		inTheWay int
		want     string // where the file is in the end
	}{
		"one name":   {1, "1.1.damaged"},
		"some names": {3, "1.3.damaged"},
		"all names":  {asideNames, "1.batch"},
	} {
		t.Run(name, func(t *testing.T) {
			path := t.TempDir()
			old(t, path, "1.batch", []byte("damaged"))
			for i := range c.inTheWay {
				aside := "1.damaged"
				if i > 0 {
					aside = fmt.Sprintf("1.%d.damaged", i)
				}
				if err := os.MkdirAll(filepath.Join(path, aside, "inside"), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			d, entries, told := scanned(t, path)
			if len(entries) != 0 || len(told) != 1 || !strings.Contains(told[0][0].Why, "it is no batch; it ") {
				t.Errorf("found %v, told %v", entries, told)
			}
			if !slices.Contains(names(t, path), c.want) {
				t.Errorf("left %v, want %s", names(t, path), c.want)
			}
			e := put(t, d, noon, "content")
			if got := contents(t, d, []Entry{e}); got != "content" {
				t.Errorf("got %q", got)
			}
			if err := d.Close(); err != nil {
				t.Error(err)
			}
			if err := d.Open(); err != nil || len(d.Found(patience)) != 1 || len(told) != 1 {
				t.Errorf("then: %v, told %v", err, told)
			}
		})
	}
}

// TestBatchThatCannotBeMoved was found damaged when it was read. It stays, and does not keep the disk from working.
func TestBatchThatCannotBeMoved(t *testing.T) {
	d, _, told := opened(t, t.TempDir())
	e := put(t, d, noon, "x")
	if err := os.Remove(d.file(e.File)); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(d.file(e.File), "inside"), 0o700); err != nil {
		t.Fatal(err)
	}
	for i := range asideNames { // no name is left
		aside := strings.TrimSuffix(e.File, batchSuffix)
		if i > 0 {
			aside += fmt.Sprint(".", i)
		}
		if err := os.Mkdir(d.file(aside+damagedSuffix), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.Get(e); err != ErrDamaged {
		t.Errorf("got %v", err)
	}
	d.Remove(e)
	if err := d.Tidy(); err != nil || len(*told) != 1 || !strings.Contains((*told)[0], "it cannot be set aside") {
		t.Errorf("got %v, told %v", err, *told)
	}
}

func TestForeignFilesAreToldTogether(t *testing.T) {
	path := t.TempDir()
	for i := range 100 {
		old(t, path, fmt.Sprint(i, ".txt"), nil)
	}
	_, _, told := scanned(t, path)
	if len(told) != 1 || len(told[0]) != 100 || !told[0][0].Foreign || told[0][0].Lost != 0 {
		t.Errorf("told %d times: %v", len(told), told)
	}
}

// TestScanThatTakesLong has a disk that is busy with something else after Open.
func TestScanThatTakesLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := t.TempDir()
		old(t, path, "1.batch", encode(noon, 7, []byte("content")))
		ended := 0
		d := &Dir{Path: path, Scanned: func() { ended++ }}
		busy := func(seconds time.Duration) { d.calls.later(func() { time.Sleep(seconds * time.Second) }) }
		busy(1)
		opened := make(chan error)
		go func() { opened <- d.Open() }()
		synctest.Wait()
		busy(10)
		if err := <-opened; err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if found := d.Found(500 * time.Millisecond); found != nil || time.Since(began) != 500*time.Millisecond || !d.Scanning() {
			t.Errorf("found %v after %v", found, time.Since(began))
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if ended != 1 {
			t.Errorf("told %d times that it ended", ended)
		}
		if found := d.Found(0); len(found) != 1 || d.Scanning() {
			t.Errorf("found %v", found)
		}
		if found := d.Found(time.Hour); found != nil {
			t.Errorf("found %v again", found)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestFoldersAreLeftAlone: another Dir can be a folder of this one, with a lock and batches of its own. Neither reports
// or touches the files of the other.
func TestFoldersAreLeftAlone(t *testing.T) {
	path := t.TempDir()
	inner, _, _ := scanned(t, filepath.Join(path, "logs"))
	if _, err := inner.Put(noon, 3, []byte("inner")); err != nil {
		t.Fatal(err)
	}
	outer, entries, told := scanned(t, path)
	if len(entries) != 0 || len(told) != 0 {
		t.Errorf("the outer one found %v, told %v", entries, told)
	}
	if _, err := outer.Put(noon, 4, []byte("outer")); err != nil {
		t.Fatal(err)
	}
	for d, want := range map[*Dir]string{inner: "inner", outer: "outer"} {
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		again, entries, told := scanned(t, d.Path)
		if got := contents(t, again, entries); got != want || len(told) != 0 {
			t.Errorf("%s: got %q, told %v", d.Path, got, told)
		}
	}
}
