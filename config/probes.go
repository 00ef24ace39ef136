package config

import (
	"maps"
	"reflect"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/config/internal/yamltree"
	"github.com/wsprobe/wsprobe/probe"
)

// probeReader reads the defaults block and the probes.
type probeReader struct {
	*reader
	layers
	base    Probe          // what every probe begins with
	dropped []bool         // by field: the probe at hand does not inherit it
	names   map[string]int // of probes, and the lines of their nodes, because the nodes are not kept
	proxies *proxies
	tls     *tlsReader
	auth    *authReader
	health  *healthReader
	session *sessionReader
	digests digester
	target  *targetParts // of the probe at hand; nil for a probe of the file
	taken   []string     // names that no label may have beside a target
}

func newProbeReader(r *reader, files *tlsFiles) *probeReader {
	p := &probeReader{
		reader:  r,
		layers:  newLayers(len(probeSection.fields)),
		dropped: make([]bool, len(probeSection.fields)),
		names:   make(map[string]int),
		proxies: newProxies(r.Report),
		tls:     newTLSReader(r, files),
		auth:    newAuthReader(r),
		health:  newHealthReader(r),
		session: newSessionReader(r),
		digests: digester{sums: make(map[int]Digest)},
	}
	probeSection.setDefaults(&p.base)
	r.take() // those of the exporter
	return p
}

// defaults reads the defaults block. Its faults are reported here and for no probe again: where a value is
// wrong, probes inherit one that is right.
func (r *probeReader) defaults(p yamltree.Pair) {
	where := yamltree.Path{Section: "defaults"}
	decode(r.reader, defaultsSection, p.Value, yamltree.AliasOf(p.ValueAt), where, &r.base, r.inherited)
	r.unreadable = make(map[string]bool)
	for i := range probeSection.fields {
		r.unreadable[probeSection.fields[i].Key()] = r.inherited.faulty[i]
	}
	r.tls.defaults(r.inherited.pairs[probeSection.index["tls"]], where)
	r.health.defaults(r.inherited, where)
	r.session.defaults(r.inherited.pairs[probeSection.index["session"]], where, r.base.Spec.MessageFormat)
	spec := r.base.Spec
	spec.URL = "ws://localhost"
	spec.Authorize = r.auth.defaults(r.inherited.pairs[probeSection.index["auth"]], where)
	noted := r.take()
	r.base.Spec.Secrets, r.inheritedReferences = noted.texts, noted.references
	r.releaseDoubts(r.base.Spec.MessageFormat, r.base.Spec.Opening)
	for _, f := range spec.Validate() {
		if i, ok := fieldOf(f); ok && len(f.Given) == 0 && r.inherited.pairs[i].Present() {
			r.reportFault(f, i, r.inherited, p.ValueAt, where)
			r.neutralize(f, i)
		}
	}
}

// neutralize removes a default that is wrong by itself, so that nothing follows from it.
func (r *probeReader) neutralize(f probe.Fault, i int) {
	headers := maps.Clone(r.base.Spec.Headers) // which others may share
	switch {
	case f.Field == "Headers" && f.Key != "" && f.NotAllowed:
		delete(headers, f.Key)
		r.base.Spec.Headers = headers
	case f.Field == "Headers" && f.Key != "" && headers != nil:
		headers[f.Key] = standIn
		r.base.Spec.Headers = headers
	default:
		if f := &probeSection.fields[i]; f.value.kept() {
			f.value.copy(&r.base, new(Probe))
		}
		r.inherited.faulty[i] = true
		r.unreadable[probeSection.fields[i].Key()] = true
	}
}

// list reads the probes.
func (r *probeReader) list(p yamltree.Pair) []Probe {
	n := p.Value
	if n.Kind != yaml.SequenceNode || n.Tag != yamltree.SeqTag {
		r.At(n, yamltree.Path{Key: "probes"}, "must be a list, got %s", yamltree.Describe(n))
		return nil
	}
	// Of a long list, the nodes take more memory than the probes. An alias could lead to them again.
	once := n.Anchor == "" && p.Key == p.KeyAt && p.Value == p.ValueAt
	probes := make([]Probe, len(n.Content))
	for i, item := range n.Content {
		if r.Exhausted() {
			return probes[:i]
		}
		if r.probe(item, yamltree.Path{Section: "probes", Index: i + 1}, &probes[i]); once {
			n.Content[i] = nil
		}
	}
	return probes
}

