package config

import (
	"reflect"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/config/internal/yamltree"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/session"
)

// ofRuns are the fields of a probe that only a run can have, with the place for the same in a session.
var ofRuns = []ofRun{
	{"ping_mode", "session.ping_interval sends Ping frames, session.heartbeat messages"},
	{"send_message", "exchange sends after each open, session.heartbeat at intervals"},
	{"expect_message", "session.expect is for the wanted messages, session.heartbeat.expect for the answer"},
	{"expect_pattern", "session.expect_pattern is for the wanted messages, session.heartbeat.expect_pattern for the answer"},
	{"expect_json", "session.expect_json is for the wanted messages, session.heartbeat.expect_json for the answer"},
	{"expect_status", "what must stay shut cannot be held open"},
	{"stay_open_ms", "it stays open until something ends it"},
}

type ofRun struct{ key, instead string }

// expectations are the fields of which a session has at most one.
var expectations = []string{"expect", "expect_pattern", "expect_json"}

// sessionReader reads the mapping session of the defaults block and of the probes.
type sessionReader struct {
	nested[session.Spec]
	idle Probe // with nothing but the defaults of the table
}

func newSessionReader(r *reader) *sessionReader {
	s := &sessionReader{nested: newNested(r, sessionSection)}
	s.base = session.Spec{} // package session fills in the defaults, because some hold only beside other fields
	probeSection.setDefaults(&s.idle)
	return s
}

// defaults reads the mapping of the defaults block, and reports the problems that no probe can solve.
func (s *sessionReader) defaults(p yamltree.Pair, where yamltree.Path, format probe.MessageFormat) {
	if !s.nested.defaults(p, where) {
		return
	}
	spec := s.base
	spec.URL, spec.MessageFormat = "ws://localhost", format
	for _, f := range spec.Validate() {
		i, ok := s.fieldOf(f.Field)
		if !ok || len(f.Given) > 0 || s.unsound(i, f.Key) || !s.inherited.pairs[i].Present() {
			continue
		}
		s.tell(f, i, "")
		s.inherited.faulty[i] = true
		s.section.fields[i].value.copy(&s.base, new(session.Spec))
	}
}

// probe reads the mapping of a probe over that of the defaults block. A probe with a field that only a run can have
// inherits no session, because it cannot use one.
func (s *sessionReader) probe(r *probeReader, where yamltree.Path, p *Probe) {
	own := r.set.pairs[probeSection.index["session"]]
	if !own.Present() && (!s.inheritedAt.Present() || slices.ContainsFunc(ofRuns, func(o ofRun) bool { return s.given(r, o, p) })) {
		return
	}
	spec := s.base
	s.nested.probe(own, where, &spec)
	s.partial = s.partial || own.Present() && own.Value.Kind != yaml.MappingNode
	if slices.ContainsFunc(expectations, s.setsKey) {
		for _, key := range expectations { // one of the probe replaces that of the defaults block, whichever that is
			if i := s.section.index[key]; !s.sets(i) {
				s.section.fields[i].value.copy(&spec, new(session.Spec))
			}
		}
	}
	s.takeAway(&spec)
	p.Session = &spec
}

// takeAway drops what a session inherits and cannot use, or has taken away by saying nothing in its place.
func (s *sessionReader) takeAway(spec *session.Spec) {
	if spec.PingInterval == 0 && !s.setsKey("ping_timeout") && !s.faultyKey("ping_interval") {
		spec.PingTimeout = 0
	}
	if spec.MaxLifetime == 0 && !s.setsKey("renew") && !s.faultyKey("max_lifetime") {
		spec.Renew = ""
	}
	if beat := spec.Heartbeat; beat != nil && s.base.Heartbeat != nil && reflect.DeepEqual(*beat, session.Heartbeat{}) {
		spec.Heartbeat = nil
	}
}

// given reports whether the probe at hand sets a field of runs itself, to more than nothing.
func (s *sessionReader) given(r *probeReader, o ofRun, p *Probe) bool {
	i := probeSection.index[o.key]
	at := probeSection.fields[i].value.at
	return r.sets(i) && !reflect.DeepEqual(at(p), at(&s.idle))
}

// dropOfRuns drops the fields of runs that a session inherits.
func (s *sessionReader) dropOfRuns(r *probeReader, p *Probe) {
	for _, o := range ofRuns {
		if i := probeSection.index[o.key]; !r.sets(i) {
			probeSection.fields[i].value.copy(p, &s.idle)
			r.dropped[i] = true
		}
	}
}

