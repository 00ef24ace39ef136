package config

import (
	"bytes"
	"crypto/sha256"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/config/internal/yamltree"
)

// Loader loads a configuration again and again. The result is that of [Load], and costs less after the first one that
// is valid, because the Loader keeps what it made of each probe. It reads a probe again if its text in the file differs,
// and all probes of a file if anything changes beside them: the defaults block, another section, a value that was
// substituted there, or the environment. Probes with references, anchors, aliases, credentials or certificates of their
// own are always read again.
//
// The first Load may read a pipe or a device. Later ones refuse them, because they would wait. One goroutine at a time
// may use a Loader. The zero value is ready.
type Loader struct {
	kept  map[string]*keptFile // by the name of the file
	again bool
	// tokens are kept over all loads, because a reload is no reason to fetch one.
	tokens tokenSource
}

// Load is [Load], and keeps what may be needed again.
func (l *Loader) Load(names ...string) (Config, error) {
	files := filesOf(names, !l.again)
	l.again = true
	if l.tokens.Cache == nil {
		l.tokens = newTokens()
	}
	try := newLoading(false)
	try.keeps, try.kept, try.tokens = true, l.kept, l.tokens
	config, err := try.load(files)
	if err != nil && l.kept != nil { // only reading everything tells what is wrong, if anything is
		try = newLoading(false)
		try.keeps, try.tokens = true, l.tokens
		config, err = try.load(files)
	}
	if err == nil {
		l.kept = make(map[string]*keptFile, len(try.cuts))
		for name, f := range try.cuts {
			l.kept[name] = f.keep()
		}
	}
	return config, err
}

// cutFile is a file whose probes may be kept.
type cutFile struct {
	*pieces
	slots   []slot // of the items
	text    []byte // without the items that are kept
	starts  []int  // the lines of the text at which items begin
	tailAt  int    // the line of the text at which the tail begins
	skipped int    // bytes of items that are kept
	before  *keptFile
	context sum
}

// slot is the place of an item in the list of probes of a file.
type slot struct {
	kept *keptProbe // of an item that is kept, before or from now on
	read bool       // the item is in the text
}

// cutText cuts the text of a file, and leaves out the items that are kept. It returns nil for a text that is not cut.
func cutText(r *yamltree.Report, data []byte, before *keptFile) *cutFile {
	p := cut(data)
	if p == nil {
		return nil
	}
	f := &cutFile{pieces: p, slots: make([]slot, len(p.items)), before: before, text: data}
	for i, item := range p.items {
		if kept := before.find(item.sum); kept != nil {
			f.slots[i].kept = kept
			f.skipped += len(item.text)
		} else {
			f.slots[i].read = true
		}
	}
	if f.skipped > 0 {
		f.text = make([]byte, 0, len(data)-f.skipped)
		f.text = append(f.text, p.head...)
	}
	line, left := bytes.Count(p.head, newLine), false // the lines of the text so far; whether lines were left out
	for i, item := range p.items {
		if !f.slots[i].read {
			left = true
			continue
		}
		if left {
			r.Moved(line, item.line-1)
		}
		left = false
		f.starts = append(f.starts, line+1)
		line += bytes.Count(item.text, newLine)
		if f.skipped > 0 {
			f.text = append(f.text, item.text...)
		}
	}
	if left {
		r.Moved(line, p.lines)
	}
	if f.tailAt = line + 1; f.skipped > 0 {
		f.text = append(f.text, p.tail...)
	}
	return f
}

var newLine = []byte("\n")

// fits reports whether the tree of the text is cut where the text is, and what is kept was made beside the same text.
func (f *cutFile) fits(r *yamltree.Report, root *yaml.Node) bool {
	if !f.fit(r, root, f.starts, f.tailAt) {
		return false
	}
	h := sha256.New()
	part := func(text string) {
		h.Write([]byte(text))
		h.Write([]byte{0})
	}
	part(strings.Join(os.Environ(), "\n"))
	part(string(f.head))
	part(string(f.tail))
	for i := 0; i+1 < len(root.Content); i += 2 {
		if r.Line(root.Content[i]) != f.key && !f.beside(r, root.Content[i+1], part) {
			return false
		}
	}
	f.context = sum(h.Sum(nil)[:len(sum{})])
	return f.skipped == 0 || f.before.context == f.context
}

// beside calls part with the text of every value below a node that has a reference. It reports whether no alias leads to
// an item of the list.
func (f *cutFile) beside(r *yamltree.Report, n *yaml.Node, part func(text string)) bool {
	if n.Kind == yaml.AliasNode {
		line := r.Line(n.Alias)
		return line <= bytes.Count(f.head, newLine) || line >= f.tailAt
	}
	if _, referred := r.Source(n); referred {
		part(n.Value)
	}
	for _, inner := range n.Content {
		if !f.beside(r, inner, part) {
			return false
		}
	}
	return true
}
