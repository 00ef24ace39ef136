package buffer

import (
	"encoding/binary"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/spool"
)

// A file of blocks never changes. So a stop writes which of their items are gone into a file of its own, the marks: a
// batch without items. Without it, blocks would come whole after the next start. The marks of a block hold for ever.

// marksFormat is the version of the content of marks. After it come, for each block, the name of its file and the bits
// of its items that are gone, both with their lengths.
const marksFormat = 2

// encodeMarks returns what the marks say of the blocks of which some items are gone; nil if there is none.
func (b *Buffer) encodeMarks() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	gone := make(map[*block][]uint64)
	for _, k := range b.blocks {
		if k.left < k.entry.Items {
			gone[k] = append([]uint64(nil), k.here...)
		}
	}
	for _, l := range b.lanes {
		for it := l.first; it != nil; it = l.after(it) {
			if set := gone[it.block]; set != nil {
				set[it.index/64] &^= 1 << (it.index % 64)
			}
		}
	}
	var content []byte
	for _, k := range b.blocks {
		set := gone[k]
		if set == nil {
			continue
		}
		if content == nil {
			content = []byte{marksFormat}
		}
		content = appendText(content, k.entry.File)
		content = binary.AppendUvarint(content, uint64(8*len(set)))
		for _, word := range set {
			content = binary.LittleEndian.AppendUint64(content, word)
		}
	}
	return content
}

// decodeMarks returns the bits of the items that are gone, by the names of files.
func decodeMarks(content []byte) (map[string][]byte, error) {
	r := &reader{rest: content}
	if r.number(marksFormat) != marksFormat {
		return nil, errFormat
	}
	gone := make(map[string][]byte)
	for len(r.rest) > 0 {
		file := string(r.text())
		gone[file] = r.text()
	}
	if r.failed {
		return nil, errFormat
	}
	return gone, nil
}

// mark writes the marks anew. Older ones go if that succeeds.
func (b *Buffer) mark() {
	if content := b.encodeMarks(); content != nil {
		e, err := b.store.Put(time.Now(), 0, content)
		if err != nil {
			return
		}
		defer func() { b.marks = []spool.Entry{e} }()
	}
	for _, e := range b.marks {
		b.store.Dir.Remove(e)
	}
	b.marks = nil
}

// readMarks takes marks out of the files that were found, and returns what they say.
func (b *Buffer) readMarks(entries []spool.Entry) map[string][]byte {
	all := make(map[string][]byte)
	for _, e := range entries {
		if e.Items > 0 {
			continue
		}
		content, err := b.store.Get(e)
		if err == nil {
			var gone map[string][]byte
			if gone, err = decodeMarks(content); err != nil {
				b.store.Dir.SetAside(e, err.Error())
			}
			for file, set := range gone {
				all[file] = or(all[file], set)
			}
		}
		b.marks = append(b.marks, e)
	}
	return all
}

// or returns the union of two sets of bits.
func or(a, b []byte) []byte {
	if len(a) < len(b) {
		a, b = b, a
	}
	union := append([]byte(nil), a...)
	for i := range b {
		union[i] |= b[i]
	}
	return union
}

// forget notes the items of a block that are gone according to its marks.
func (k *block) forget(gone []byte) {
	for at := range k.entry.Items {
		if at/8 < len(gone) && gone[at/8]&(1<<(at%8)) != 0 && k.isAway(at) {
			k.bring(at)
			k.left--
		}
	}
}
