package config

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/config/internal/excerpt"
	"github.com/wsprobe/wsprobe/config/internal/yamltree"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/session"
	"github.com/wsprobe/wsprobe/probe/shape"
	"github.com/wsprobe/wsprobe/reasons"
)

// The words of the choices of a stream that decide about others.
const (
	eventsAll     = "all"
	eventsChanges = "changes"
	ackWritten    = "written"
	ackPong       = "pong"
	ackMessage    = "message"
	bufferMemory  = "memory"
	bufferDisk    = "disk"
	dropOldest    = "drop_oldest"
	dropNewest    = "drop_newest"
	healthLog     = "log"
	healthRequire = "require"
	healthOff     = "off"
)

// validate reports the faults of a stream whose fields were read.
func (r *streamReader) validate(s *streamEntry, item *yaml.Node, where yamltree.Path) {
	r.name(s, item, where)
	for _, f := range s.open().Validate() {
		if i, ok := fieldOfStream(f); ok && !r.consequence(f, i) {
			r.reportFault(f, i, item, where)
		}
	}
	r.checkSelection(s, where)
	r.checkEncoding(&s.Encoding)
	r.checkPings(s, where)
	r.checkAcks(s, where)
	r.checkBatch(&s.Batch)
	r.checkBuffer(&s.Buffer)
	if s.Ready && r.config.Agent.Listen == "" {
		p := r.pair("ready")
		r.Warn(p.Value, p.ValueAt, where.Field("ready"), "has no effect: agent.listen is empty, so there is no /readyz")
	}
	if min := s.Reconnect.Min; s.Reconnect.Max < min && !r.reconnect.faultyKey("max") && !r.reconnect.faultyKey("min") {
		r.reconnect.reportAll([]finding{{key: "max", problem: "must not be shorter than min, which is " + shortDuration(min)}})
	}
}

// complete reports whether all probes are known: secrets are there, and no target comes later.
func (r *streamReader) complete() bool { return !r.Blind && len(r.config.Discover) == 0 }

// consequence reports whether a fault of the Opening follows from one that was reported already.
func (r *streamReader) consequence(f probe.Fault, i int) bool {
	if r.faulty(i) || r.set.faultyItems[[2]string{streamSection.fields[i].Key(), f.Key}] {
		return true
	}
	return slices.ContainsFunc(f.Given, func(other string) bool {
		j, ok := fieldOfStream(probe.Fault{Field: other})
		return ok && (r.faulty(j) || r.set.faultyItems[[2]string{streamSection.fields[j].Key(), ""}])
	})
}

// reportFault reports a fault of the Opening at its place.
func (r *streamReader) reportFault(f probe.Fault, i int, item *yaml.Node, where yamltree.Path) {
	p, present := r.set.pairs[i], r.sets(i)
	where = where.Field(streamSection.fields[i].Key())
	if present {
		p, where = r.elementOf(f, p, where)
	} else {
		p = yamltree.Pair{Value: yamltree.Follow(item), ValueAt: item}
	}
	r.tell(f, p, where, present, "")
}

// problem reports a problem of a field of the entry at hand that is set.
func (r *streamReader) problem(key string, where yamltree.Path, problem string) {
	p := r.pair(key)
	r.Used(p.Value, p.ValueAt, where.Field(key), "%s", problem)
}

// sound reports whether the entry at hand sets the field of this key to a value that is right by itself.
func (r *streamReader) sound(key string) bool {
	i := streamSection.index[key]
	return r.sets(i) && !r.set.faulty[i]
}

// checkPings checks the interval of Pings, and warns of a link that can break without notice.
func (r *streamReader) checkPings(s *streamEntry, where yamltree.Path) {
	if !r.sound("ping_interval") {
		return
	}
	switch {
	case s.PingInterval != 0 && s.PingInterval < session.MinInterval:
		r.problem("ping_interval", where, "must be 0s or at least "+shortDuration(session.MinInterval)+", got "+shortDuration(s.PingInterval))
	case s.PingInterval == 0 && s.Acknowledgements == ackWritten && !r.set.faulty[streamSection.index["acknowledgements"]]:
		p := r.pair("ping_interval")
		r.Warn(p.Value, p.ValueAt, where.Field("ping_interval"), "is 0s: with acknowledgements written an endpoint that vanishes without a word counts as connected")
	}
}

// checkAcks checks that an acknowledgement can name an event.
func (r *streamReader) checkAcks(s *streamEntry, where yamltree.Path) {
	i := streamSection.index["acknowledgements"]
	if r.faulty(i) {
		return
	}
	if s.Acknowledgements != ackMessage {
		if r.sets(streamSection.index["acknowledgement_path"]) {
			r.problem("acknowledgement_path", where, "is not allowed with acknowledgements "+s.Acknowledgements+": only a message names an event")
		}
		return
	}
	if key := r.withoutID(&s.Encoding); key != "" {
		r.problem("acknowledgements", where, "must not be message: "+key+" leaves out the field id, which the answer has to repeat")
	}
}

