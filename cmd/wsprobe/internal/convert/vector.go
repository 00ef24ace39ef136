package convert

import (
	"cmp"
	"slices"
	"strings"
)

// maxStreams is how many streams a configuration has at most.
const maxStreams = 8

// Vector converts the sinks of type websocket of files of Vector.
func Vector(files []Source) (Result, error) {
	var all collection
	for _, file := range files {
		for _, s := range unwrap(file) {
			root, err := vectorTree(s)
			if err != nil {
				return Result{}, err
			}
			if err := all.vectorFile(s.Name, root); err != nil {
				return Result{}, err
			}
		}
	}
	return all.result("no sink of type websocket")
}

// vectorTree parses a file of Vector.
func vectorTree(s Source) (*node, error) {
	if err := s.ready("toml", "yaml", "json"); err != nil {
		return nil, err
	}
	switch s.Format {
	case "toml":
		return parseTOML(s)
	case "json":
		return parseJSON(s)
	}
	return parseYAML(s)
}

// vectorFile converts the sinks of a file.
func (c *collection) vectorFile(name string, root *node) error {
	c.files = append(c.files, name)
	if values := root.at("customConfig"); values != nil {
		root = values // of the chart of Vector
	}
	sinks := root.at("sinks")
	if sinks == nil || sinks.kind != mappingKind {
		return nil
	}
	for _, sink := range sinks.fields {
		path := "sinks." + sink.name
		switch kind := sink.node.scalar("type"); {
		case kind == "websocket_server":
			c.served(name, path, sink.line)
		case kind == "websocket":
			if sink.node.scalar("uri") == "" {
				return &Fault{File: name, Line: sink.line, Problem: path + ".uri is missing"}
			}
			c.add(vectorSink(name, sink, root))
		case sink.node.kind == mappingKind:
			c.others = append(c.others, path+" ("+kind+")")
		}
	}
	return nil
}

// vectorSink converts one sink.
func vectorSink(file string, sink field, root *node) *conversion {
	all := options(vectorOptions())
	c := conversion{file: file, path: "sinks." + sink.name, line: sink.line, options: all, dialect: vectorVariables}.
		begin(sink.node.leaves(all.whole))
	a, known := parseAddress(c.get("uri"))
	c.secure = !known || a.scheme == "wss" || truths[strings.ToLower(c.get("tls.enabled"))]
	c.anybody = c.off("tls.verify_certificate")
	c.stream.set("name", sink.name)
	c.run()
	c.vectorGlobals(file, root)
	if !c.has("encoding") && !c.has("encoding.codec") {
		c.absent("has no encoding.codec, which Vector needs: wsprobe writes json")
	}
	if !c.has("ping_interval") {
		c.absent("has no ping_interval, so Vector sends no Pings at intervals; wsprobe sends one every 30 s, unless ping_interval is 0s")
	}
	if !c.has("buffer.max_events") && !c.has("buffer.max_size") && !c.has("buffer") {
		c.absent("has no buffer, so Vector holds 500 events and then waits; wsprobe holds 10000, and then drops the oldest")
	}
	return c
}

// vectorGlobals applies the settings of a file that hold for all its sinks.
func (c *conversion) vectorGlobals(file string, root *node) {
	if n := root.find("acknowledgements.enabled"); root.scalar("acknowledgements.enabled") == "true" && !c.has("acknowledgements.enabled") && !c.has("acknowledgements") {
		vectorAcknowledgements(c, leaf{path: "acknowledgements.enabled", line: n.line, node: n, file: file})
	}
	switch {
	case c.stream.lookup("health_check") != nil:
	case root.scalar("healthchecks.enabled") == "false":
		c.stream.set("health_check", "off")
	case root.scalar("healthchecks.require_healthy") == "true":
		c.stream.set("health_check", "require")
	}
}

// collection are the streams of some files.
type collection struct {
	files   []string
	streams []*conversion
	servers []string // outputs that others connect to
	others  []string // outputs to something else
	notes   []Note
	names   map[string]bool
}

// served tells of an output to which others connect.
func (c *collection) served(file, path string, line int) {
	const instead = "/api/v1/stream of agent.listen serves the same events to who connects, from ?since=ID on if asked"
	c.notes = append(c.notes, Note{File: file, Line: line, Path: path, Text: "is no stream: " + instead})
	c.servers = append(c.servers, path+" of "+file+" is no stream: "+instead)
}

// add takes a stream, with a name of its own.
func (c *collection) add(made *conversion) {
	if len(c.streams) == maxStreams {
		c.notes = append(c.notes, Note{File: made.file, Line: made.line, Path: made.path,
			Text: "left out: there are 8 streams at most"})
		return
	}
	if c.names == nil {
		c.names = make(map[string]bool)
	}
	name := plainName(made.get("alias"), made.stream)
	for n := 2; c.names[fileName(name)]; n++ {
		name = numbered(name, n)
	}
	c.names[fileName(name)] = true
	made.stream.set("name", name)
	if made.stream.lookup("buffer.dir") != nil {
		made.stream.set("buffer.dir", "/var/lib/wsprobe/streams/"+fileName(name))
	}
	c.streams = append(c.streams, made)
	c.notes = append(c.notes, made.notes...)
}

// result writes what there is. Files without any output of the kind are a fault.
func (c *collection) result(none string) (Result, error) {
	if len(c.streams) == 0 && len(c.servers) == 0 {
		fault := &Fault{File: strings.Join(slices.Compact(c.files), ", "), Problem: none}
		if len(c.others) > 0 {
			fault.Problem += ", only " + strings.Join(c.others, ", ")
		}
		return Result{}, fault
	}
	var b strings.Builder
	for _, server := range c.servers {
		writeComment(&b, "", server)
	}
	if len(c.streams) > 0 {
		b.WriteString("streams:\n")
	}
	for _, made := range c.streams {
		made.stream.write(&b)
	}
	place := func(n Note) int { return slices.Index(c.files, n.File) }
	slices.SortStableFunc(c.notes, func(a, b Note) int {
		return cmp.Or(cmp.Compare(place(a), place(b)), cmp.Compare(a.Line, b.Line))
	})
	// A setting for all outputs has one note, however many outputs there are.
	return Result{YAML: []byte(b.String()), Notes: slices.Compact(c.notes)}, nil
}
