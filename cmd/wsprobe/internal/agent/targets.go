package agent

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/config/discovery"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/redact"
	"github.com/wsprobe/wsprobe/probe/session"
)

// The causes by which a target gets no probe.
const (
	causeInvalid   = "invalid"   // a field of its probe is wrong
	causeDuplicate = "duplicate" // another target has the name
	causeTaken     = "taken"     // a probe of the file has the name
	causeNoRoom    = "no_room"   // it came with an update that is refused as a whole
)

const (
	maxToldTargets = 20  // that are rejected, in an update and on the page
	maxToldFaults  = 3   // of one target
	maxToldText    = 256 // bytes of a target
)

// resolution is what became of the targets of all sources. Making it changes nothing.
type resolution struct {
	sources []*source
	plan    plan
	demand  config.Demand
}

// assignment is what became of the targets of one source.
type assignment struct {
	made     map[targetKey]made
	remake   bool // the configuration is another
	probes   int  // that this agent runs
	changes  int  // targets that came or went since the assignment before
	counts   map[string]int
	rejected []Rejection // the first ones
	news     []Rejection // the first ones that the assignment before did not have
	unheard  int         // how many more of these there are
	refused  string      // why a later update of all sources was not applied, or empty
	noRoom   int         // targets that came with it
}

// Rejection is a target that gets no probe. Target is its address, without a query.
type Rejection struct {
	Target string `json:"target"`
	Cause  string `json:"cause"`
	Detail string `json:"detail"`
}

// targetKey identifies a target with its labels.
type targetKey [sha256.Size]byte

// made is what a module makes of a target.
type made struct {
	name     string
	demand   config.Demand
	cause    string // why it has no probe, or empty
	detail   string
	assigned bool // it has its probe
}

func keyOf(t *discovery.Target) (key targetKey) {
	text := make([]byte, 0, 512)
	add := func(part string) {
		text = binary.AppendUvarint(text, uint64(len(part)))
		text = append(text, part...)
	}
	add(t.Address)
	add(t.Host)
	add(t.ConnectTo)
	for _, name := range slices.Sorted(maps.Keys(t.Labels)) {
		add(name)
		add(t.Labels[name])
	}
	return sha256.Sum256(text)
}

// resolve makes the probes of all targets, beside those of the file. Of an unchanged target the probe that it has is
// kept, unless the configuration is another: then all are made anew, because secrets may have changed.
func (d *discoverer) resolve(cfg *config.Config, own plan) (*resolution, error) {
	by := &assigning{members: d.agent.fleet.current(), hub: d.agent.hub, shard: cfg.Agent.Shard, names: make(map[string]string, len(own))}
	for i := range own {
		by.names[own[i].name()] = causeTaken
	}
	next := &resolution{}
	var errs []error
	for i := range cfg.Discover {
		s, err := d.successor(&cfg.Discover[i], cfg.Agent.Watch)
		if err != nil {
			errs = append(errs, fmt.Errorf("discover %q: %w", cfg.Discover[i].Name, err))
			continue
		}
		d.assign(s, next, by)
		next.sources = append(next.sources, s)
	}
	return next, errors.Join(errs...)
}

// successor returns the source for an entry of the configuration, with the runner and the targets of the one that has
// its name.
func (d *discoverer) successor(cfg *config.Discover, watch time.Duration) (*source, error) {
	next := &source{cfg: cfg, began: time.Now(), assignment: assignment{remake: true}}
	i := slices.IndexFunc(d.sources, func(s *source) bool { return s.cfg.Name == cfg.Name })
	if i >= 0 {
		now := d.sources[i]
		next.began = now.began
		next.made, next.remake = now.made, now.cfg.Module != cfg.Module
		same := now.cfg.Digest == cfg.Digest && cfg.Source.HTTP == nil // a server may want a secret that is new
		if same = same || !next.remake; same && now.runner.watch == watch {
			next.runner, next.before = now.runner, now.before
			if now.inherited != nil && !now.looked() {
				next.inherited = now.inherited
			}
			return next, nil
		}
		next.before, next.inherited = now.state(), now.targets()
	}
	options := cfg.Source
	if options.Files != nil {
		files := *options.Files
		files.Watch, options.Files = watch, &files
	}
	looker, err := discovery.New(options)
	next.runner = &runner{looker: looker, watch: watch}
	return next, err
}

