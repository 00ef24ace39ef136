package convert

import (
	"slices"
	"strings"
)

// Option is an option of another program, and what becomes of it.
type Option struct {
	Name    string // dotted; "x.*" stands for everything below x
	Default string // of its program, as documented; "" for none
	Ours    string // the field below a stream; "" for none
	Meaning string // what becomes of the value, or why no field has it

	apply func(c *conversion, l leaf) // nil if no field has it
}

// options are those of a program.
type options []Option

// find returns the option that a path is about. An option of its own comes before one for everything.
func (o options) find(path string) *Option {
	for i := range o {
		if o[i].Name == path {
			return &o[i]
		}
	}
	for i := range o {
		if prefix, all := strings.CutSuffix(o[i].Name, "*"); all && strings.HasPrefix(path+".", prefix) {
			return &o[i]
		}
	}
	return nil
}

// whole reports whether one option stands for all that is below a path.
func (o options) whole(path string) bool {
	found := o.find(path)
	return found != nil && found.Name == path+".*" && !slices.ContainsFunc(o, func(other Option) bool {
		return other.Name != found.Name && strings.HasPrefix(other.Name, path+".")
	})
}

// conversion makes a stream of a section of a file.
type conversion struct {
	file    string
	path    string // of the section, as its program names it
	line    int
	options options
	dialect dialect
	leaves  []leaf
	values  map[string]*node // the last value of each option
	secure  bool             // whether the connection has TLS
	anybody bool             // whether it takes any certificate
	stream  *entry
	left    []string // the options that are left out
	notes   []Note
}

// begin prepares a stream for the options of a section.
func (c conversion) begin(leaves []leaf) *conversion {
	c.leaves, c.values, c.stream = leaves, make(map[string]*node), new(entry)
	for _, l := range leaves {
		c.values[l.path] = l.node
	}
	return &c
}

// run converts each option, in the order of the file.
func (c *conversion) run() {
	for _, l := range c.leaves {
		switch option := c.options.find(l.path); {
		case option == nil:
			c.leave(l, "is no option of this output"+c.suggestion(l.path))
		case option.apply == nil:
			c.leave(l, option.Meaning)
		default:
			option.apply(c, l)
		}
	}
	comment := "from " + c.path + " of " + c.file
	if len(c.left) > 0 {
		comment += "; left out: " + strings.Join(c.left, ", ")
	}
	c.stream.comments = append(c.stream.comments, comment)
}

// suggestion names the option that was meant, if that is clear.
func (c *conversion) suggestion(path string) string {
	squeeze := strings.NewReplacer("_", "", "-", "", ".", "").Replace
	for _, o := range c.options {
		if strings.EqualFold(squeeze(o.Name), squeeze(path)) {
			return ": did you mean " + o.Name + "?"
		}
	}
	return ""
}

// note tells of an option.
func (c *conversion) note(l leaf, text string) {
	n := Note{File: c.file, Line: l.line, Path: c.path + "." + l.path, Text: text}
	if l.file != "" {
		n.File, n.Path = l.file, l.path
	}
	c.notes = append(c.notes, n)
}

// leave leaves an option out.
func (c *conversion) leave(l leaf, why string) {
	c.note(l, "left out: "+why)
	if !slices.Contains(c.left, l.path) {
		c.left = append(c.left, l.path)
	}
}

// remark tells of an option whose field has another meaning, in the stream, too.
func (c *conversion) remark(l leaf, ours, text string) {
	c.note(l, text)
	e := c.stream.entry(ours)
	e.comments = append(e.comments, text)
}

// absent tells of a difference of the two programs about which the file says nothing.
func (c *conversion) absent(text string) {
	c.notes = append(c.notes, Note{File: c.file, Line: c.line, Path: c.path, Text: text})
}

// get returns the value of an option, translated, or "". It says nothing about it.
func (c *conversion) get(name string) string {
	if n := c.values[name]; n != nil && n.kind == scalarKind {
		translated, _ := c.dialect.translate(n.text)
		return translated
	}
	return ""
}

// has reports whether the file sets an option.
func (c *conversion) has(name string) bool { return c.values[name] != nil }

// text returns the translated text of a value. It leaves out a list or a mapping.
func (c *conversion) text(l leaf) (string, bool) {
	if l.node.kind != scalarKind {
		c.leave(l, "must be one value")
		return "", false
	}
	translated, remarks := c.dialect.translate(l.node.text)
	for _, remark := range remarks {
		c.note(l, remark)
	}
	return translated, true
}

// truth returns a truth value. It leaves out what is none, and a reference, whose value nobody knows.
func (c *conversion) truth(l leaf) (is, ok bool) {
	value, ok := c.text(l)
	if !ok {
		return false, false
	}
	switch is, known := truths[strings.ToLower(value)]; {
	case known:
		return is, true
	case referring(value):
		c.leave(l, "a variable decides it: set the field by hand")
	default:
		c.leave(l, "must be true or false")
	}
	return false, false
}

// off reports whether an option is there and false.
func (c *conversion) off(name string) bool {
	is, known := truths[strings.ToLower(c.get(name))]
	return known && !is
}

var truths = map[string]bool{"true": true, "on": true, "yes": true, "1": true, "false": false, "off": false, "no": false, "0": false}

// secret sets a field that nobody should read in a file.
func (c *conversion) secret(l leaf, ours, value string) {
	c.stream.set(ours, value)
	if value != "" && !referring(value) {
		c.remark(l, ours, plainSecret)
	}
}

const plainSecret = "a secret in plain text: ${env:NAME} or ${file:PATH} keeps it out of the file"
