package frame

import (
	"compress/flate"
	"errors"
	"io"

	"github.com/wsprobe/wsprobe/probe/internal/say"
	"github.com/wsprobe/wsprobe/reasons"
)

// deflateWindow is how far back DEFLATE can refer (RFC 1951 2).
const deflateWindow = 32 << 10

// Inflater inflates compressed messages (RFC 7692 7.2.2), piece by piece and never beyond the limit.
//
// It finds a message that was cut short, and goes on after a block that calls itself the last, which RFC 7692 7.2.3.4
// allows.
type Inflater struct {
	scan     *Scanner // knows which messages are compressed
	limit    int64    // bytes of one message
	takeover bool     // a message can refer to those before it

	in     deflated
	flate  io.Reader // nil until the first compressed message
	window []byte    // the bytes that were inflated last
	size   int64     // of the message so far
}

// Message returns a reader of the next message, whose payload is given.
func (f *Inflater) Message(payload io.Reader) io.Reader {
	if !f.scan.nextCompressed() {
		return payload
	}
	f.size = 0
	f.in.begin(payload)
	if !f.takeover {
		f.window = f.window[:0]
	}
	f.restart()
	return f
}

// restart begins a DEFLATE stream that can refer to the bytes of the window.
func (f *Inflater) restart() {
	dictionary := f.window[max(0, len(f.window)-deflateWindow):]
	if f.flate == nil {
		f.flate = flate.NewReaderDict(&f.in, dictionary)
		return
	}
	_ = f.flate.(flate.Resetter).Reset(&f.in, dictionary) // it never fails
}

// Read inflates. The error is a breach if the data are corrupt, cut short or too many.
func (f *Inflater) Read(p []byte) (int, error) {
	for {
		n, err := f.flate.Read(p)
		f.remember(p[:n])
		if f.size += int64(n); f.size > f.limit {
			return n, tooBig(f.limit)
		}
		switch {
		case err == nil:
			return n, nil
		case f.in.err != nil:
			return n, f.in.err
		case !errors.Is(err, io.EOF):
			return n, &Breach{Type: reasons.ProtocolError, Code: CloseInvalidData,
				About: say.Sentence("protocol error: compressed message that cannot be inflated (RFC 7692 7.2.2): %s", err)}
		}
		switch more, err := f.in.more(); {
		case err != nil:
			return n, err
		case !more:
			return n, io.EOF
		}
		if f.restart(); n > 0 {
			return n, nil
		}
	}
}

// remember keeps the last inflated bytes in the window.
func (f *Inflater) remember(p []byte) {
	f.window = append(f.window, p...)
	if n := len(f.window); n > 2*deflateWindow {
		f.window = append(f.window[:0], f.window[n-deflateWindow:]...)
	}
}

const (
	// deflateTail is missing at the end of every compressed message (RFC 7692 7.2.1).
	deflateTail = "\x00\x00\xff\xff"
	// lastBlock is an empty block that ends a stream. Behind a whole message it is read as such a block; a message that
	// was cut short swallows it, or fails at it.
	lastBlock = "\x01\x00\x00\xff\xff"
	// deflatedChunk is how many bytes of a compressed message are read at once.
	deflatedChunk = 1024
)

// deflated is the payload of a compressed message together with its missing end. Package flate reads it byte by byte,
// and so never more than it needs.
type deflated struct {
	payload io.Reader
	buf     [deflatedChunk + len(deflateTail) + len(lastBlock)]byte
	rest    []byte  // of buf, not yet read
	last    [4]byte // the last bytes of the payload
	read    int64   // bytes of the payload
	tail    int     // bytes that were appended to the payload
	ended   bool    // there is no more payload
	err     error   // why the payload cannot be read
}

func (d *deflated) begin(payload io.Reader) {
	d.payload, d.rest, d.last, d.read, d.tail, d.ended, d.err = payload, nil, [4]byte{}, 0, 0, false, nil
}

// fill makes sure that there are bytes to read, unless all were read.
func (d *deflated) fill() error {
	for len(d.rest) == 0 {
		if d.ended {
			return io.EOF
		}
		if err := d.fetch(); err != nil {
			return err
		}
	}
	return nil
}

// fetch reads more of the payload, and appends the missing end to it.
func (d *deflated) fetch() error {
	n, err := d.payload.Read(d.buf[:deflatedChunk])
	d.rest = d.buf[:n]
	d.read += int64(n)
	for _, c := range d.rest[max(0, n-len(d.last)):] {
		copy(d.last[:], d.last[1:])
		d.last[len(d.last)-1] = c
	}
	if d.ended = errors.Is(err, io.EOF); d.ended {
		d.rest = append(d.rest, d.missing()...)
		d.tail = len(d.missing())
		return nil
	}
	d.err = err
	return err
}

// missing are the bytes to append to the payload. Some servers do not remove the tail, or send nothing for an empty
// message. Clients accept both, because a payload without its tail cannot end in a tail.
func (d *deflated) missing() string {
	if d.read == 0 || string(d.last[:]) == deflateTail {
		return lastBlock
	}
	return deflateTail + lastBlock
}

// more reports whether there is more to inflate behind a block that called itself the last one.
func (d *deflated) more() (bool, error) {
	for len(d.rest) == 0 && !d.ended {
		if err := d.fetch(); err != nil {
			return false, err
		}
	}
	return len(d.rest) > 0 && len(d.rest) != d.tail, nil
}

func (d *deflated) ReadByte() (byte, error) {
	if err := d.fill(); err != nil {
		return 0, err
	}
	c := d.rest[0]
	d.rest = d.rest[1:]
	return c, nil
}

func (d *deflated) Read(p []byte) (int, error) {
	if err := d.fill(); err != nil {
		return 0, err
	}
	n := copy(p, d.rest)
	d.rest = d.rest[n:]
	return n, nil
}
