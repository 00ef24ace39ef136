package convert

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/probe/visible"
)

// order is that of the fields of a stream, and of those of each mapping in it.
var order = []string{
	"name", "url", "headers", "auth", "tls", "protocols", "proxy_url", "timeout_ms", "encoding", "batch",
	"ping_interval", "ping_timeout", "write_timeout", "acknowledgements", "buffer", "workers", "reconnect", "drain",
	"health_check",
	"strategy", "user", "password", "token",
	"ca_file", "cert_file", "key_file", "key_password", "server_name", "insecure_skip_verify", "verify_hostname", "min_version",
	"codec", "only_fields", "except_fields", "timestamp_format", "date_key", "csv", "template", "fields", "delimiter",
	"type", "dir", "max_events", "max_size", "when_full", "linger", "min", "max",
}

// entry is a field of a stream: a value, or a mapping with fields of its own.
type entry struct {
	key      string
	value    any // a text, a number, a truth value or a list of texts
	comments []string
	fields   []*entry
}

// entry returns the field at a path, and makes it if it is not there. A header has a slash before its name.
func (e *entry) entry(path string) *entry {
	keys := strings.Split(path, ".")
	if header, found := strings.CutPrefix(path, "headers/"); found {
		keys = []string{"headers", header}
	}
	for _, key := range keys {
		at := slices.IndexFunc(e.fields, func(f *entry) bool { return f.key == key })
		if at < 0 {
			at = len(e.fields)
			e.fields = append(e.fields, &entry{key: key})
		}
		e = e.fields[at]
	}
	return e
}

// lookup returns the field at a path if it has a value.
func (e *entry) lookup(path string) *entry {
	for key := range strings.SplitSeq(path, ".") {
		at := slices.IndexFunc(e.fields, func(f *entry) bool { return f.key == key })
		if at < 0 {
			return nil
		}
		e = e.fields[at]
	}
	return e
}

// set gives a field its value.
func (e *entry) set(path string, value any) { e.entry(path).value = value }

// text is the text of a field, or "".
func (e *entry) text(path string) string {
	if f := e.lookup(path); f != nil {
		s, _ := f.value.(string)
		return s
	}
	return ""
}

// inYAML writes a value in one line.
func inYAML(value any) string {
	var n yaml.Node
	if err := n.Encode(value); err != nil {
		panic(err) // of a type that no caller has
	}
	n.Style = yaml.FlowStyle
	if s, ok := value.(string); ok {
		n = yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
		if visible.Text(s) != s {
			n.Style = yaml.DoubleQuotedStyle
		}
	}
	out, err := yaml.Marshal(&n)
	if err != nil {
		panic(err)
	}
	return strings.TrimSuffix(string(out), "\n")
}

// widest is the number of columns of a line with a comment behind its value.
const widest = 110

// write adds the stream to a list.
func (e *entry) write(b *strings.Builder) {
	e.sort()
	for _, comment := range e.comments {
		writeComment(b, "  ", comment)
	}
	for i, f := range e.fields {
		first := "    "
		if i == 0 {
			first = "  - "
		}
		f.writeField(b, first, "    ")
	}
}

// sort puts the fields of a mapping, and of those in it, in order. Headers stay in that of the file.
func (e *entry) sort() {
	slices.SortStableFunc(e.fields, func(a, b *entry) int {
		return cmp.Compare(slices.Index(order, a.key), slices.Index(order, b.key))
	})
	for _, f := range e.fields {
		if f.key != "headers" {
			f.sort()
		}
	}
}

// writeField writes a field whose line begins with first, and what is in it.
func (e *entry) writeField(b *strings.Builder, first, indent string) {
	comment := strings.Join(e.comments, "; ")
	line := first + inYAML(e.key) + ":"
	if e.value != nil {
		line += " " + inYAML(e.value)
	}
	switch {
	case comment == "":
		fmt.Fprintln(b, line)
	case len(line)+len(comment) < widest || first != indent:
		fmt.Fprintln(b, line+"  # "+visible.Text(comment))
	default:
		for _, c := range e.comments {
			writeComment(b, indent, c)
		}
		fmt.Fprintln(b, line)
	}
	for _, f := range e.fields {
		f.writeField(b, indent+"  ", indent+"  ")
	}
}

// writeComment writes a comment in lines of its own.
func writeComment(b *strings.Builder, indent, comment string) {
	line := indent + "#"
	for _, word := range strings.Fields(visible.Text(comment)) {
		if len(line)+len(word) > widest && line != indent+"#" {
			fmt.Fprintln(b, line)
			line = indent + "#"
		}
		line += " " + word
	}
	fmt.Fprintln(b, line)
}
