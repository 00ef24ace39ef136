package spool

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// damages are ways to make a file with the name of a batch no batch.
var damages = map[string]struct {
	damage func(file []byte) []byte
	why    string
}{
	"empty":               {func([]byte) []byte { return nil }, "cut off"},
	"cut in the header":   {func(f []byte) []byte { return f[:headerSize-1] }, "cut off"},
	"cut after it":        {func(f []byte) []byte { return f[:headerSize] }, "cut off"},
	"cut at the end":      {func(f []byte) []byte { return f[:len(f)-1] }, "cut off"},
	"longer":              {func(f []byte) []byte { return append(f, 'x') }, "cut off"},
	"foreign, short":      {func([]byte) []byte { return []byte("hi") }, "no batch"},
	"foreign":             {func([]byte) []byte { return bytes.Repeat([]byte("hello "), 100) }, "no batch"},
	"of a later version":  {func(f []byte) []byte { f[11]++; return f }, "version 2, not 1"},
	"says that it is big": {func(f []byte) []byte { binary.BigEndian.PutUint64(f[24:], 1<<40); return f }, "too long"},
	"no length at all":    {func(f []byte) []byte { binary.BigEndian.PutUint64(f[24:], 1<<63); return f }, "too long"},
	"changed content":     {func(f []byte) []byte { f[headerSize] ^= 1; return f }, "checksum"},
	"changed time":        {func(f []byte) []byte { f[20] ^= 1; return f }, "checksum"},
	"changed items":       {func(f []byte) []byte { f[15] ^= 1; return f }, "differs from its name"},
}

func TestDamagedFilesAreSetAside(t *testing.T) {
	for name, c := range damages {
		t.Run(name, func(t *testing.T) {
			path := t.TempDir()
			d, _, _ := opened(t, path)
			put(t, d, noon, "before")
			bad := put(t, d, noon.Add(time.Second), "damaged")
			put(t, d, noon.Add(time.Minute), "after")
			file, err := os.ReadFile(d.file(bad.File))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(d.file(bad.File), c.damage(file), 0o600); err != nil {
				t.Fatal(err)
			}
			d.Close()

			d, entries, told := opened(t, path)
			entries = slices.DeleteFunc(entries, func(e Entry) bool {
				_, err := d.Get(e)
				return errors.Is(err, ErrDamaged)
			})
			if err := d.Tidy(); err != nil { // it comes after all that was asked of the directory before
				t.Error(err)
			}
			if got := contents(t, d, entries); got != "before after" {
				t.Errorf("got %q", got)
			}
			if len(*told) != 1 || !strings.Contains((*told)[0], c.why) {
				t.Errorf("told %q, want %q once", *told, c.why)
			}
			aside := strings.TrimSuffix(bad.File, batchSuffix) + damagedSuffix
			if !slices.Contains(names(t, path), aside) {
				t.Errorf("%s is not among %v", aside, names(t, path))
			}
			d.Close()
			if _, _, told = opened(t, path); len(*told) != 0 {
				t.Errorf("told again: %v", *told)
			}
		})
	}
}

func TestFilesThatAreSetAsideAreFew(t *testing.T) {
	path := t.TempDir()
	for i := range 2 * keepDamaged {
		if err := os.WriteFile(filepath.Join(path, fmt.Sprintf("%03d.batch", i)), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, _, told := opened(t, path)
	left := names(t, path)
	if len(*told) != 2*keepDamaged || len(left) != keepDamaged+1 || left[0] != "016.damaged" {
		t.Errorf("told %d times, left %v", len(*told), left)
	}
}

func TestForeignFilesAreLeftAlone(t *testing.T) {
	path := t.TempDir()
	for _, name := range []string{"notes.txt", ".keep", "x.batch.bak"} {
		if err := os.WriteFile(filepath.Join(path, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"lost+found", "a.batch", "a.batch.tmp", "a.damaged"} {
		if err := os.Mkdir(filepath.Join(path, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	before := names(t, path)
	d, entries, told := opened(t, path)
	d.Close()
	if err := d.Open(); err != nil {
		t.Fatal(err)
	}
	if got := slices.DeleteFunc(names(t, path), func(n string) bool { return n == lockName }); !slices.Equal(got, before) || len(entries) != 0 {
		t.Errorf("left %v of %v, and found %v", got, before, entries)
	}
	if len(*told) != 3 {
		t.Errorf("told %q, want one for each file and none for a directory", *told)
	}
}

func TestWhatIsNoFileIsNotRead(t *testing.T) {
	path := t.TempDir()
	if err := os.Symlink("/dev/zero", filepath.Join(path, "zero.batch")); err != nil {
		t.Skip(err)
	}
	if _, entries, told := opened(t, path); len(entries) != 0 || len(*told) != 1 {
		t.Errorf("found %v, told %v", entries, *told)
	}
}

func TestHalfWrittenFilesAreRemoved(t *testing.T) {
	path := t.TempDir()
	if err := os.WriteFile(filepath.Join(path, "1.batch.tmp"), []byte(magic), 0o600); err != nil {
		t.Fatal(err)
	}
	_, entries, told := opened(t, path)
	if got := names(t, path); !slices.Equal(got, []string{lockName}) || len(entries) != 0 || len(*told) != 0 {
		t.Errorf("left %v, found %v, told %v", got, entries, *told)
	}
}

// FuzzDecode: whatever is in a file, reading it ends with what Put was given or with an error.
func FuzzDecode(f *testing.F) {
	good := encode(noon, 7, []byte("content"))
	f.Add(good)
	for _, c := range damages {
		f.Add(c.damage(bytes.Clone(good)))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		h, content, err := decode(file)
		if err != nil {
			return
		}
		if again, err := decodeHeader(file[:headerSize], int64(len(file))); err != nil || again != h {
			t.Fatalf("the content can be read and the header cannot: %v", err)
		}
		if got := encode(h.time, h.items, content); !bytes.Equal(got, file) {
			t.Errorf("read %x, which would have been written as %x", file, got)
		}
	})
}
