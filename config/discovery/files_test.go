package discovery

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// filesBench runs a source of files in a bubble, where a look takes no time.
type filesBench struct {
	t       *testing.T
	dir     string
	source  *Source
	changes atomic.Int32
}

// withFiles runs a test beside a source of the files in a directory.
func withFiles(t *testing.T, change func(*Options), prepare func(dir string), test func(b *filesBench)) {
	t.Helper()
	dir := t.TempDir()
	prepare(dir)
	synctest.Test(t, func(t *testing.T) {
		options := Options{MaxTargets: 10, Files: &Files{
			Patterns: []string{filepath.Join(dir, "*.json"), filepath.Join(dir, "*.yaml"), filepath.Join(dir, "*.yml")}, Watch: time.Second, Refresh: 30 * time.Second,
		}}
		if change != nil {
			change(&options)
		}
		b := &filesBench{t: t, dir: dir}
		var err error
		if b.source, err = New(options); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			b.source.Run(ctx, func() { b.changes.Add(1) })
		}()
		b.wait(time.Second / 2) // the test acts between two looks
		test(b)
		cancel()
		<-done
	})
}

// wait lets time pass.
func (b *filesBench) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// write writes a file in place.
func (b *filesBench) write(name, text string) {
	b.t.Helper()
	if err := os.WriteFile(filepath.Join(b.dir, name), []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// want holds the targets, the number of changes until now, and a part of the problem.
func (b *filesBench) want(targets string, changes int, problem string) {
	b.t.Helper()
	state := b.source.State()
	if got := addresses(b.source.Targets()); got != targets || int(b.changes.Load()) != changes {
		b.t.Errorf("targets %q after %d changes, want %q after %d", got, b.changes.Load(), targets, changes)
	}
	if problem == "" && state.Problem != "" || !strings.Contains(state.Problem, problem) {
		b.t.Errorf("problem %q, want %q", state.Problem, problem)
	}
	if state.Failing.IsZero() != (problem == "") {
		b.t.Errorf("failing since %v with problem %q", state.Failing, state.Problem)
	}
}

// files writes files into a directory.
func files(t *testing.T, content map[string]string) func(dir string) {
	return func(dir string) {
		for name, text := range content {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

const oneTwo = `[{"targets": ["1", "2"]}]`

func TestFilesComeChangeAndGo(t *testing.T) {
	withFiles(t, nil, files(t, map[string]string{"a.json": oneTwo, "b.yaml": "- targets: [3]", "c.txt": "no"}), func(b *filesBench) {
		b.want("1 2 3", 1, "")
		if got := b.source.Targets()[0].Labels["__meta_filepath"]; got != filepath.Join(b.dir, "a.json") {
			t.Errorf("__meta_filepath is %q", got)
		}
		b.write("b.yaml", "- targets: [3, 4]")
		b.wait(time.Second)
		b.want("1 2 3", 1, "") // it may be half of the file
		b.wait(time.Second)
		b.want("1 2 3 4", 2, "")
		b.write("d.yml", "- targets: [5]")
		b.wait(2 * time.Second)
		b.want("1 2 3 4 5", 3, "")
		os.Remove(filepath.Join(b.dir, "a.json"))
		b.wait(time.Second)
		b.want("3 4 5", 4, "")
		b.wait(10 * time.Minute)
		b.want("3 4 5", 4, "")
		if state := b.source.State(); state.Failed != 0 || state.Succeeded < 600 || time.Since(state.Updated) > time.Second {
			t.Errorf("state %+v", state)
		}
	})
}

func TestFileThatFailsKeepsItsTargets(t *testing.T) {
	for name, spoil := range map[string]struct {
		do   func(b *filesBench, file string)
		want string
	}{
		"half a file":  {func(b *filesBench, file string) { b.write("a.json", oneTwo[:12]) }, "a.json: at byte 12: the JSON ends too early"},
		"an empty one": {func(b *filesBench, file string) { b.write("a.json", "") }, "a.json: at byte 0: the JSON ends too early"},
		"too many":     {func(b *filesBench, file string) { b.write("a.json", many(11)) }, "a.json: more than max_targets (10)"},
		"too large":    {func(b *filesBench, file string) { truncate(b.t, file, maxJSON+1) }, "a.json: is larger than 32 MiB"},
		"a directory": {func(b *filesBench, file string) {
			os.Remove(file)
			os.Mkdir(file, 0o700)
		}, "a.json: is no regular file"},
		"a link to nothing": {func(b *filesBench, file string) {
			os.Remove(file)
			if err := os.Symlink("nothing", file); err != nil {
				b.t.Skip(err)
			}
		}, "a.json: no such file or directory"},
	} {
		t.Run(name, func(t *testing.T) {
			withFiles(t, nil, files(t, map[string]string{"a.json": oneTwo, "b.json": `[{"targets":["3"]}]`}), func(b *filesBench) {
				file := filepath.Join(b.dir, "a.json")
				spoil.do(b, file)
				b.wait(2 * time.Second)
				b.want("1 2 3", 1, spoil.want)
				b.wait(10 * time.Minute)
				b.want("1 2 3", 1, spoil.want)
				os.RemoveAll(file)
				b.write("a.json", oneTwo)
				b.wait(2 * time.Second)
				b.want("1 2 3", 1, "")
				os.Remove(file)
				b.wait(time.Second)
				b.want("3", 2, "")
			})
		})
	}
}

// many is a list of n targets.
func many(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf(`"%d"`, i))
	}
	return `[{"targets":[` + strings.Join(list, ",") + `]}]`
}

func truncate(t *testing.T, file string, size int64) {
	t.Helper()
	if err := os.Truncate(file, size); err != nil {
		t.Fatal(err)
	}
}

func TestOtherFilesGoOnBesideABadOne(t *testing.T) {
	withFiles(t, nil, files(t, map[string]string{"a.json": "{", "b.json": oneTwo, "c.yml": ""}), func(b *filesBench) {
		b.want("1 2", 1, "a.json: at byte 1: a list of groups is wanted, and not a mapping (and 1 more files)")
		b.write("b.json", `[{"targets":["4"]}]`)
		b.wait(2 * time.Second)
		b.want("4", 2, "a.json")
	})
}

func TestFlipsHoldAtTheSecondLook(t *testing.T) {
	withFiles(t, nil, files(t, map[string]string{"a.json": oneTwo}), func(b *filesBench) {
		for i := range 100 { // in 2 s
			b.write("a.json", fmt.Sprintf(`[{"targets":["%d"]}]%*s`, i+10, i, "")) // of another size each, as times are coarse
			b.wait(20 * time.Millisecond)
		}
		b.want("1 2", 1, "")
		b.wait(2 * time.Second)
		b.want("109", 2, "")
	})
}

func TestFileThatNeverRestsIsReadNevertheless(t *testing.T) {
	withFiles(t, nil, files(t, map[string]string{"a.json": oneTwo}), func(b *filesBench) {
		for i := range 2 * (maxUnsettled + 1) {
			b.write("a.json", many(1)+strings.Repeat(" ", i))
			b.wait(time.Second)
		}
		b.want("0", 2, "")
	})
}

func TestFullLookReadsFilesThatLookUnchanged(t *testing.T) {
	withFiles(t, nil, files(t, map[string]string{"a.json": `[{"targets":["1"]}]`}), func(b *filesBench) {
		file := filepath.Join(b.dir, "a.json")
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		b.write("a.json", `[{"targets":["2"]}]`)
		if err := os.Chtimes(file, info.ModTime(), info.ModTime()); err != nil {
			t.Fatal(err)
		}
		b.wait(20 * time.Second)
		b.want("1", 1, "")
		b.wait(10 * time.Second)
		b.want("2", 2, "")
	})
}

func TestWithoutWatchFilesAreReadAtRefresh(t *testing.T) {
	withFiles(t, func(o *Options) { o.Files.Watch = 0 }, files(t, map[string]string{"a.json": oneTwo}), func(b *filesBench) {
		b.write("a.json", many(1))
		b.wait(29 * time.Second)
		b.want("1 2", 1, "")
		b.wait(time.Second)
		b.want("0", 2, "")
		if got := b.source.State().Succeeded; got != 2 {
			t.Errorf("%d looks", got)
		}
	})
}

func TestKubernetesLinks(t *testing.T) {
	// The kubelet writes a new directory, and renames a new link over ..data.
	publish := func(t *testing.T, dir, version, text string) {
		if err := os.Mkdir(filepath.Join(dir, version), 0o700); err != nil {
			t.Fatal(err)
		}
		files(t, map[string]string{"a.json": text})(filepath.Join(dir, version))
		if err := os.Symlink(version, filepath.Join(dir, "..data_tmp")); err != nil {
			t.Skip(err)
		}
		if err := os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")); err != nil {
			t.Fatal(err)
		}
	}
	withFiles(t, nil, func(dir string) {
		publish(t, dir, "..2026_1", oneTwo)
		if err := os.Symlink("..data/a.json", filepath.Join(dir, "a.json")); err != nil {
			t.Skip(err)
		}
	}, func(b *filesBench) {
		b.want("1 2", 1, "")
		publish(t, b.dir, "..2026_2", `[{"targets":["3"]}]`)
		os.RemoveAll(filepath.Join(b.dir, "..2026_1"))
		b.wait(2 * time.Second)
		b.want("3", 2, "")
	})
}

func TestEditorsRenames(t *testing.T) {
	withFiles(t, nil, files(t, map[string]string{"a.json": oneTwo}), func(b *filesBench) {
		file := filepath.Join(b.dir, "a.json")
		os.Rename(file, file+"~") // as vim and emacs keep the old one
		b.write("a.json", many(1))
		b.wait(2 * time.Second)
		b.want("0", 2, "")
		b.write(".a.json.tmp", many(2)) // as sed -i and rsync
		os.Rename(filepath.Join(b.dir, ".a.json.tmp"), file)
		b.wait(2 * time.Second)
		b.want("0 1", 3, "")
	})
}

func TestDirectoryThatCannotBeReadKeepsItsFiles(t *testing.T) {
	if runtime.GOOS == "windows" || os.Getuid() == 0 {
		t.Skip("needs a directory that its reader may not read")
	}
	withFiles(t, nil, files(t, map[string]string{"a.json": oneTwo}), func(b *filesBench) {
		defer os.Chmod(b.dir, 0o700)
		os.Chmod(b.dir, 0o100) // files can be opened, and not listed
		b.wait(time.Minute)
		b.want("1 2", 1, "")
		os.Chmod(b.dir, 0)
		b.wait(time.Second)
		b.want("1 2", 1, "a.json: permission denied")
	})
}

func TestTargetsMoveBetweenFullFiles(t *testing.T) {
	withFiles(t, nil, files(t, map[string]string{"a.json": many(8), "b.json": many(2)}), func(b *filesBench) {
		b.write("a.json", many(2))
		b.write("b.json", many(8))
		b.wait(2 * time.Second)
		b.want("0 1 0 1 2 3 4 5 6 7", 2, "")
		b.write("a.json", many(8))
		b.write("b.json", many(2))
		b.wait(2 * time.Second)
		b.want("0 1 2 3 4 5 6 7 0 1", 3, "")
		b.write("a.json", many(9))
		b.wait(2 * time.Second)
		b.want("0 1 2 3 4 5 6 7 0 1", 3, "a.json: more than max_targets (10) targets: the update is refused as a whole")
		os.Remove(filepath.Join(b.dir, "b.json"))
		b.wait(time.Second)
		b.want("0 1 2 3 4 5 6 7 8", 4, "")
	})
}

// TestFullFileThatIsNoneAnyMore: a file with too many targets holds up the others only as long as it is a file.
func TestFullFileThatIsNoneAnyMore(t *testing.T) {
	withFiles(t, nil, files(t, map[string]string{"a.json": oneTwo, "b.json": many(2)}), func(b *filesBench) {
		b.write("a.json", many(11))
		b.wait(2 * time.Second)
		file := filepath.Join(b.dir, "a.json")
		os.Remove(file)
		os.Mkdir(file, 0o700)
		b.write("b.json", many(3))
		b.wait(2 * time.Second)
		b.want("1 2 0 1 2", 2, "a.json: is no regular file")
		os.Remove(file)
		b.wait(time.Second)
		b.want("0 1 2", 3, "")
	})
}

func TestTooManyFilesAreRefused(t *testing.T) {
	dir := t.TempDir()
	for i := range maxFiles/100 + 1 {
		files(t, map[string]string{fmt.Sprintf("%03d.json", i): "[]"})(dir)
	}
	patterns := slices.Repeat([]string{filepath.Join(dir, "*.json")}, 100)
	looker, err := newFilesLooker(Files{Patterns: patterns, Refresh: time.Second}, 10)
	if err != nil {
		t.Fatal(err)
	}
	if seen := looker.look(t.Context()); !seen.refused || !strings.Contains(seen.problem, "match 10100 files") {
		t.Errorf("view %+v", seen)
	}
}
