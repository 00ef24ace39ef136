package config

import (
	"net/url"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/config/internal/yamltree"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/session"
)

// streamEntry is a stream as a file has it.
type streamEntry struct {
	Stream
	// way has the fields that a stream shares with a probe: its Opening, and the Timeout of an open.
	way    Probe
	events string // all or changes
}

// streamReader reads the list of streams. Nothing is inherited, so every layer of its parts is that of the entry.
type streamReader struct {
	*reader
	layers
	config    Config // all but its streams
	names     map[string]*yaml.Node
	dirs      map[string]string // by directory: the place of the field that has it
	proxies   *proxies
	tls       *tlsReader
	auth      *authReader
	encoding  nested[Encoding]
	csv       nested[Encoding]
	batch     nested[Batch]
	buffer    nested[StreamBuffer]
	reconnect nested[session.Reconnect]
	digests   digester
	misnamed  bool // the encoding at hand has a fault already, from which others may follow
}

// streams reads the streams of all files, after everything else.
func (s *fileSet) streams(files *tlsFiles, config Config) []Stream {
	if !slices.ContainsFunc(s.files, func(f fileTree) bool { return f.pair("streams").Present() }) {
		return nil
	}
	s.unreadable, s.inheritedReferences = nil, nil
	reader := newStreamReader(s.reader, files, config)
	var streams []Stream
	for _, f := range s.files {
		if p := f.pair("streams"); p.Present() {
			streams = reader.list(p, streams)
		}
	}
	return streams
}

// list reads the streams of a file, and returns them behind those of the files before.
func (r *streamReader) list(p yamltree.Pair, streams []Stream) []Stream {
	n, where := p.Value, yamltree.Path{Key: "streams"}
	if n.Kind != yaml.SequenceNode || n.Tag != yamltree.SeqTag {
		r.At(n, where, "must be a list of mappings, each with a url, got %s", yamltree.Describe(n))
		return streams
	}
	if all := len(streams) + len(n.Content); all > maxStreams {
		r.At(n, where, "must be at most %d, got %d", maxStreams, all)
		return streams
	}
	for i, item := range n.Content {
		if r.Exhausted() {
			break
		}
		streams = append(streams, r.stream(item, yamltree.Path{Section: "streams", Index: i + 1}))
	}
	return streams
}

func newStreamReader(r *reader, files *tlsFiles, config Config) *streamReader {
	s := &streamReader{
		reader:    r,
		layers:    newLayers(len(streamSection.fields)),
		config:    config,
		names:     make(map[string]*yaml.Node),
		dirs:      make(map[string]string),
		proxies:   newProxies(r.Report),
		tls:       newTLSReader(r, files),
		auth:      newAuthReader(r),
		encoding:  newNested(r, encodingSection),
		csv:       newNested(r, csvSection),
		batch:     newNested(r, batchSection),
		buffer:    newNested(r, bufferSection),
		reconnect: newNested(r, streamReconnectSection),
	}
	if dir := config.OTLP.Spool.Dir; dir != "" {
		s.dirs[absolute(dir)] = "otlp.spool.dir"
	}
	r.take() // those of the probes
	return s
}

// stream reads one stream and validates it as a whole.
func (r *streamReader) stream(item *yaml.Node, where yamltree.Path) Stream {
	m := yamltree.Follow(item)
	if yamltree.IsText(m) {
		r.Used(m, item, where, "must be a mapping, got text: write {url: ...}")
		return Stream{}
	}
	var s streamEntry
	streamSection.setDefaults(&s)
	r.set.reset()
	faults, lost := r.Count(), r.LostMerges
	decode(r.reader, streamSection, m, yamltree.AliasOf(item), where, &s, r.set)
	r.partial = r.LostMerges > lost
	if m.Kind != yaml.MappingNode || m.Tag != yamltree.MapTag || r.Exhausted() {
		return s.Stream // there is nothing to be complete
	}
	if i := streamSection.index["proxy_url"]; !r.sets(i) {
		s.way.Spec.Proxy = r.proxies.of(s.way.Spec.URL)
	}
	r.tls.probe(r.pair("tls"), where, &s.way.Spec)
	r.auth.probe(r.pair("auth"), where, &s.way, new(Probe))
	s.authAt = s.way.authAt
	r.parts(&s, where)
	r.validate(&s, item, where)
	noted := r.take()
	s.shownURL, s.way.Spec.Secrets = noted.url, noted.texts
	if i := streamSection.index["url"]; r.Blind && r.sets(i) && (r.set.faulty[i] || r.Substituted(r.set.pairs[i].Value)) {
		s.shownURL = notKnown
	}
	s.way.shownURL = s.shownURL
	if r.Count() == faults {
		s.complete()
		s.Digest = r.digest(&s, noted.references)
	}
	return s.Stream
}

