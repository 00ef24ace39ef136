package convert

import (
	"path"
	"path/filepath"
	"strings"
)

// Vector converts the sinks of type websocket of files of Vector.
func Vector(files []Source) (Result, error) {
	var all []vectorFile
	for _, file := range files {
		for _, s := range unwrap(file) {
			root, err := vectorTree(s)
			if err != nil {
				return Result{}, err
			}
			all = append(all, newVectorFile(s.Name, root))
		}
	}
	var c collection
	for _, file := range all {
		if err := c.vectorSinks(all, file); err != nil {
			return Result{}, err
		}
	}
	return c.result("no sink of type websocket")
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

// vectorFile is a file of Vector: its sinks, and the settings that hold for the sinks of all files.
type vectorFile struct {
	name     string
	sinks    []field
	settings *node
}

// newVectorFile sorts out what a file holds.
func newVectorFile(name string, root *node) vectorFile {
	if values := root.at("customConfig"); values != nil {
		root = values // of the chart of Vector
	}
	sinks := root.at("sinks")
	if sinks == nil && root.scalar("type") != "" {
		// In a directory of Vector, each file in the folder sinks is a sink, with the name of the file.
		base := path.Base(filepath.ToSlash(name))
		sink := field{strings.TrimSuffix(base, path.Ext(base)), root.line, root}
		return vectorFile{name, []field{sink}, new(node)}
	}
	file := vectorFile{name: name, settings: root}
	if sinks != nil {
		file.sinks = sinks.fields
	}
	return file
}

// vectorSinks converts the sinks of a file.
func (c *collection) vectorSinks(all []vectorFile, file vectorFile) error {
	c.files = append(c.files, file.name)
	for _, sink := range file.sinks {
		of := "sinks." + sink.name
		switch kind := sink.node.scalar("type"); {
		case kind == "websocket_server":
			c.served(file.name, of, sink.line)
		case kind == "websocket":
			if sink.node.scalar("uri") == "" {
				return &Fault{File: file.name, Line: sink.line, Problem: of + ".uri is missing"}
			}
			c.add(vectorSink(all, file.name, sink))
		case sink.node.kind == mappingKind:
			c.others = append(c.others, of+" ("+kind+")")
		}
	}
	return nil
}

// vectorSink converts one sink.
func vectorSink(all []vectorFile, file string, sink field) *conversion {
	table := options(VectorOptions())
	c := conversion{file: file, path: "sinks." + sink.name, line: sink.line, options: table, dialect: vectorVariables}.
		begin(sink.node.leaves(table.whole))
	a, known := parseAddress(c.get("uri"))
	c.secure = !known || a.scheme == "wss" || truths[strings.ToLower(c.get("tls.enabled"))]
	c.anybody = c.off("tls.verify_certificate")
	c.stream.set("name", sink.name)
	c.run()
	c.vectorGlobals(all)
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

// vectorGlobals applies the settings of all files.
func (c *conversion) vectorGlobals(all []vectorFile) {
	for _, file := range all {
		acks, of := file.settings.find("acknowledgements.enabled"), file.settings.scalar
		if of("acknowledgements.enabled") == "true" && !c.has("acknowledgements.enabled") && !c.has("acknowledgements") {
			vectorAcknowledgements(c, leaf{path: "acknowledgements.enabled", line: acks.line, node: acks, file: file.name})
		}
		if proxy := file.settings.at("proxy"); proxy != nil {
			c.note(leaf{path: "proxy", line: proxy.line, file: file.name}, "left out: "+vectorNoProxy)
		}
		switch {
		case c.stream.lookup("health_check") != nil:
		case of("healthchecks.enabled") == "false":
			c.stream.set("health_check", "off")
		case of("healthchecks.require_healthy") == "true":
			c.stream.set("health_check", "require")
		}
	}
}
