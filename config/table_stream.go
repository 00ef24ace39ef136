package config

import (
	"time"

	"github.com/wsprobe/wsprobe/probe/session"
	"github.com/wsprobe/wsprobe/probe/shape"
)

// Limits of streams.
const (
	maxStreams       = 8
	maxStreamWorkers = 8
	maxSelections    = 100
	maxPattern       = 512
	maxEventFields   = 200
	maxStaticFields  = 32
	maxFieldName     = 128
	maxBatchEvents   = 1000
	maxBatchBytes    = 4 << 20
	maxLinger        = time.Minute
	maxDrain         = time.Minute
	maxWriteTimeout  = 10 * time.Minute
)

// Defaults that hold for one kind of buffer.
const (
	memoryEvents = 10_000
	memoryBytes  = 16 << 20
	diskBytes    = 256 << 20
)

var streamSection = newSection("streams", "streams[].", false, []field[streamEntry]{
	{Field: Field{Path: "name", Kind: Text, Min: 1, Max: 128,
		Doc: "name of the stream, unique in all files; the attribute wsprobe.stream.name; the default is the host of url"},
		value: textAt(func(s *streamEntry) *string { return &s.Name }, nameProblem), secret: public},
	likeProbe("url", ""),
	likeProbe("headers", ""),
	likeProbe("auth", "credentials of the upgrade request, with the fields of auth of a probe"),
	likeProbe("tls", "certificates of the endpoint and of this agent, with the fields of tls of a probe; wss:// only, but ca_file also for an https:// proxy"),
	likeProbe("protocols", ""),
	likeProbe("expect_protocol", "the one of protocols that the server must pick; with another, or none, the stream does not open"),
	likeProbe("proxy_url", ""),
	likeProbe("compression", "whether to offer permessage-deflate (RFC 7692) for the messages; a server may decline"),
	likeProbe("connect_to", ""),
	likeProbe("ip_version", ""),
	likeProbe("timeout_ms", "deadline of an open, from its start to the open socket"),
	{Field: Field{Path: "probes", Kind: List, Max: maxSelections,
		Doc: "names of the probes whose events the stream carries, in which * stands for any text; without it all do"},
		value: listAt(func(s *streamEntry) *[]string { return &s.Select.Probes }), secret: public},
	{Field: Field{Path: "labels", Kind: Map, Max: maxLabels, Doc: "labels that these probes must have, all of them"},
		value: mapAt(func(s *streamEntry) *map[string]string { return &s.Select.Labels }), secret: public},
	{Field: Field{Path: "reasons", Kind: List, Max: maxSelections, Doc: "reasons that these events must have one of, ok among them"},
		value: listAt(func(s *streamEntry) *[]string { return &s.Select.Reasons }), secret: public},
	{Field: Field{Path: "events", Kind: Choice, Default: eventsAll, Allowed: []string{eventsAll, eventsChanges},
		Doc: "all events, or only those that change the state of a probe"},
		value: wordAt(func(s *streamEntry) *string { return &s.events })},
	{Field: Field{Path: "encoding", Kind: Section, Doc: "how an event is written"}},
	{Field: Field{Path: "batch", Kind: Section, Doc: "how many events a message holds"}},
	{Field: Field{Path: "ping_interval", Kind: Duration, Default: "30s", Max: int64(session.MaxInterval),
		Doc: "time between two Ping frames, at least 100ms, or 0s for none but those that ask for an acknowledgement"},
		value: durationAt(func(s *streamEntry) *time.Duration { return &s.PingInterval })},
	{Field: Field{Path: "ping_timeout", Kind: Duration, Default: "10s", Min: int64(session.MinInterval), Max: int64(session.MaxInterval),
		Doc: "time for a Pong, from each Ping; it may be shorter or longer than ping_interval, and no two Pings are under way"},
		value: durationAt(func(s *streamEntry) *time.Duration { return &s.PingTimeout })},
	{Field: Field{Path: "write_timeout", Kind: Duration, Default: "10s", Min: int64(session.MinInterval), Max: int64(maxWriteTimeout),
		Doc: "time to write one message; the connection is closed when it passes"},
		value: durationAt(func(s *streamEntry) *time.Duration { return &s.WriteTimeout })},
	{Field: Field{Path: "acknowledgements", Kind: Choice, Default: ackPong, Allowed: []string{ackWritten, ackPong, ackMessage},
		Doc: "proof that an event has arrived: it was written to the socket; or a Pong came that repeats a Ping sent after it, so " +
			"that the next WebSocket hop has read it; or a message came with its id. What is not proven is sent again"},
		value: choiceAt(func(s *streamEntry) *string { return &s.Acknowledgements }, nil)},
	{Field: Field{Path: "acknowledgement_path", Kind: Text, Default: "id", Max: 1024,
		Doc: "path in JSON of the event's id, or of an array of them, in a message that acknowledges; \"\" if the whole text is the id; " +
			"with acknowledgements message only"},
		value: textAt(func(s *streamEntry) *string { return &s.AckPath }, ackPathProblem), secret: public},
	{Field: Field{Path: "buffer", Kind: Section, Doc: "where events wait until their delivery is proven"}},
	{Field: Field{Path: "workers", Kind: Integer, Default: "1", Min: 1, Max: maxStreamWorkers,
		Doc: "number of connections; the events of one probe always take the same one, in order"},
		value: integerAt(func(s *streamEntry) *int { return &s.Workers })},
	{Field: Field{Path: "reconnect", Kind: Section, Doc: "bounds of the random waits before a connection that ended is opened anew"}},
	{Field: Field{Path: "drain", Kind: Duration, Default: "2s", Max: int64(maxDrain),
		Doc: "time for which a stopping agent goes on sending, and waits for proof, before it closes with 1001"},
		value: durationAt(func(s *streamEntry) *time.Duration { return &s.Drain })},
	{Field: Field{Path: "health_check", Kind: Choice, Default: healthLog, Allowed: []string{healthLog, healthRequire, healthOff},
		Doc: "result of the first open: failure is logged, or ends the start of the agent, or is no matter"},
		value: choiceAt(func(s *streamEntry) *string { return &s.HealthCheck }, healthWords)},
	{Field: Field{Path: "ready", Kind: Bool, Default: "false", Doc: "/readyz needs the stream to be connected"},
		value: boolAt(func(s *streamEntry) *bool { return &s.Ready })},
})

