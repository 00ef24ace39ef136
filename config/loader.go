package config

import (
	"crypto/sha256"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/config/internal/yamltree"
)

// Loader loads a configuration again and again. The result is that of [Load], and costs less after the first one that
// is valid, because the Loader keeps what it made of each probe. It reads a probe again if its text in the file
// differs, and all probes of a file if anything changes beside them: the defaults block, another section, a value that
// was substituted there, or the environment. Probes with references, anchors, aliases, credentials or certificates of
// their own are always read again.
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

// cutFile is a file whose probes are read a few at a time, or kept.
type cutFile struct {
	*pieces
	name    string
	outline *yamltree.Outline
	slots   []slot // of the items
	batch   int    // bytes of items that are parsed at a time
	skipped int    // bytes of items that are kept
	context sum    // of everything but the probes, if probes are to be kept
	keeps   bool
}

// slot is the place of an item in the list of probes of a file.
type slot struct {
	sum  sum        // of the text, if probes are to be kept
	kept *keptProbe // of an item that is kept, before or from now on
}

// sum identifies a text.
type sum [sha256.Size / 2]byte

func sumOf(text []byte) sum {
	whole := sha256.Sum256(text)
	return sum(whole[:len(sum{})])
}

// cut cuts the text of the file that the report began last. It returns nil for a text that has to be parsed whole.
func (l *loading) cut(f file) *cutFile {
	if l.batch == 0 || l.whole[f.name] || len(f.data) > yamltree.MaxBytes {
		return nil
	}
	p := cut(f.data)
	if p == nil {
		return nil
	}
	o := p.outline()
	if o == nil {
		return nil
	}
	o.Begin(l.Report, len(f.data), "probes")
	c := &cutFile{pieces: p, name: f.name, outline: o, slots: make([]slot, len(p.items)), batch: l.batch, keeps: l.keeps}
	if l.keeps {
		c.find(l.Report, l.kept[f.name])
	}
	l.cuts[f.name] = c
	return c
}

// find looks for the items among those that were kept before, if everything beside them is the same.
func (f *cutFile) find(r *yamltree.Report, before *keptFile) {
	f.context = f.beside(r)
	known := before != nil && before.context == f.context
	for i, item := range f.pieces.items {
		s := &f.slots[i]
		if s.sum = sumOf(item.text); !known {
			continue
		}
		if s.kept = before.probes[s.sum]; s.kept != nil {
			f.skipped += len(item.text)
		}
	}
}

// beside returns the sum of the environment, of the text beside the items, and of what its references stand for.
func (f *cutFile) beside(r *yamltree.Report) sum {
	h := sha256.New()
	part := func(text string) {
		h.Write([]byte(text))
		h.Write([]byte{0})
	}
	part(strings.Join(os.Environ(), "\n"))
	part(string(f.head))
	part(string(f.tail))
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		if _, referred := r.Source(n); referred {
			part(n.Value)
		}
		for _, inner := range n.Content {
			walk(inner)
		}
	}
	walk(f.outline.Root)
	return sum(h.Sum(nil)[:len(sum{})])
}
