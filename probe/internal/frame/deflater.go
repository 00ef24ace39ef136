package frame

import (
	"bytes"
	"compress/flate"
)

// minDeflated is the shortest message to compress, in bytes. A shorter one seldom gets any shorter.
const minDeflated = 32

// Deflater compresses the messages of a client (RFC 7692 7.2.1). Its window is the largest one: an endpoint can ask for
// a smaller one only if that was offered. It takes about 1 MiB from the first message on.
type Deflater struct {
	forgets bool
	flate   *flate.Writer
	out     bytes.Buffer
}

// NewDeflater makes the deflater of a connection.
func (d *Deflate) NewDeflater() *Deflater { return &Deflater{forgets: d.forgets} }

// Message returns the payload of a message, valid until the next call, and the opcode for its frame.
func (d *Deflater) Message(opcode byte, message []byte) (byte, []byte) {
	if len(message) < minDeflated {
		return opcode, message // each message may be as it is (RFC 7692 6)
	}
	d.out.Reset()
	switch {
	case d.flate == nil:
		d.flate, _ = flate.NewWriter(&d.out, flate.BestSpeed) // it fails only for a level that there is not
	case d.forgets:
		d.flate.Reset(&d.out)
	}
	_, _ = d.flate.Write(message) // a bytes.Buffer takes everything
	_ = d.flate.Flush()
	return opcode | rsv1, bytes.TrimSuffix(d.out.Bytes(), []byte(deflateTail))
}