// parts reads the mappings of a stream that have fields of their own.
func (r *streamReader) parts(s *streamEntry, where yamltree.Path) {
	s.Encoding, s.Batch, s.Buffer, s.Reconnect = r.encoding.base, r.batch.base, r.buffer.base, r.reconnect.base
	faults := r.Count()
	r.encoding.probe(r.pair("encoding"), where, &s.Encoding)
	csvSection.setDefaults(&s.Encoding)
	r.csv.probe(r.encoding.set.pairs[encodingSection.index["csv"]], where, &s.Encoding)
	r.misnamed = r.Count() > faults
	r.batch.probe(r.pair("batch"), where, &s.Batch)
	r.buffer.probe(r.pair("buffer"), where, &s.Buffer)
	r.reconnect.probe(r.pair("reconnect"), where, &s.Reconnect)
	if !r.buffer.setsKey("max_size") {
		s.Buffer.MaxSize = diskBytes
	}
	if s.Buffer.Type == bufferMemory {
		if !r.buffer.setsKey("max_events") {
			s.Buffer.MaxEvents = memoryEvents
		}
		if !r.buffer.setsKey("max_size") {
			s.Buffer.MaxSize = memoryBytes
		}
	}
	if !r.reconnect.setsKey("max") {
		s.Reconnect.Max = max(s.Reconnect.Max, s.Reconnect.Min)
	}
}

// complete fills in the fields of a valid stream that come from its parts.
func (s *streamEntry) complete() {
	spec := s.way.Spec.WithDefaults()
	s.Opening, s.Timeout = spec.Opening, spec.Timeout
	s.Select.Changes = s.events == eventsChanges
}

// open returns the way to the endpoint as the Spec of a run that only opens it.
func (s *streamEntry) open() probe.Spec {
	return probe.Spec{Opening: s.way.Spec.Opening, Timeout: s.way.Spec.Timeout, Interpretation: probe.ConnectionSuccess}
}

// pair returns the field of this key in the entry at hand.
func (r *streamReader) pair(key string) yamltree.Pair { return r.set.pairs[streamSection.index[key]] }

// InMemory is the number of bytes of events that can wait in memory. A buffer on disk keeps at most onDisk there.
func (b StreamBuffer) InMemory(onDisk int64) int64 {
	if b.Type == bufferDisk {
		return min(b.MaxSize, onDisk)
	}
	return b.MaxSize
}

// hostOf returns the host of a URL, without its port.
func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// name gives a stream without a name that of its host, and checks that no other stream has it.
func (r *streamReader) name(s *streamEntry, item *yaml.Node, where yamltree.Path) {
	i := streamSection.index["name"]
	p, advice := r.set.pairs[i], ""
	if r.set.faulty[i] || r.set.resembled[i] || r.partial {
		return
	}
	if !p.Present() {
		if j := streamSection.index["url"]; !r.sets(j) || r.set.faulty[j] {
			return
		}
		s.Name, advice = hostOf(s.way.Spec.URL), ": give one of them a name"
		p = yamltree.Pair{Value: yamltree.Follow(item), ValueAt: item}
	}
	if s.Name == "" || r.Blind && (r.Substituted(p.Value) || r.pair("url").Present() && r.Substituted(r.pair("url").Value)) {
		return
	}
	if first := r.names[s.Name]; first != nil {
		r.At(p.ValueAt, where.Field("name"), "must be unique, %s has it already%s", r.Seen(first, p.ValueAt), advice)
		return
	}
	r.names[s.Name] = p.ValueAt
}

// digest returns the digest of a valid stream. The references are those of its fields.
func (r *streamReader) digest(s *streamEntry, references map[string]string) Digest {
	d := &r.digests
	d.text = d.text[:0]
	d.envProxy = !r.sets(streamSection.index["proxy_url"])
	for i := range streamSection.fields {
		f := &streamSection.fields[i]
		d.references = references
		switch {
		case !f.value.kept(): // its mapping follows
		case f.secret == sentInURL:
			d.addURL(&s.way)
		default:
			f.value.digest(d, s, f.Key())
		}
	}
	own := func(int) map[string]string { return references }
	d.tls = r.tls.effective.canonical()
	addSection(d, probeTLSSection, "tls.", &d.tls, own)
	addSection(d, authSection, "auth.", &r.auth.effective, own)
	addSection(d, encodingSection, "encoding.", &s.Encoding, own)
	addSection(d, csvSection, "encoding.csv.", &s.Encoding, own)
	addSection(d, batchSection, "batch.", &s.Batch, own)
	addSection(d, bufferSection, "buffer.", &s.Buffer, own)
	addSection(d, streamReconnectSection, "reconnect.", &s.Reconnect, own)
	return d.sum()
}

// streamFields are the fields of streams for [Fields].
func streamFields() []Field {
	tls, auth := probeTLSSection.docs(), authSection.docs()
	return unfold(streamSection.docs(), map[string][]Field{
		"streams[].tls":          moved(tls, "probes[].tls.", "streams[].tls."),
		"streams[].auth":         moved(auth, "probes[].auth.", "streams[].auth."),
		"streams[].encoding":     encodingSection.docs(),
		"streams[].encoding.csv": csvSection.docs(),
		"streams[].batch":        batchSection.docs(),
		"streams[].buffer":       bufferSection.docs(),
		"streams[].reconnect":    streamReconnectSection.docs(),
	})
}

// fieldOfStream returns the field that a fault of an Opening is about.
func fieldOfStream(f probe.Fault) (int, bool) {
	i := slices.IndexFunc(streamSection.fields, func(field field[streamEntry]) bool { return field.spec == f.Field })
	return i, i >= 0
}
