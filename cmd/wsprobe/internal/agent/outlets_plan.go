package agent

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/event"
	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/stream"
	"github.com/wsprobe/wsprobe/config"
)

// streamPlan is what the streams are to become. Making it can fail, and takes the directories of new buffers.
type streamPlan struct {
	before, next []outlet

	put   []func() // put the options of streams that stay in force
	fresh []outlet // begin
	late  []late   // begin where another one of ours ends
	gone  []outlet
	// changed are those that stay, with options of another meaning.
	changed []string
}

// late is a stream that begins in the directory of one that ends.
type late struct {
	at      int // in next
	holding *stream.Holding
}

// plan finds out what streams need. A stream stays if its name, its buffer and its workers do: what waits in it then
// waits on. The directories of streams of now are not touched before [outlets.handOver].
func (s *outlets) plan(streams []config.Stream) (*streamPlan, error) {
	now := s.current()
	p := &streamPlan{next: make([]outlet, len(streams)), before: now}
	stays := make(map[*line]bool)
	for i := range streams {
		c := &streams[i]
		options, err := streamOptions(c, s.log, s.about)
		if err == nil {
			old := slices.IndexFunc(now, func(o outlet) bool { return o.Name == c.Name && o.Buffer == c.Buffer && o.Workers == c.Workers })
			switch {
			case old >= 0:
				p.next[i], stays[now[old].line] = outlet{now[old].line, *c}, true
				err = p.keep(now[old], options, *c)
			case len(s.holders(c.Buffer.Dir)) > 0:
				err = errors.Join(s.inUse(c.Buffer.Dir), p.later(i, options, *c))
			default:
				err = p.begin(i, options, *c)
			}
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("stream %q: %w", c.Name, err), p.abandon())
		}
	}
	for _, one := range now {
		if !stays[one.line] {
			p.gone = append(p.gone, one)
		}
	}
	return p, nil
}

// keep plans a stream that stays, with options that mean the same or others.
func (p *streamPlan) keep(old outlet, options stream.Options, c config.Stream) error {
	change, err := old.stream.Change(options)
	switch {
	case err != nil:
		return err
	case old.Digest == c.Digest:
		p.put = append(p.put, change.Renew)
	default:
		p.put = append(p.put, change.Reopen)
		p.changed = append(p.changed, c.Name)
	}
	return nil
}

// begin plans a stream that is new, and takes its directory.
func (p *streamPlan) begin(at int, options stream.Options, c config.Stream) error {
	fresh, err := stream.New(options)
	if err != nil {
		return err
	}
	p.next[at] = outlet{&line{stream: fresh, options: options, ended: make(chan struct{})}, c}
	p.fresh = append(p.fresh, p.next[at])
	return nil
}

// later plans a stream whose directory is not free yet.
func (p *streamPlan) later(at int, options stream.Options, c config.Stream) error {
	p.next[at] = outlet{&line{options: options, ended: make(chan struct{})}, c}
	holding, err := stream.Hold(options)
	p.late = append(p.late, late{at, holding})
	return err
}

// inUse is an error if a stream of ours waits for a directory itself. It would lose what it has in memory.
func (s *outlets) inUse(dir string) error {
	var errs []error
	for _, holder := range s.holders(dir) {
		errs = append(errs, holder.stream.InUse())
	}
	return errors.Join(errs...)
}

// abandon gives the directories back that the plan has taken.
func (p *streamPlan) abandon() error {
	var errs []error
	for _, one := range p.fresh {
		errs = append(errs, one.stream.Close())
	}
	return errors.Join(errs...)
}

// apply makes the streams what was planned.
func (s *outlets) apply(p *streamPlan) {
	for _, put := range p.put {
		put()
	}
	s.mu.Lock()
	s.streams = p.next
	if s.running != nil && !s.over {
		for _, one := range p.fresh {
			s.begin(one)
		}
	}
	over := s.over
	s.mu.Unlock()
	for _, l := range p.late {
		l.holding.Release(p.next[l.at].stream)
	}
	s.tell(p.next) // from here on nothing comes to those that are gone
	s.leave(p.gone...)
	if s.begun() {
		p.log(s.log)
	}
	if over {
		_ = p.abandon() // the agent has stopped, and nobody begins them
	}
}

// log tells which streams are others than before.
func (p *streamPlan) log(log *slog.Logger) {
	var added, removed []string
	changed := p.changed
	for _, one := range p.next {
		switch old := named(p.before, one.Name); {
		case old == nil:
			added = append(added, one.Name)
		case old.line != one.line:
			changed = append(changed, one.Name)
		}
	}
	for _, one := range p.before {
		if named(p.next, one.Name) == nil {
			removed = append(removed, one.Name)
		}
	}
	if len(added)+len(removed)+len(changed) > 0 {
		log.Info("streams changed", "added", added, "removed", removed, "changed", changed)
	}
}

// named returns the stream of a name, nil if there is none.
func named(streams []outlet, name string) *outlet {
	if at := slices.IndexFunc(streams, func(o outlet) bool { return o.Name == name }); at >= 0 {
		return &streams[at]
	}
	return nil
}

// tell has probes tell the feed, these streams, and others.
func (s *outlets) tell(streams []outlet, more ...event.Sink) {
	all := slices.Clip(more)
	for _, one := range streams {
		all = append(all, one.stream)
	}
	if s.feed != nil {
		all = append(all, s.feed)
	}
	if slices.Equal(all, s.told) {
		return
	}
	s.told = all
	s.sinks.Set(all)
	s.settle()
}

// holders returns the streams that have a directory.
func (s *outlets) holders(dir string) []outlet {
	s.mu.Lock()
	defer s.mu.Unlock()
	if dir == "" {
		return nil
	}
	return slices.DeleteFunc(slices.Concat(s.streams, s.leaving), func(o outlet) bool { return !samePlace(o.options.Buffer.Dir, dir) })
}

// samePlace reports whether two paths are of one directory.
func samePlace(a, b string) bool {
	if a == "" || b == "" {
		return false
	}
	one, errOne := filepath.Abs(a)
	two, errTwo := filepath.Abs(b)
	return a == b || errOne == nil && errTwo == nil && one == two
}
