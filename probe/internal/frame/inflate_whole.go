package frame

import (
	"bytes"
	"errors"
	"io"
)

// Takeover reports whether a message of the server can refer to those before it (RFC 7692 7.1.1.1).
func (d *Deflate) Takeover() bool { return d.takeover }

// NewInflater makes an inflater of whole messages, which serves many connections in turn.
func NewInflater() *Inflater { return &Inflater{} }

// Whole inflates a message that has arrived, of at most limit bytes, behind those of to. A connection whose messages
// can refer to earlier ones passes the window that the last call returned, nil at first: at most 32 KiB. The error is a
// *Breach.
func (f *Inflater) Whole(to, payload, window []byte, limit int64) (message, newWindow []byte, err error) {
	f.limit, f.size = limit, 0
	f.window = append(f.window[:0], window...)
	f.in.begin(bytes.NewReader(payload))
	f.restart()
	for {
		if len(to) == cap(to) {
			to = append(to, 0)[:len(to)]
		}
		n, err := f.Read(to[len(to):cap(to)])
		to = to[:len(to)+n]
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return to, window, err
		}
	}
	return to, append(window[:0], f.window[max(0, len(f.window)-deflateWindow):]...), nil
}
