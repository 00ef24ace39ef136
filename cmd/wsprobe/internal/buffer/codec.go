package buffer

import (
	"encoding/binary"
	"errors"
	"math"
	"time"
)

// format is the version of a block's content. After it come the names of lanes, and of encodings: their number, and
// each with its length. The rest are items: the numbers of both names, the time in ns, the id with its length, the slot
// and one, the sends, the text with its length. All numbers are varints.
const format = 1

var errFormat = errors.New("its content is no list of events")

// names gives each name a number.
type names struct {
	numbers map[string]uint64
	all     []string
}

func (n *names) number(name string) uint64 {
	at, known := n.numbers[name]
	if !known {
		if n.numbers == nil {
			n.numbers = make(map[string]uint64)
		}
		at = uint64(len(n.all))
		n.numbers[name], n.all = at, append(n.all, name)
	}
	return at
}

// encode returns the content of a block. Of an item's fields that change, the sends are given.
func encode(items []*Item, sends []int) []byte {
	var lanes, encodings names
	size := 0
	for _, it := range items {
		lanes.number(it.Lane)
		encodings.number(it.Encoding)
		size += len(it.Text) + len(it.ID) + 32
	}
	content := make([]byte, 0, size+64*len(lanes.all))
	content = append(content, format)
	for _, n := range []names{lanes, encodings} {
		content = binary.AppendUvarint(content, uint64(len(n.all)))
		for _, name := range n.all {
			content = appendText(content, name)
		}
	}
	for i, it := range items {
		content = binary.AppendUvarint(content, lanes.number(it.Lane))
		content = binary.AppendUvarint(content, encodings.number(it.Encoding))
		content = binary.AppendVarint(content, it.At.UnixNano())
		content = appendText(content, it.ID)
		content = binary.AppendUvarint(content, uint64(max(it.Slot, -1)+1))
		content = binary.AppendUvarint(content, uint64(max(sends[i], 0)))
		content = appendText(content, it.Text)
	}
	return content
}

func appendText[T string | []byte](b []byte, text T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

// record is an item in the content of a block. Its texts are parts of the content.
type record struct {
	lane, encoding string
	at             int64
	id, text       []byte
	slot, sends    int
}

// item returns a record as an Item of its own.
func (r *record) item() *Item {
	return &Item{
		ID: string(r.id), Lane: r.lane, At: time.Unix(0, r.at), Encoding: r.encoding,
		Text: append([]byte(nil), r.text...), Slot: r.slot, Sends: r.sends, added: longAgo,
	}
}

// decode returns the items in the content of a block.
func decode(content []byte, items int) ([]record, error) {
	r := &reader{rest: content}
	if r.number(math.MaxUint8) != format {
		return nil, errFormat
	}
	lanes, encodings := r.names(), r.names()
	var records []record
	for len(r.rest) > 0 && !r.failed && len(records) < items {
		records = append(records, record{
			lane: r.name(lanes), encoding: r.name(encodings), at: r.time(), id: r.text(),
			slot: r.number(math.MaxInt32) - 1, sends: r.number(math.MaxInt32), text: r.text(),
		})
	}
	if r.failed || len(r.rest) > 0 || len(records) != items {
		return nil, errFormat
	}
	return records, nil
}

// reader reads what encode has written, until something is wrong.
type reader struct {
	rest   []byte
	failed bool
}

// number returns a number that is at most limit.
func (r *reader) number(limit uint64) int {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 || v > limit {
		r.fail()
		return 0
	}
	r.rest = r.rest[n:]
	return int(v)
}

func (r *reader) time() int64 {
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) text() []byte {
	n := r.number(uint64(len(r.rest)))
	if n > len(r.rest) {
		r.fail()
		return nil
	}
	text := r.rest[:n:n]
	r.rest = r.rest[n:]
	return text
}

func (r *reader) names() []string {
	n := r.number(uint64(len(r.rest)))
	var all []string
	for len(all) < n && !r.failed {
		all = append(all, string(r.text()))
	}
	return all
}

func (r *reader) name(all []string) string {
	at := r.number(math.MaxInt32)
	if at >= len(all) {
		r.fail()
		return ""
	}
	return all[at]
}

func (r *reader) fail() { r.failed, r.rest = true, nil }
