package watch

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// yaml is of the entries of a directory those that matter in these tests.
func yaml(name string) bool { return strings.HasSuffix(name, ".yaml") }

// write writes a file whose time is old enough to prove that it did not change.
func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	age(t, name, time.Hour)
}

// age makes a file look as if it had not changed for a time.
func age(t *testing.T, name string, by time.Duration) {
	t.Helper()
	at := time.Now().Add(-by)
	must(t, os.Chtimes(name, at, at))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestLookSeesContent: what is behind the name counts, and not how it came there.
func TestLookSeesContent(t *testing.T) {
	for name, c := range map[string]struct {
		change func(t *testing.T, dir, file string)
		same   bool
	}{
		"nothing":           {func(*testing.T, string, string) {}, true},
		"touched":           {func(t *testing.T, _, file string) { age(t, file, 0) }, true},
		"written the same":  {func(t *testing.T, _, file string) { write(t, file, "one") }, true},
		"written in place":  {func(t *testing.T, _, file string) { write(t, file, "two") }, false},
		"longer":            {func(t *testing.T, _, file string) { write(t, file, "one more") }, false},
		"empty":             {func(t *testing.T, _, file string) { write(t, file, "") }, false},
		"removed":           {func(t *testing.T, _, file string) { must(t, os.Remove(file)) }, false},
		"removed and again": {func(t *testing.T, _, file string) { must(t, os.Remove(file)); write(t, file, "one") }, true},
		"renamed into place, the same": {func(t *testing.T, dir, file string) {
			write(t, dir+"/new", "one")
			must(t, os.Rename(dir+"/new", file))
		}, true},
		"renamed into place, with an older time": {func(t *testing.T, dir, file string) {
			write(t, dir+"/new", "two")
			age(t, dir+"/new", 24*time.Hour)
			must(t, os.Rename(dir+"/new", file))
		}, false},
		"a directory": {func(t *testing.T, _, file string) { must(t, os.Remove(file)); must(t, os.Mkdir(file, 0o700)) }, false},
		"a link to the same": {func(t *testing.T, dir, file string) {
			write(t, dir+"/other", "one")
			must(t, os.Remove(file))
			must(t, os.Symlink("other", file))
		}, true},
		"a link to nothing": {func(t *testing.T, _, file string) {
			must(t, os.Remove(file))
			must(t, os.Symlink("absent", file))
		}, false},
		"a link to itself": {func(t *testing.T, _, file string) {
			must(t, os.Remove(file))
			must(t, os.Symlink(file, file))
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "file")
			write(t, file, "one")
			l, names := NewLooker(yaml, 1<<20), []string{file}
			before := l.Look(names).Sum(names)
			c.change(t, dir, file)
			if same := l.Look(names).Sum(names) == before; same != c.same {
				t.Errorf("same: got %v, want %v", same, c.same)
			}
		})
	}
}

