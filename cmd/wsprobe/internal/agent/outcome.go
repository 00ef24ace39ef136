package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/status"
	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe/visible"
)

// maxTold is how many faults of a configuration are logged and shown one by one.
const maxTold = 20

// outcome is what became of an attempt to load the configuration again.
type outcome struct {
	cause    string
	took     time.Duration
	err      error // nil if the configuration is in force
	faults   []config.Fault
	warnings []config.Fault // that the load before did not have
	news     news
	restart  []string // paths of values that hold from the next start on
}

// news is how many probes came, went, and were changed since the agent started, and how many were left as they were by
// the last change.
type news struct{ added, removed, changed, unchanged int }

// count adds the change from so many probes to others, of which some have come and some of those are changed ones.
func (n *news) count(before, now, come, changed int) {
	n.unchanged = now - come
	n.added += come - changed
	n.changed += changed
	n.removed += before - n.unchanged - changed
}

// since is the difference to earlier numbers.
func (n news) since(before news) news {
	return news{n.added - before.added, n.removed - before.removed, n.changed - before.changed, n.unchanged}
}

// String says how many probes changed.
func (n news) String() string {
	return fmt.Sprintf("%d probes added, %d removed, %d changed, %d unchanged", n.added, n.removed, n.changed, n.unchanged)
}

// log tells people, without the faults if they were told the same ones just now.
func (o *outcome) log(log *slog.Logger, sameFaults bool) {
	if o.err != nil {
		if !sameFaults {
			logFaults(log, slog.LevelError, o.faults, "the configuration has a fault", "the configuration has more faults: wsprobe check names them")
		}
		log.Error("the configuration was not loaded: the one before stays", "cause", o.cause, "faults", len(o.faults), "took", o.took)
		return
	}
	LogWarnings(log, o.warnings)
	if len(o.restart) > 0 {
		log.Warn("the configuration has values that need a restart of wsprobe: the old ones stay", "paths", strings.Join(o.restart, ", "))
	}
	log.Info("the configuration was loaded", "cause", o.cause, "added", o.news.added, "removed", o.news.removed,
		"changed", o.news.changed, "unchanged", o.news.unchanged, "took", o.took)
}

// answer tells whoever asked for the load: a line for each fault as `wsprobe check` prints it, or what changed.
func (o *outcome) answer() (code int, text string) {
	if o.err == nil {
		text = "the configuration was loaded: " + o.news.String() + "\n"
		if len(o.restart) > 0 {
			text += "these values need a restart of wsprobe, and the old ones stay: " + strings.Join(o.restart, ", ") + "\n"
		}
		return http.StatusOK, text
	}
	var lines strings.Builder
	for _, f := range o.faults {
		lines.WriteString(visible.Text(f.String()) + "\n")
	}
	if errors.Is(o.err, errStuck) {
		return http.StatusInternalServerError, lines.String()
	}
	return http.StatusBadRequest, lines.String()
}

// newWarnings are those that the load before did not have. One that has only moved to another line is not new.
func newWarnings(before, now []config.Fault) []config.Fault {
	placeless := func(f config.Fault) config.Fault {
		f.Line, f.Column = 0, 0
		return f
	}
	known := make(map[config.Fault]int, len(before))
	for _, f := range before {
		known[placeless(f)]++
	}
	var fresh []config.Fault
	for _, f := range now {
		if at := placeless(f); known[at] > 0 {
			known[at]--
			continue
		}
		fresh = append(fresh, f)
	}
	return fresh
}

// LogWarnings tells of what can hardly be meant in a configuration that is valid.
func LogWarnings(log *slog.Logger, warnings []config.Fault) {
	logFaults(log, slog.LevelWarn, warnings, "the configuration has a warning", "the configuration has more warnings: wsprobe check names them")
}

// logFaults logs the first faults, and how many more there are.
func logFaults(log *slog.Logger, level slog.Level, faults []config.Fault, one, more string) {
	for i, f := range faults {
		if i == maxTold {
			log.Log(context.Background(), level, more, "more", len(faults)-i)
			return
		}
		log.Log(context.Background(), level, one, "file", f.File, "line", f.Line, "column", f.Column, "path", f.Path, "problem", f.Problem)
	}
}

// faultsOf are the faults that an error is about, none of them a warning. One without a place is of the files as a
// whole.
func faultsOf(err error, names []string) []config.Fault {
	if err == nil {
		return nil
	}
	var faults []config.Fault
	if wrong, ok := errors.AsType[*config.Error](err); ok {
		for _, f := range wrong.Faults {
			if !f.Warning {
				faults = append(faults, f)
			}
		}
		return faults
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		faults = append(faults, config.Fault{File: strings.Join(names, ", "), Problem: line})
	}
	return faults
}

// standing is how the configuration on disk stands to the one in force, for those who look.
type standing struct {
	mu       sync.Mutex
	at       time.Time // when the one in force was loaded
	files    []string  // that may be shown
	probes   int       // of this agent in the files
	disabled int
	since    time.Time // when they began to differ; zero if they do not
	faults   []config.Fault
	restart  []string
}

// loaded says that a configuration is in force.
func (s *standing) loaded(at time.Time, files []string, probes, disabled int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at, s.files, s.probes, s.disabled = at, files, probes, disabled
}

// settle says why the one on disk is not in force. The values of a restart stay those of the last one that was.
func (s *standing) settle(faults []config.Fault, restart []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.faults = faults; faults == nil {
		s.restart = restart
	}
	s.date()
}

// reverted says that the disk has again what was last in force.
func (s *standing) reverted() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
	s.date()
}

// date notes when the two began to differ. The caller holds the lock.
func (s *standing) date() {
	switch differ := len(s.faults) > 0 || len(s.restart) > 0; {
	case !differ:
		s.since = time.Time{}
	case s.since.IsZero():
		s.since = time.Now()
	}
}

// isStale reports whether the one on disk is not in force.
func (s *standing) isStale() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.since.IsZero()
}

// view is how the configuration is, in the words of the status page. So many probes run.
func (s *standing) view(running int) status.Config {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := status.Config{LoadedAt: s.at, Stale: !s.since.IsZero(), Files: s.files, Restart: s.restart, Probes: s.probes,
		Disabled: s.disabled, Discovered: max(running-s.probes, 0)}
	if v.Stale {
		since := s.since
		v.Since = &since
	}
	for _, f := range s.faults {
		v.Faults = append(v.Faults, status.Fault{File: f.File, Line: f.Line, Column: f.Column, Path: f.Path, Message: f.Problem, Text: f.String()})
	}
	return v
}