// complete fills in what a session has from the other fields of its probe, reports its faults, and makes the Spec of
// the probe that of a run which opens it.
func (s *sessionReader) complete(r *probeReader, p *Probe, item *yaml.Node, where yamltree.Path) {
	for _, o := range ofRuns {
		if i := probeSection.index[o.key]; s.given(r, o, p) && !r.faulty(i) {
			f := probe.Fault{NotAllowed: true, Problem: "is not allowed with session: " + o.instead}
			r.reportFault(f, i, r.set, item, where)
		}
	}
	held := p.Session
	held.Opening, held.Timeout, held.MaxReply = p.Spec.Opening, p.Spec.Timeout, p.Spec.MaxReply
	held.Interpretation, held.MessageFormat, held.Exchange = p.Spec.Interpretation, p.Spec.MessageFormat, p.Spec.Exchange
	held.Connections = p.Spec.Connections
	for _, f := range held.Validate() {
		if i, ok := s.fieldOf(f.Field); ok {
			if !s.consequence(r, f, i) {
				s.tell(f, i, r.origin(f))
			}
		} else if i, ok := fieldOf(f); ok && !r.consequence(f, i) {
			r.reportFault(f, i, r.set, item, where)
		}
	}
	p.Spec = held.Run()
	if held.Interpretation == probe.ConnectionSuccess {
		p.Spec.Interpretation = held.Interpretation
	}
}

// fieldOf returns the field of the section that becomes a field of a Spec.
func (s *sessionReader) fieldOf(spec string) (int, bool) {
	i := slices.IndexFunc(s.section.fields, func(f field[session.Spec]) bool { return f.spec == spec })
	return i, i >= 0
}

// consequence reports whether a fault of a field of the section follows from one that was reported already.
func (s *sessionReader) consequence(r *probeReader, f probe.Fault, i int) bool {
	if s.unsound(i, f.Key) {
		return true
	}
	return slices.ContainsFunc(f.Given, func(other string) bool {
		if j, ok := s.fieldOf(other); ok {
			return s.unsound(j, "")
		}
		return r.unsound(other)
	})
}

// unsound reports whether the value that holds in a field, or the element of it, is wrong by itself.
func (s *sessionReader) unsound(i int, element string) bool {
	from := s.inherited
	if s.sets(i) {
		from = s.set
	}
	return s.faulty(i) || from.faultyItems[[2]string{s.section.fields[i].Key(), element}]
}

// tell reports a fault of a field of the section at its place.
func (s *sessionReader) tell(f probe.Fault, i int, origin string) {
	p, where := s.place(i)
	present := s.sets(i) || s.inherited.pairs[i].Present()
	switch {
	case !present:
	case f.Field == "Heartbeat" && f.Key != "":
		p, where = s.stepOf(f, p, where.Inside())
	case f.Field == "Heartbeat":
		p, where = entryOf(s.reader, heartbeatSection, f, p.ValueAt, where.Inside())
	case f.Field == "Reconnect":
		p, where = entryOf(s.reader, reconnectSection, f, p.ValueAt, where.Inside())
	case f.Field == "Answers" && f.Key != "":
		p, where = itemOf(s.reader, answerSection, f, p.Value, where)
	case f.Key != "":
		p, where, _ = s.Entry(p, f.Key, where.Name(f.Key))
	}
	if present && p.Value.Kind == yaml.MappingNode && slices.ContainsFunc(p.Value.Content, s.Unknown) {
		return // a stand-in may be empty, so nothing is known to be missing
	}
	s.reader.tell(f, p, where, present, origin)
}

// stepOf returns the place of a fault in a step of the heartbeat.
func (s *sessionReader) stepOf(f probe.Fault, heartbeat yamltree.Pair, where yamltree.Path) (yamltree.Pair, yamltree.Path) {
	steps, at, found := s.Entry(heartbeat, "steps", where.Field("steps"))
	if !found || steps.Value.Kind != yaml.SequenceNode {
		return steps, at
	}
	return itemOf(s.reader, stepSection, f, steps.Value, at)
}

// checkSigns warns of a session that nothing would tell from a dead one.
func (s *sessionReader) checkSigns(p *Probe) {
	if p.Session == nil || p.Session.PingInterval > 0 || p.Session.Heartbeat != nil || p.Session.MaxSilence > 0 {
		return
	}
	at, where := s.setAt, s.setIn
	if !at.Present() {
		at, where = s.inheritedAt, s.inheritedIn
	}
	s.Warn(at.Value, at.ValueAt, where, "has no ping_interval, heartbeat or max_silence: an endpoint that vanishes without a word counts as open")
}