// probe reads one probe into its place, and validates it as a whole.
func (r *probeReader) probe(item *yaml.Node, where yamltree.Path, p *Probe) {
	m := yamltree.Follow(item)
	*p = r.base
	r.set.reset()
	clear(r.dropped)
	faults, lost := r.Count(), r.LostMerges
	decode(r.reader, probeSection, m, yamltree.AliasOf(item), where, p, r.set)
	r.partial = r.LostMerges > lost
	if m.Kind != yaml.MappingNode || m.Tag != yamltree.MapTag || r.Exhausted() {
		return // there is nothing to be complete
	}
	r.name(p.Name, item, where)
	if request := p.Spec.Prepare; request != nil && r.base.Spec.Prepare != nil && r.sets(probeSection.index["prepare"]) && reflect.DeepEqual(*request, probe.Prepare{}) {
		p.Spec.Prepare = nil
	}
	if r.target != nil {
		r.addTarget(p, item, where)
	}
	if i := probeSection.index["proxy_url"]; !r.sets(i) && !r.inherited.pairs[i].Present() {
		p.Spec.Proxy = r.proxies.of(p.Spec.URL)
	}
	r.tls.probe(r.set.pairs[probeSection.index["tls"]], where, &p.Spec)
	r.auth.probe(r.set.pairs[probeSection.index["auth"]], where, p, &r.base)
	p.Spec.Connections = connectionsOf(p.connections)
	for _, c := range p.connections {
		r.auth.waitForTokens(c.auth.settings.strategy, &p.Spec)
	}
	r.health.probe(r, where, p)
	r.session.probe(r, where, p)
	r.dropUnusable(p)
	// Collections that are too large are a fault, which is found by looking at each element. Aliases could ask
	// for that over and over.
	if n := len(p.Spec.Headers) + len(p.Spec.Protocols); n > probe.MaxHeaders+probe.MaxProtocols && !r.Spend(n, m) {
		return
	}
	r.validate(p, item, where)
	noted := r.take()
	p.shownURL, p.Spec.Secrets = noted.url, union(r.base.Spec.Secrets, noted.texts)
	if i := probeSection.index["url"]; r.Blind && r.sets(i) && (r.set.faulty[i] || r.Substituted(r.set.pairs[i].Value)) {
		p.shownURL = notKnown
	}
	if r.Count() == faults {
		p.Spec = p.Spec.WithDefaults()
		if p.Session != nil {
			*p.Session = p.Session.WithDefaults()
			p.Session.Opening = p.Spec.Opening
		}
		p.Digest = r.digest(p, noted.references)
		r.checkWhole(p, where)
	} else if !r.sets(probeSection.index["prepare"]) {
		r.releaseDoubts(probe.FormatHex, p.Spec.Opening) // but those about messages, because faults may be about them
	}
	r.doubts = r.doubts[:0]
}

// validate reports the faults that the fields of a probe have together.
func (r *probeReader) validate(p *Probe, item *yaml.Node, where yamltree.Path) {
	if p.Session != nil {
		r.session.complete(r, p, item, where)
		return
	}
	for _, f := range p.Spec.Validate() {
		if i, ok := fieldOf(f); ok && !r.consequence(f, i) {
			r.reportFault(f, i, r.set, item, where)
		}
	}
}

// name checks that a probe has a name, and that no other one has it.
func (r *probeReader) name(name string, item *yaml.Node, where yamltree.Path) {
	i := probeSection.index["name"]
	p := r.set.pairs[i]
	if !p.Present() {
		if !r.partial && !r.set.resembled[i] {
			r.Used(yamltree.Follow(item), item, where.Field("name"), "is required")
		}
		return
	}
	if r.set.faulty[i] || r.Unknown(p.Value) {
		return
	}
	if first, taken := r.names[name]; taken {
		r.At(p.ValueAt, where.Field("name"), "must be unique, %s has it already", r.SeenAt(first, p.ValueAt))
		return
	}
	r.names[name] = p.ValueAt.Line
}

// dropUnusable drops defaults that the probe cannot use. A default message is for the probes that send one, a default
// ping mode for those whose interpretation it serves. Any other conflict is a fault.
func (r *probeReader) dropUnusable(p *Probe) {
	if p.Session != nil {
		r.session.dropOfRuns(r, p)
		return
	}
	inherited := func(key string) bool {
		i := probeSection.index[key]
		r.dropped[i] = !r.set.pairs[i].Present()
		return r.dropped[i]
	}
	roundTrip := p.Spec.Interpretation == probe.RoundTripLatency
	if roundTrip == (p.Spec.PingMode == probe.PingNone) && inherited("ping_mode") {
		p.Spec.PingMode = ""
	}
	mode := p.Spec.WithDefaults().PingMode
	sends := roundTrip && (mode == probe.PingMessage || mode == probe.PingBoth)
	own := func(keys ...string) bool {
		return slices.ContainsFunc(keys, func(key string) bool { return r.set.pairs[probeSection.index[key]].Present() })
	}
	if (!sends || own("send_message")) && inherited("exchange") {
		p.Spec.Exchange = nil
	}
	if (!sends || own("exchange")) && inherited("send_message") {
		p.Spec.Send = ""
	}
	if !sends && !own("exchange") && inherited("message_format") {
		p.Spec.MessageFormat = ""
	}
	if p.Spec.ExpectStatus != 0 && inherited("stay_open_ms") {
		p.Spec.StayOpen = 0
	}
	if (!sends || own("expect_pattern", "expect_json", "exchange")) && inherited("expect_message") {
		p.Spec.Expect = ""
	}
	if (!sends || own("expect_message", "expect_json", "exchange")) && inherited("expect_pattern") {
		p.Spec.ExpectPattern = ""
	}
	if (!sends || own("expect_message", "expect_pattern", "exchange")) && inherited("expect_json") {
		p.Spec.ExpectJSON = nil
	}
}
