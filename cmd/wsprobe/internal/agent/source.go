package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/watch"
	"github.com/wsprobe/wsprobe/config"
)

const (
	// loadBudget is how long reading the files may take while the agent runs.
	loadBudget = 2 * time.Minute
	// lookBudget is how long a look at them is waited for.
	lookBudget = 5 * time.Second
	// lookBytes is how much of a file a look reads. A configuration is not longer.
	lookBytes = 64 << 20
)

// Source is the files of a configuration, which can be read again and looked at.
type Source struct {
	names  []string
	read   func() (config.Config, error)
	busy   chan struct{} // has a value while the files are read or looked at
	looker *watch.Looker // of whoever has put the value there
	first  attempt
}

// attempt is an attempt to load a configuration.
type attempt struct {
	began  time.Time
	took   time.Duration
	cfg    config.Config
	err    error
	files  []string // what was read or looked for
	all    []string // these, and the ones that were known before
	look   watch.Look
	steady bool // the look saw what was read
}

// NewSource returns the source of a configuration. The names are those of its files and directories, and read loads it
// from there.
func NewSource(names []string, read func() (config.Config, error)) *Source {
	return &Source{names: names, read: read, busy: make(chan struct{}, 1), looker: watch.NewLooker(isConfiguration, lookBytes)}
}

// isConfiguration reports whether a file of a directory is one of its configuration.
func isConfiguration(name string) bool {
	ext := filepath.Ext(name)
	return (ext == ".yaml" || ext == ".yml") && !strings.HasPrefix(name, ".")
}

// Load reads the configuration that an agent starts with.
func (s *Source) Load() (config.Config, error) {
	first := s.attempt(nil)
	cfg := first.cfg
	first.cfg = config.Config{} // the agent knows which parts it keeps
	s.first = first
	return cfg, first.err
}

// attempt reads the files, some of which may be known. Looks before and after tell whether they changed meanwhile.
func (s *Source) attempt(known []string) attempt {
	before := s.looker.Look(union(s.names, known))
	a := attempt{began: time.Now()}
	a.cfg, a.err = s.read()
	a.took = time.Since(a.began)
	a.files = union(s.names, filesOf(a.cfg, a.err))
	a.all = union(a.files, known)
	a.look = s.looker.Look(a.all)
	a.steady = a.look.Steady(before, a.began)
	return a
}

// again is attempt for files that were read before, within the bounds of an agent that runs.
func (s *Source) again(ctx context.Context, known []string, memory *bounds) attempt {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, loadBudget)
	defer cancel()
	a, err := bounded(ctx, s, func() attempt {
		if err := s.pipes(); err != nil {
			all := union(s.names, known)
			return attempt{began: began, err: err, files: s.names, all: all, look: s.looker.Look(all), steady: true}
		}
		defer memory.load(s.looker.Look(s.names).Size())()
		return s.attempt(known)
	})
	if err != nil {
		return attempt{began: began, took: time.Since(began), err: err}
	}
	return a
}

// pipes is an error if something has the name of a configuration that cannot be read again.
func (s *Source) pipes() error {
	var faults []config.Fault
	for _, name := range s.names {
		if info, err := os.Stat(name); err == nil && !info.IsDir() && !info.Mode().IsRegular() {
			problem := fmt.Sprintf("is %s, which can be read only once: restart wsprobe to read another configuration", kindOf(info.Mode()))
			faults = append(faults, config.Fault{File: name, Problem: problem})
		}
	}
	if faults == nil {
		return nil
	}
	return &config.Error{Faults: faults}
}

// look looks at files.
func (s *Source) look(ctx context.Context, names []string) (watch.Look, error) {
	ctx, cancel := context.WithTimeout(ctx, lookBudget)
	defer cancel()
	return bounded(ctx, s, func() watch.Look { return s.looker.Look(names) })
}

// errStuck is that of files which answer no read. Whoever reads them cannot be stopped.
var errStuck = errors.New("the files are still being read: one of them is a pipe, or on a file server that does not answer")

// bounded calls f while nobody else has the source, and waits for it until the context ends. A call that was not waited
// for keeps the source until it ends.
func bounded[T any](ctx context.Context, s *Source, f func() T) (T, error) {
	var none T
	select {
	case s.busy <- struct{}{}:
	default:
		return none, errStuck
	}
	done := make(chan T, 1)
	go func() {
		got := f()
		<-s.busy
		done <- got
	}()
	select {
	case got := <-done:
		return got, nil
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return none, errStuck
		}
		return none, ctx.Err()
	}
}

// kindOf names what is no file.
func kindOf(mode fs.FileMode) string {
	if mode&fs.ModeNamedPipe != 0 {
		return "a pipe"
	}
	return "no regular file"
}

// filesOf are the files that were read or looked for.
func filesOf(cfg config.Config, err error) []string {
	if wrong, ok := errors.AsType[*config.Error](err); ok {
		return wrong.Files
	}
	return cfg.Files
}

// union returns all names, in the order in which they come first.
func union(lists ...[]string) []string {
	var all []string
	seen := make(map[string]bool)
	for _, name := range slices.Concat(lists...) {
		if !seen[name] {
			seen[name] = true
			all = append(all, name)
		}
	}
	return all
}
