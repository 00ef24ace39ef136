package discovery

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/wsprobe/wsprobe/config/internal/excerpt"
)

// Source keeps the targets of one place. Several goroutines may use it; one calls [Source.Run] or [Source.Look].
type Source struct {
	looker     looker
	maxTargets int
	jitter     func() float64 // of [0, 1)

	mu      sync.Mutex
	groups  []group
	targets []Target // of all groups, never changed in place
	state   State
}

// A looker looks at files, at a server or into the DNS.
type looker interface {
	// look returns all groups. It returns early when the context ends, and its answer does not count then.
	look(ctx context.Context) view
	close()
}

// view is the answer of one look.
type view struct {
	groups  []group       // all of the source, also those that could not be read anew
	refused bool          // groups do not count: those of the last look stay
	problem string        // of any group, "" if all could be read
	wait    time.Duration // until the next look
	spread  bool          // wait is up to a quarter longer, so that agents do not come back at once
}

// group is the unit that an update replaces.
type group struct {
	name    string
	targets []Target // sorted, without duplicates, never changed in place
}

// New makes a source. It looks at nothing before [Source.Run] or [Source.Look].
func New(options Options) (*Source, error) {
	source := &Source{maxTargets: options.MaxTargets, jitter: rand.Float64}
	if options.MaxTargets < 1 {
		return nil, errors.New("max_targets must be at least 1")
	}
	set := 0
	var err error
	if options.Files != nil {
		set++
		source.looker, err = newFilesLooker(*options.Files, options.MaxTargets)
	}
	if options.HTTP != nil {
		set++
		source.looker, err = newHTTPLooker(*options.HTTP, options.MaxTargets)
	}
	if options.DNS != nil {
		set++
		source.looker, err = newDNSLooker(*options.DNS)
	}
	if set != 1 {
		return nil, errors.New("exactly one of files, http and dns is required")
	}
	if err != nil {
		return nil, err
	}
	return source, nil
}

// Run looks until the context ends. It calls changed after each look that changed the targets, from its own goroutine,
// so a slow call delays the next look. A look at a file system that hangs holds Run up: files have no deadline.
func (s *Source) Run(ctx context.Context, changed func()) {
	defer s.looker.close()
	for {
		seen := s.looker.look(ctx)
		if ctx.Err() != nil {
			return
		}
		if s.take(seen, time.Now()) {
			changed()
		}
		wait := seen.wait
		if seen.spread {
			wait += time.Duration(s.jitter() * float64(wait) / 4)
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// Look looks once, in place of Run. A look that the context ends counts as none.
func (s *Source) Look(ctx context.Context) {
	defer s.looker.close()
	if seen := s.looker.look(ctx); ctx.Err() == nil {
		s.take(seen, time.Now())
	}
}

// Targets returns the targets of the last good look at each group. Nobody may change them.
func (s *Source) Targets() []Target {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.targets
}

// State returns how the source is.
func (s *Source) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// take keeps what a look saw, and reports whether the targets are others now.
func (s *Source) take(seen view, now time.Time) (changed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := count(seen.groups); !seen.refused && n > s.maxTargets {
		seen.refused, seen.problem = true, tooMany(s.maxTargets)
	}
	if !seen.refused && !slices.EqualFunc(s.groups, seen.groups, sameGroup) {
		targets := joined(seen.groups)
		changed = !slices.EqualFunc(s.targets, targets, sameTarget)
		s.groups = slices.Clone(seen.groups)
		if changed {
			s.targets, s.state.Targets = targets, len(targets)
		}
	}
	s.state.Problem = shown(seen.problem)
	if seen.problem != "" {
		s.state.Failed++
		if s.state.Failing.IsZero() {
			s.state.Failing = now
		}
		return changed
	}
	s.state.Succeeded++
	s.state.Updated, s.state.Failing = now, time.Time{}
	return changed
}

// tooMany is the problem of a source with more targets than it may have.
func tooMany(most int) string {
	return fmt.Sprintf("more than max_targets (%d) targets: the update is refused as a whole", most)
}

func count(groups []group) (n int) {
	for _, g := range groups {
		n += len(g.targets)
	}
	return n
}

// joined returns the targets of all groups.
func joined(groups []group) []Target {
	targets := make([]Target, 0, count(groups))
	for _, g := range groups {
		targets = append(targets, g.targets...)
	}
	return targets
}

// sameGroup is quick for a group that was not read again.
func sameGroup(a, b group) bool {
	if a.name != b.name || len(a.targets) != len(b.targets) {
		return false
	}
	return len(a.targets) == 0 || &a.targets[0] == &b.targets[0] || slices.EqualFunc(a.targets, b.targets, sameTarget)
}

// maxProblem bounds the text of a problem, in bytes.
const maxProblem = 1000

// shown makes a text of others fit to be shown on one line.
func shown(text string) string {
	return excerpt.Cut(strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '\uFFFD'
		}
		return r
	}, text), maxProblem)
}