// ackPathProblem checks the path of an id, by the rules for the paths of a session.
func ackPathProblem(path string) string {
	spec := session.Spec{Opening: probe.Opening{URL: "ws://localhost"}, Sequence: path}
	for _, f := range spec.Validate() {
		if f.Field == "Sequence" {
			return f.Problem
		}
	}
	return ""
}

// checkBatch warns of a wait that has no effect.
func (r *streamReader) checkBatch(b *Batch) {
	if i := batchSection.index["linger"]; r.batch.sets(i) && !r.batch.faulty(i) && b.MaxEvents == 1 && b.Linger > 0 && !r.batch.faultyKey("max_events") {
		p, where := r.batch.place(i)
		r.Warn(p.Value, p.ValueAt, where, "has no effect: max_events is 1, so no event waits for another")
	}
}

// checkBuffer checks the directory of a buffer against its type, and that nobody else has it.
func (r *streamReader) checkBuffer(b *StreamBuffer) {
	switch {
	case r.buffer.faultyKey("type"), r.buffer.faultyKey("dir"):
		return
	case b.Type == bufferMemory && r.buffer.setsKey("dir"):
		r.buffer.reportAll([]finding{{key: "dir", problem: "needs type disk"}})
	case b.Type == bufferDisk && !r.buffer.setsKey("dir"):
		r.buffer.reportAll([]finding{{key: "dir", problem: "is required with type disk"}})
	case b.Type == bufferDisk:
		p, where := r.buffer.place(bufferSection.index["dir"])
		if r.Unknown(p.Value) {
			return
		}
		dir := absolute(b.Dir)
		if other := r.dirs[dir]; other != "" {
			r.Used(p.ValueAt, p.ValueAt, where, "must be a directory of its own: %s has it already", other)
			return
		}
		r.dirs[dir] = where.String()
	}
}

// absolute returns the name of a directory that tells it from others.
func absolute(dir string) string {
	if full, err := filepath.Abs(dir); err == nil {
		return full
	}
	return filepath.Clean(dir)
}

// checkSelection checks the words of a selection, and warns of one that nothing fits.
func (r *streamReader) checkSelection(s *streamEntry, where yamltree.Path) {
	r.eachText("reasons", where, func(n *yaml.Node, at yamltree.Path) {
		problem := choiceProblem(&Field{Allowed: reasons.Names()}, n.Value)
		if problem != "" && failureWords[strings.ToLower(n.Value)] {
			problem += ": name the reasons of failures one by one"
		}
		if problem != "" {
			r.Used(n, n, at, "%s", problem)
		}
	})
	r.eachText("probes", where, func(n *yaml.Node, at yamltree.Path) {
		switch {
		case n.Value == "":
			r.Used(n, n, at, "must not be empty")
		case len(n.Value) > maxPattern:
			r.Used(n, n, at, "must be at most %d bytes, got %d", maxPattern, len(n.Value))
		case r.complete() && !slices.ContainsFunc(r.config.Probes, func(p Probe) bool { return shape.Matches(n.Value, p.Name) }):
			r.Warn(n, n, at, "fits the name of no probe%s", didYouMean(suggest(n.Value, r.probeNames())))
		}
	})
	for _, name := range slices.Sorted(maps.Keys(s.Select.Labels)) {
		if !slices.ContainsFunc(r.config.Probes, func(p Probe) bool { return p.Labels[name] == s.Select.Labels[name] }) && r.complete() {
			p, at, _ := r.Entry(r.pair("labels"), name, where.Field("labels").Name(name))
			r.Warn(p.Value, p.ValueAt, at, "is the label of no probe")
		}
	}
}

// failureWords are words of people who mean every reason but ok.
var failureWords = map[string]bool{"!ok": true, "not ok": true, "failed": true, "failure": true, "fail": true, "error": true, "errors": true, "down": true, "nok": true}

// eachText calls check with the texts of a list, and checks how many they are.
func (r *streamReader) eachText(key string, where yamltree.Path, check func(n *yaml.Node, at yamltree.Path)) {
	if !r.sound(key) {
		return
	}
	p, list, where := r.pair(key), r.pair(key).Value.Content, where.Field(key)
	if most := streamSection.fields[streamSection.index[key]].Max; int64(len(list)) > most {
		r.Used(p.Value, p.ValueAt, where, "must have at most %d entries, got %d", most, len(list))
		return
	}
	for i, element := range list {
		if element = yamltree.Follow(element); yamltree.IsText(element) && !(r.Unknown(element)) {
			check(element, where.Item(i))
		}
	}
}

// probeNames returns the names of at most so many probes that guesses are cheap.
func (r *streamReader) probeNames() []string {
	var names []string
	for _, p := range r.config.Probes[:min(len(r.config.Probes), 100)] {
		names = append(names, p.Name)
	}
	return names
}

// delimiterProblem checks the character between two columns.
func delimiterProblem(text string) string {
	if strings.ContainsAny(text, "\"\r\n\ufffd") {
		return "must not be a quote or a line break, got " + excerpt.Quote(text)
	}
	return ""
}