// TestLookSeesLinksOfKubernetes: a ConfigMap is changed by a swap of the link to its directory.
func TestLookSeesLinksOfKubernetes(t *testing.T) {
	dir := t.TempDir()
	version := func(name, text string) {
		must(t, os.Mkdir(filepath.Join(dir, name), 0o700))
		write(t, filepath.Join(dir, name, "wsprobe.yaml"), text)
		must(t, os.Symlink(name, filepath.Join(dir, "..data_tmp")))
		must(t, os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
	}
	version("..1", "one")
	must(t, os.Symlink("..data/wsprobe.yaml", filepath.Join(dir, "wsprobe.yaml")))
	for _, names := range [][]string{{filepath.Join(dir, "wsprobe.yaml")}, {dir}} {
		l := NewLooker(yaml, 1<<20)
		one := l.Look(names).Sum(names)
		version("..2", "two")
		two := l.Look(names).Sum(names)
		must(t, os.RemoveAll(filepath.Join(dir, "..1")))
		version("..1", "one")
		if again := l.Look(names).Sum(names); one == two || again != one {
			t.Errorf("%s: %x, %x, %x", names, one[:4], two[:4], again[:4])
		}
		must(t, os.RemoveAll(filepath.Join(dir, "..2")))
	}
}

// TestLookSeesEntries: entries that matter come, go and change.
func TestLookSeesEntries(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	write(t, path("a.yaml"), "a")
	l, names := NewLooker(yaml, 1<<20), []string{dir}
	last := l.Look(names).Sum(names)
	for _, step := range []struct {
		what string
		do   func()
		same bool
	}{
		{"one comes", func() { write(t, path("b.yaml"), "b") }, false},
		{"one changes", func() { write(t, path("b.yaml"), "c") }, false},
		{"one gets another name", func() { must(t, os.Rename(path("b.yaml"), path("c.yaml"))) }, false},
		{"one that does not matter comes", func() { write(t, path(".a.yaml.swp"), "") }, true},
		{"a directory comes", func() { must(t, os.Mkdir(path("d.yaml"), 0o700)) }, false},
		{"a file below it comes", func() { write(t, path("d.yaml/e.yaml"), "e") }, true},
		{"one goes", func() { must(t, os.Remove(path("c.yaml"))) }, false},
		{"all go", func() { must(t, os.RemoveAll(dir)) }, false},
	} {
		step.do()
		now := l.Look(names).Sum(names)
		if same := now == last; same != step.same {
			t.Errorf("%s: same is %v", step.what, same)
		}
		last = now
	}
}

// TestLookReadsLittle: a file is read again only if it may have changed, and no more of it than the limit.
func TestLookReadsLittle(t *testing.T) {
	dir := t.TempDir()
	old, young, long := filepath.Join(dir, "old"), filepath.Join(dir, "young"), filepath.Join(dir, "long")
	write(t, old, "old")
	write(t, young, "young")
	age(t, young, time.Second)
	write(t, long, "0123456789abc")
	l, names := NewLooker(yaml, 10), []string{old, young, long, old}
	one := l.Look(names)
	write(t, long, "0123456789abd")
	two := l.Look(names)
	for name, same := range map[string]bool{old: true, young: false, long: false} {
		if got := one[name] == two[name]; got != same {
			t.Errorf("%s: not read is %v, want %v", filepath.Base(name), got, same)
		}
	}
	if one.Sum([]string{long}) != two.Sum([]string{long}) {
		t.Error("more than the limit was read")
	}
	if write(t, long, "0123456789"); l.Look(names).Sum([]string{long}) == one.Sum([]string{long}) {
		t.Error("a file of the limit is the same as a longer one")
	}
	if size := one.Size(); size != 3+5+13 {
		t.Errorf("size: %d", size)
	}
	mixed := slices.Clone(names)
	slices.Reverse(mixed)
	if one.Sum(names) != one.Sum(mixed) {
		t.Error("the order matters")
	}
}

// TestLookTakesYoungFilesForChanged: two writes within the grain of the file system's times look like one.
func TestLookTakesYoungFilesForChanged(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, []byte("one"), 0o600))
	at := time.Now()
	must(t, os.Chtimes(file, at, at))
	l, names := NewLooker(yaml, 10), []string{file}
	one := l.Look(names)
	// What a coarse clock would leave: another content behind the same stat.
	one[file].sum = Sum{}
	if two := l.Look(names); two.Sum(names) == one.Sum(names) {
		t.Error("a young file was not read again")
	}
	for _, ahead := range []time.Duration{time.Minute, 24 * time.Hour} {
		at := time.Now().Add(ahead)
		must(t, os.Chtimes(file, at, at))
		one := l.Look(names)
		if got, want := l.Look(names)[file] == one[file], ahead > skew; got != want {
			t.Errorf("%s ahead: not read is %v", ahead, got)
		}
	}
}

// TestSteady: a look proves what was read between two moments.
func TestSteady(t *testing.T) {
	dir := t.TempDir()
	known, fresh := filepath.Join(dir, "known"), filepath.Join(dir, "fresh")
	must(t, os.WriteFile(known, []byte("one"), 0o600))
	must(t, os.WriteFile(fresh, []byte("one"), 0o600))
	l := NewLooker(yaml, 10)
	before := l.Look([]string{known})
	now := time.Now()
	both := []string{known, fresh}
	if l.Look(both).Steady(before, now) {
		t.Error("a file that nobody had seen was just written")
	}
	if !l.Look(both).Steady(before, now.Add(time.Minute)) {
		t.Error("a file that is a minute old counts as changed")
	}
	write(t, known, "two")
	if l.Look(both).Steady(before, now.Add(time.Minute)) {
		t.Error("a file that was another before counts as steady")
	}
}

// BenchmarkLook is a look at files that did not change.
func BenchmarkLook(b *testing.B) {
	dir := b.TempDir()
	var names []string
	for i := range 100 {
		name := filepath.Join(dir, fmt.Sprintf("%d.yaml", i))
		if err := os.WriteFile(name, make([]byte, 1000), 0o600); err != nil {
			b.Fatal(err)
		}
		at := time.Now().Add(-time.Hour)
		if err := os.Chtimes(name, at, at); err != nil {
			b.Fatal(err)
		}
		names = append(names, name)
	}
	l := NewLooker(yaml, 1<<20)
	b.ReportAllocs()
	for b.Loop() {
		l.Look(names).Sum(names)
	}
}