// likeProbe is the field of a probe with this key, for a stream. Its doc is that of the probe's, unless it has another.
func likeProbe(key, doc string) field[streamEntry] {
	f := lifted(probeSection.fields[probeSection.index[key]], func(s *streamEntry) *Probe { return &s.way })
	f.Path, f.Required = key, key == "url"
	if doc != "" {
		f.Doc = doc
	}
	return f
}

var encodingSection = newSection("encoding", "streams[].encoding.", false, []field[Encoding]{
	{Field: Field{Path: "codec", Kind: Choice, Default: shape.JSON, Allowed: shape.Codecs(),
		Doc: "json: an object, or an array of them where batch.max_events exceeds 1; json_lines, logfmt, csv, text: a line each; msgpack: as " +
			"json; otlp_json, otlp_protobuf: log records in an ExportLogsServiceRequest. msgpack and otlp_protobuf go in binary messages"},
		value: choiceAt(func(e *Encoding) *string { return &e.Codec }, codecWords)},
	{Field: Field{Path: "only_fields", Kind: List, Max: maxEventFields, Doc: "fields of an event that are sent; without it all are"},
		value: listAt(func(e *Encoding) *[]string { return &e.OnlyFields }), secret: public, spec: "OnlyFields"},
	{Field: Field{Path: "except_fields", Kind: List, Max: maxEventFields, Doc: "fields of an event that are not sent"},
		value: listAt(func(e *Encoding) *[]string { return &e.ExceptFields }), secret: public, spec: "ExceptFields"},
	{Field: Field{Path: "rename", Kind: Map, Max: maxEventFields, Doc: "new names of fields by the old ones"},
		value: mapAt(func(e *Encoding) *map[string]string { return &e.Rename }), secret: public, entry: renameProblem, spec: "Rename"},
	{Field: Field{Path: "static", Kind: Map, Max: maxStaticFields, Doc: "further fields, the same in each event, by their names"},
		value: mapAt(func(e *Encoding) *map[string]string { return &e.Static }), secret: sent, entry: staticProblem, spec: "Static"},
	{Field: Field{Path: "timestamp_format", Kind: Choice, Default: shape.RFC3339,
		Allowed: shape.TimestampFormats(),
		Doc: "form of every time of an event: RFC 3339 in UTC; or the time since 1970 in s, ms, µs, ns, or in s with a fraction; or " +
			"2006-01-02 15:04:05.000000 in UTC"},
		value: choiceAt(func(e *Encoding) *string { return &e.TimestampFormat }, timestampWords)},
	{Field: Field{Path: "date_key", Kind: Text, Default: shape.Timestamp, Min: 1, Max: maxFieldName, Doc: "name of the field timestamp"},
		value: textAt(func(e *Encoding) *string { return &e.DateKey }, printableProblem), secret: public, spec: "DateKey"},
	{Field: Field{Path: "csv", Kind: Section, Doc: "columns of csv; with codec csv only"}},
	{Field: Field{Path: "template", Kind: Text, Min: 1, Max: 16 << 10,
		Doc: "line of text, in which {{field}} stands for a field of the event; required with codec text, and allowed only there"},
		value: textAt(func(e *Encoding) *string { return &e.Template }, nil), secret: sent, spec: "Template"},
})

