package frame

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"io"
	"sync"
)

// Send writes a message in one frame. The opcode is Text or Binary. If compression was agreed upon, the message is
// compressed without the help of an earlier one: a compressor of its own for each connection would cost more than a
// megabyte.
func (w *Stream) Send(opcode byte, message []byte) error {
	if w.inflate != nil && len(message) > 0 {
		var packed bytes.Buffer
		deflate(&packed, message)
		opcode, message = opcode|rsv1, bytes.TrimSuffix(packed.Bytes(), []byte(deflateTail))
	}
	chunk, mask := AppendHead(w.chunk[:0], opcode, len(message)) // what it held was scanned, which copies
	for sent := 0; ; {
		n := min(len(message)-sent, cap(chunk)-len(chunk))
		chunk = AppendMasked(chunk, message[sent:sent+n], mask, sent)
		if _, err := w.Write(chunk); err != nil {
			return err
		}
		if sent += n; sent == len(message) {
			return nil
		}
		chunk = chunk[:0]
	}
}

var deflaters = sync.Pool{New: func() any {
	w, _ := flate.NewWriter(nil, flate.BestSpeed) // it fails only for a level that there is not
	return w
}}

// deflate compresses a message on its own.
func deflate(to *bytes.Buffer, message []byte) {
	w := deflaters.Get().(*flate.Writer)
	w.Reset(to)
	_, _ = w.Write(message) // a bytes.Buffer takes everything
	_ = w.Flush()
	w.Reset(nil)
	deflaters.Put(w)
}

// Next waits for the next message, and returns its opcode. It passes over the rest of a message that was not read.
func (w *Stream) Next() (opcode byte, err error) {
	for passed := [512]byte{}; err == nil && (w.rest > 0 || w.unfinished); {
		_, err = w.readPayload(passed[:])
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	first, err := w.nextFrame()
	return first & 0x0f, err
}

// Payload is the payload of the message that Next began, inflated if it is compressed. It ends with io.EOF.
func (w *Stream) Payload() io.Reader {
	if w.inflate == nil {
		return (*payload)(w)
	}
	return w.inflate.Message((*payload)(w))
}

// payload reads the payload of a message as it came.
type payload Stream

func (p *payload) Read(to []byte) (int, error) { return (*Stream)(p).readPayload(to) }

// readPayload reads from the frames of the message under way.
func (w *Stream) readPayload(to []byte) (int, error) {
	for w.rest == 0 {
		if !w.unfinished {
			return 0, io.EOF
		}
		if _, err := w.nextFrame(); err != nil {
			return 0, err
		}
	}
	if err := w.fill(); err != nil {
		return 0, err
	}
	n := w.take(to[:min(uint64(len(to)), w.rest)])
	w.rest -= uint64(n)
	return n, nil
}

// nextFrame reads the header of the next data frame, which the Scanner has judged and put there as a whole. It returns
// the first byte.
func (w *Stream) nextFrame() (first byte, err error) {
	if err := w.fill(); err != nil {
		return 0, err
	}
	var h [10]byte
	w.take(h[:2])
	switch w.unfinished, w.rest = h[0]&0x80 == 0, uint64(h[1]); h[1] {
	case 126:
		w.take(h[2:4])
		w.rest = uint64(binary.BigEndian.Uint16(h[2:]))
	case 127:
		w.take(h[2:])
		w.rest = binary.BigEndian.Uint64(h[2:])
	}
	return h[0], nil
}

// take takes bytes of data frames that are ready.
func (w *Stream) take(to []byte) int {
	n, _ := w.ready.Read(to) // its only error is that there are none
	if w.scan.left != nil {
		w.scan.left.took(n)
	}
	return n
}
