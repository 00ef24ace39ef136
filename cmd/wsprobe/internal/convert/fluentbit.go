package convert

import (
	"strconv"
	"strings"
	"time"

	"github.com/wsprobe/wsprobe/probe/session"
)

// FluentBit converts the outputs websocket of files of Fluent Bit. It opens the files that these include with open.
func FluentBit(files []Source, open Opener) (Result, error) {
	var all collection
	for _, file := range files {
		f := fluentBitFile{open: open, set: make(map[string]string)}
		parts := unwrap(file)
		if parts[0].inner != "" {
			f.open = among(parts, open)
		}
		for _, s := range mains(parts) {
			if err := f.read(s); err != nil {
				return Result{}, err
			}
		}
		all.files = append(all.files, f.names()...)
		all.fluentBitOutputs(&f)
	}
	return all.result("no output of the name websocket")
}

// read reads a file with all that it includes.
func (f *fluentBitFile) read(s Source) error {
	if err := s.ready("conf", "yaml"); err != nil {
		return err
	}
	if err := f.once(s); err != nil {
		return err
	}
	if s.Format == "conf" {
		return f.classic(s)
	}
	root, err := parseYAML(s)
	if err != nil {
		return err
	}
	return f.yaml(s, root)
}

// yaml takes the sections of a YAML file.
func (f *fluentBitFile) yaml(s Source, root *node) error {
	if env := root.at("env"); env != nil {
		for _, variable := range env.fields {
			f.set[variable.name] = variable.node.text
		}
	}
	if includes := root.at("includes"); includes != nil {
		for _, pattern := range includes.texts() {
			if err := f.include(s, includes.line, pattern); err != nil {
				return err
			}
		}
	}
	if service := root.at("service"); service != nil {
		f.add(s.Name, service.line, "service")
		f.fill(service, "")
	}
	outputs := root.find("pipeline.outputs")
	if outputs == nil {
		return nil
	}
	if outputs.kind != listKind {
		return &Fault{File: s.Name, Line: outputs.line, Problem: "pipeline.outputs must be a list"}
	}
	for _, output := range outputs.items {
		name := ""
		if len(output.fields) == 1 && output.fields[0].node.kind == mappingKind {
			name, output = output.fields[0].name, output.fields[0].node // the form of old versions
		}
		f.add(s.Name, output.line, "output")
		f.fill(output, name)
	}
	return nil
}

// fill gives the last section the options of a mapping.
func (f *fluentBitFile) fill(n *node, name string) {
	last := &f.sections[len(f.sections)-1]
	if name != "" {
		last.fields = append(last.fields, field{"name", n.line, &node{line: n.line, text: name}})
	}
	for _, l := range n.leaves(func(path string) bool { return path == "processors" }) {
		last.fields = append(last.fields, field{strings.ToLower(l.path), l.line, l.node})
	}
}

// fluentBitOutputs converts the outputs of a file.
func (c *collection) fluentBitOutputs(f *fluentBitFile) {
	number := 0
	for _, s := range f.sections {
		if s.name != "output" {
			continue
		}
		name := s.first("name")
		if path := name + "." + strconv.Itoa(number); strings.EqualFold(name, "websocket") {
			c.add(fluentBitOutput(f, s, strings.ToLower(path)))
		} else {
			c.others = append(c.others, path)
		}
		number++
	}
}

// fluentBitOutput converts one output.
func fluentBitOutput(f *fluentBitFile, s section, path string) *conversion {
	all := options(FluentBitOptions())
	var leaves []leaf
	for _, field := range s.fields {
		leaves = append(leaves, leaf{path: field.name, line: field.line, node: field.node})
	}
	for _, other := range f.sections {
		if other.name != "service" {
			continue
		}
		for _, field := range other.fields {
			if path := "service." + field.name; all.find(path) != nil {
				leaves = append(leaves, leaf{path: path, line: field.line, node: field.node, file: other.file})
			}
		}
	}
	c := conversion{file: s.file, path: path, line: s.line, options: all, dialect: fluentBitVariables(f.set)}.begin(leaves)
	c.secure = truths[strings.ToLower(c.get("tls"))]
	c.anybody = c.off("tls.verify")
	c.run()
	c.fluentBitURL()
	c.fluentBitFormat()
	c.fluentBitWaits()
	if c.secure && !c.anybody && !c.has("tls.verify_hostname") {
		c.absent("has no tls.verify_hostname, which is off then: wsprobe wants the name in the certificate, unless it is false")
	}
	c.absent("wsprobe sends a Ping every 30 s, for which Fluent Bit has no option, unless ping_interval is 0s")
	return c
}

// fluentBitURL makes the url of its parts.
func (c *conversion) fluentBitURL() {
	or := func(value, otherwise string) string {
		if value == "" {
			return otherwise
		}
		return value
	}
	scheme, usual := "ws", "80"
	if c.secure {
		scheme, usual = "wss", "443"
	}
	host, port, path := or(c.get("host"), "127.0.0.1"), or(c.get("port"), "80"), or(c.get("uri"), "/")
	if strings.Contains(host, ":") && !referring(host) && host[0] != '[' {
		host = "[" + host + "]"
	}
	if port != usual {
		host += ":" + port
	}
	path, _, _ = strings.Cut(path, "#") // the URL of a WebSocket has no such part
	if path == "" || path[0] != '/' {
		path = "/" + path
	}
	c.stream.set("url", scheme+"://"+host+path)
}

// fluentBitWaits sees to it that the bounds of waits have an order, with those that are defaults.
func (c *conversion) fluentBitWaits() {
	bound := func(field string, otherwise time.Duration) time.Duration {
		if d, err := time.ParseDuration(c.stream.text(field)); err == nil {
			return d
		}
		return otherwise
	}
	least := bound("reconnect.min", session.DefaultReconnectMin)
	if least > bound("reconnect.max", session.DefaultReconnectMax) && !referring(c.stream.text("reconnect.max")) {
		c.stream.set("reconnect.max", shortDuration(least))
		c.absent("the first wait would exceed the longest: reconnect.max is raised to reconnect.min")
	}
}

// fluentBitFormat sets what depends on the format, or on its default.
func (c *conversion) fluentBitFormat() {
	format := strings.ToLower(c.get("format"))
	if format == "" {
		c.stream.set("encoding.codec", "msgpack")
		c.absent("has no format, which is msgpack then: wsprobe sends arrays of maps, in binary messages")
	}
	if strings.HasPrefix(format, "json") {
		if !c.has("json_date_key") {
			c.stream.set("encoding.date_key", "date")
		}
		if !c.has("json_date_format") {
			c.stream.set("encoding.timestamp_format", "unix_float")
		}
	}
	c.stream.set("batch.max_events", maxBatch)
	if !c.has("service.flush") {
		c.stream.set("batch.linger", shortDuration(time.Second))
	}
}