// csvSection is the mapping csv of an encoding.
var csvSection = newSection("encoding.csv", "streams[].encoding.csv.", false, []field[Encoding]{
	{Field: Field{Path: "fields", Kind: List, Max: maxEventFields, Doc: "fields of an event, in the order of the columns; required with codec csv"},
		value: listAt(func(e *Encoding) *[]string { return &e.CSVFields }), secret: public, spec: "CSVFields"},
	{Field: Field{Path: "header", Kind: Bool, Default: "false", Doc: "each message begins with a row of the names of the columns"},
		value: boolAt(func(e *Encoding) *bool { return &e.CSVHeader })},
	{Field: Field{Path: "delimiter", Kind: Text, Default: ",", Min: 1, Max: 1, Doc: "character between two columns"},
		value: textAt(func(e *Encoding) *string { return &e.CSVDelimiter }, delimiterProblem), secret: public},
})

var batchSection = newSection("batch", "streams[].batch.", false, []field[Batch]{
	{Field: Field{Path: "max_events", Kind: Integer, Default: "1", Min: 1, Max: maxBatchEvents, Doc: "most events of a message"},
		value: integerAt(func(b *Batch) *int { return &b.MaxEvents })},
	{Field: Field{Path: "max_bytes", Kind: Size, Default: "1MiB", Min: 1 << 10, Max: maxBatchBytes,
		Doc: "most bytes of a message, before compression; an event that exceeds it is a message of its own"},
		value: sizeAt(func(b *Batch) *int64 { return &b.MaxBytes })},
	{Field: Field{Path: "linger", Kind: Duration, Default: "1s", Max: int64(maxLinger),
		Doc: "longest time that an event waits for others; without effect while max_events is 1"},
		value: durationAt(func(b *Batch) *time.Duration { return &b.Linger })},
})

var bufferSection = newSection("buffer", "streams[].buffer.", false, []field[StreamBuffer]{
	{Field: Field{Path: "type", Kind: Choice, Default: bufferMemory, Allowed: []string{bufferMemory, bufferDisk},
		Doc: "disk keeps events through a restart, at most 500 ms old ones excepted"},
		value: choiceAt(func(b *StreamBuffer) *string { return &b.Type }, nil)},
	{Field: Field{Path: "dir", Kind: Text, Doc: "directory of disk, of this stream alone; required with type disk, and allowed only there"},
		value: textAt(func(b *StreamBuffer) *string { return &b.Dir }, fileNameProblem), secret: public},
	{Field: Field{Path: "max_events", Kind: Integer, Min: 1, Max: 100_000_000,
		Doc: "most events that wait; the default is 10000 in memory, and no such bound on disk"},
		value: integerAt(func(b *StreamBuffer) *int { return &b.MaxEvents })},
	{Field: Field{Path: "max_size", Kind: Size, Min: 64 << 10, Max: 1 << 40,
		Doc: "most bytes that wait; an event in memory counts about 300 bytes beside its text; the default is 16MiB in memory, and 256MiB on disk"},
		value: sizeAt(func(b *StreamBuffer) *int64 { return &b.MaxSize })},
	{Field: Field{Path: "when_full", Kind: Choice, Default: dropOldest, Allowed: []string{dropOldest, dropNewest},
		Doc: "which event is discarded, and counted, when the buffer is full; none waits, because a probe does not"},
		value: choiceAt(func(b *StreamBuffer) *string { return &b.WhenFull }, fullWords)},
})

// streamReconnectSection is the mapping reconnect of a stream.
var streamReconnectSection = newSection("reconnect", "streams[].reconnect.", false, reconnectFields("connection"))
