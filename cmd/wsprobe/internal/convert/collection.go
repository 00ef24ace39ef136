package convert

import (
	"cmp"
	"slices"
	"strings"
)

// maxStreams is how many streams a configuration has at most.
const maxStreams = 8

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
