package config

import (
	"runtime"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/config/internal/yamltree"
)

const (
	// batchBytes is about how much text of items is parsed at a time: little enough that the nodes are gone soon, and
	// enough that the parser's own memory does not count.
	batchBytes = 192 << 10
	// mostParsers is how many goroutines parse items at a time. Their reader needs as long as two or three of them.
	mostParsers = 4
)

// itemReader returns the nodes of the items of a file that are not kept, one after the other. A few batches ahead of
// the reader are being parsed, each by a goroutine.
type itemReader struct {
	file  *cutFile
	next  int                 // the first item that is in no batch yet
	ahead []chan []*yaml.Node // of the batches that are being parsed, in order
	nodes []*yaml.Node        // of the batch at hand that were not returned yet
}

// items begins to parse the items. The caller has to call end.
func (f *cutFile) items() *itemReader {
	r := &itemReader{file: f}
	for range min(runtime.GOMAXPROCS(0), mostParsers) {
		r.parse()
	}
	return r
}

// parse begins to parse one more batch, if there is one.
func (r *itemReader) parse() {
	text, items := r.batch()
	if len(items) == 0 {
		return
	}
	parsed := make(chan []*yaml.Node, 1)
	r.ahead = append(r.ahead, parsed)
	go func() { parsed <- r.file.outline.Parse(text, items) }()
}

// batch returns the text of the next items that are not kept, and where they begin.
func (r *itemReader) batch() (text []byte, items []yamltree.Item) {
	f, line, last, copied := r.file, 1, -1, false
	for ; r.next < len(f.slots) && len(text) < f.batch; r.next++ {
		if f.slots[r.next].kept != nil {
			continue
		}
		piece := f.pieces.items[r.next]
		items = append(items, yamltree.Item{Text: line, File: piece.line})
		switch {
		case copied:
			text = append(text, piece.text...)
		case text == nil:
			text, last = piece.text, r.next
		case last == r.next-1: // right behind it in the file
			text, last = text[:len(text)+len(piece.text)], r.next
		default:
			text, copied = append(slices.Clip(text), piece.text...), true
		}
		if r.next+1 < len(f.slots) {
			line += f.pieces.items[r.next+1].line - piece.line
		}
	}
	return text, items
}

// item returns the node of the next item that is not kept, or nil if the file has to be parsed whole.
func (r *itemReader) item() *yaml.Node {
	if len(r.nodes) == 0 {
		if len(r.ahead) == 0 {
			return nil
		}
		r.nodes = <-r.ahead[0]
		r.ahead = r.ahead[1:]
		if len(r.nodes) == 0 {
			return nil
		}
		r.parse()
	}
	n := r.nodes[0]
	r.nodes[0] = nil // so that it is gone as soon as it was read
	r.nodes = r.nodes[1:]
	return n
}

// end waits for the goroutines.
func (r *itemReader) end() {
	for _, parsed := range r.ahead {
		<-parsed
	}
}
