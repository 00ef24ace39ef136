package outbox

import (
	"sync"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/spool"
)

// Batch is one request to be.
type Batch struct {
	// Encode returns the request. It is called once, by a goroutine of the Outbox, and what it refers to must not
	// change.
	Encode func() ([]byte, error)
	// Items is the number of items in the request.
	Items int
	// At is when the items were collected. The age of the batch begins there.
	At time.Time
}

// Part is a piece of a request that was split. It is a request of its own.
type Part struct {
	Request []byte
	Items   int
}

// batchOverhead is what a packed batch in memory takes besides its content, in bytes.
const batchOverhead = 256

// batch is a request on its way.
type batch struct {
	content
	items   int
	at      time.Time
	passed  int  // the last pass of the delivery that passed it over
	strikes int  // how often it was refused for a reason that can be its own
	part    bool // it is a half of a batch that was split
	// unanswered marks a batch that may have reached the receiver already.
	unanswered bool
}

// newBatch returns an unsaved batch.
func newBatch(b Batch) *batch {
	return &batch{content: content{source: &source{encode: b.Encode}}, items: b.Items, at: b.At}
}

// unsaved reports whether the batch has its first form still: neither packed nor on disk.
func (b *batch) unsaved() bool { return b.source != nil }

// sizes returns the bytes that the batch counts against the limits: none before it is packed.
func (b *batch) sizes() (memory, disk int64) {
	switch {
	case b.file != nil:
		return 0, b.file.Size
	case b.packed != nil:
		return int64(len(b.packed)) + batchOverhead, 0
	}
	return 0, 0
}

// content is a request in one of its forms: from its source, packed, or packed on disk.
type content struct {
	source *source
	packed []byte
	file   *spool.Entry
}

// request returns the bytes to send. The content of a file must have been read.
func (c content) request() ([]byte, error) {
	if c.source != nil {
		return c.source.request()
	}
	return unpack(c.packed)
}

// source encodes a request once, although the delivery and the persistence can ask for it at the same time.
type source struct {
	mu     sync.Mutex
	encode func() ([]byte, error) // nil once it was called: the items are not needed any more
	bytes  []byte
	err    error
}

func (s *source) request() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.encode != nil {
		s.bytes, s.err = s.encode()
		s.encode = nil
	}
	return s.bytes, s.err
}