// assign gives the targets of a source their probes.
func (d *discoverer) assign(s *source, next *resolution, by *assigning) {
	before, targets := s.made, s.targets()
	s.made, s.counts = make(map[targetKey]made, len(targets)), make(map[string]int)
	for i := range targets {
		t := &targets[i]
		key := keyOf(t)
		if _, twice := s.made[key]; twice {
			continue
		}
		m, known := before[key]
		told := m.detail
		if !known {
			s.changes++
		}
		if !known || s.remake {
			m = made{}
		}
		if p := by.assign(s.cfg, t, &m); p != nil {
			s.probes++
			next.plan = append(next.plan, *p)
			next.demand = next.demand.And(m.demand)
		} else if m.cause != "" {
			s.reject(t, &m, m.detail != told)
		}
		s.made[key] = m
	}
	for key := range before {
		if _, stays := s.made[key]; !stays {
			s.changes++
		}
	}
}

// assigning is the work of giving targets their probes.
type assigning struct {
	members map[string]*member // of now
	hub     *session.Hub
	maker   probe.Maker
	shard   config.Shard
	names   map[string]string // the causes by which names are not to be had
}

// assign gives one target its probe: the one that it has, or a new one. It returns nil, with the cause, if it gets
// none, and without a cause if another agent runs it.
func (a *assigning) assign(cfg *config.Discover, t *discovery.Target, m *made) *planned {
	had := m.assigned
	var p *config.Probe
	if m.name == "" && m.cause == "" {
		p = m.fill(cfg, t)
	}
	if m.cause == causeInvalid {
		return nil
	}
	m.cause, m.detail, m.assigned = a.names[m.name], "", false
	switch m.cause {
	case causeTaken:
		m.detail = fmt.Sprintf("a probe of the configuration has the name %q, too", m.name)
		return nil
	case causeDuplicate:
		m.detail = fmt.Sprintf("another target has the name %q, too: give discover a probe_name that tells them apart", m.name)
		return nil
	}
	a.names[m.name], m.assigned = causeDuplicate, true
	if !a.shard.Owns(m.name) {
		return nil
	}
	if old := a.members[m.name]; had && old != nil {
		return &planned{kept: old}
	}
	if p == nil {
		p = m.fill(cfg, t) // it was not needed while another target had the name
	}
	next, err := newPlanned(p, a.hub, &a.maker)
	if err != nil {
		*m = made{cause: causeInvalid, detail: err.Error()}
		return nil
	}
	return &next
}

// fill makes the probe of a target, or says why there is none.
func (m *made) fill(cfg *config.Discover, t *discovery.Target) *config.Probe {
	p, err := cfg.Probe(*t)
	if err != nil {
		*m = made{cause: causeInvalid, detail: targetFaults(err)}
		return nil
	}
	m.name, m.demand = p.Name, config.DemandOf(p)
	return &p
}

// targetFaults returns the faults of the probe of a target on one line.
func targetFaults(err error) string {
	var wrong *config.Error
	if !errors.As(err, &wrong) {
		return err.Error()
	}
	var parts []string
	for i, f := range wrong.Faults {
		if i == maxToldFaults {
			parts = append(parts, fmt.Sprintf("and %d more", len(wrong.Faults)-i))
			break
		}
		parts = append(parts, f.Path+": "+f.Problem)
	}
	return strings.Join(parts, "; ")
}

// reject notes a target without a probe.
func (a *assignment) reject(t *discovery.Target, m *made, isNew bool) {
	a.counts[m.cause]++
	r := Rejection{Target: shownAddress(t.Address), Cause: m.cause, Detail: m.detail}
	if len(a.rejected) < maxToldTargets {
		a.rejected = append(a.rejected, r)
	}
	switch {
	case isNew && len(a.news) < maxToldTargets:
		a.news = append(a.news, r)
	case isNew:
		a.unheard++
	}
}

// shownAddress returns an address as it may be shown: without a query, which may have a secret, and not too long.
func shownAddress(address string) string {
	address = redact.URL(address) // also of host:port/path?query
	if len(address) > maxToldText {
		address = strings.ToValidUTF8(address[:maxToldText], "") + "..."
	}
	return address
}

// tell tells of sources whose targets changed, and of targets that are new among the rejected ones.
func (r *resolution) tell(log *slog.Logger) {
	lines, unheard := 0, 0
	for _, s := range r.sources {
		if s.changes > 0 {
			log.Info("targets changed", "source", s.cfg.Name, "targets", len(s.made), "probes", s.probes, "changes", s.changes)
		}
		for _, one := range s.news {
			if lines++; lines > maxToldTargets {
				unheard++
				continue
			}
			log.Warn("a target gets no probe", "source", s.cfg.Name, "target", one.Target, "cause", one.Cause, "error", one.Detail)
		}
		unheard += s.unheard
	}
	if unheard > 0 {
		log.Warn("more targets get no probe: the status page counts them", "more", unheard)
	}
}
