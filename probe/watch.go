package probe

import (
	"crypto/tls"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wsprobe/wsprobe/probe/internal/frame"
	"github.com/wsprobe/wsprobe/probe/internal/match"
	"github.com/wsprobe/wsprobe/probe/internal/opening"
	"github.com/wsprobe/wsprobe/probe/redact"
)

// Limits of a [Watch].
const (
	MaxWatchedFrames = 200
	MaxWatchedLines  = 100
	maxWatchedHead   = 8 << 10
)

// Watch collects the traffic of one run, for a person who looks at that run. It is complete when [Probe.RunWith]
// returns. Its texts are printable and redacted, as those of a [Result] are: only public headers of the request have
// values, and cookies of the endpoint have none.
type Watch struct {
	// Message is called with each data message that the run reads, at once. The time that it takes delays the run. Nil
	// is fine.
	Message func(Message)
	// RepliesOnly collects only the Replies, which takes less memory.
	RepliesOnly bool

	// Request and Response are the heads of the upgrade, line by line. A response that is not HTTP has one line, its
	// first bytes.
	Request, Response []string
	// TLS is the handshake with the endpoint, nil if it did not get as far as a certificate.
	TLS *Secured
	// Frames are the frames of both sides in order: the first MaxWatchedFrames, and every close frame. Unseen counts
	// the others.
	Frames []Frame
	Unseen int
	// Replies are the messages that matched, in order.
	Replies []Message
}

// Frame is a WebSocket frame (RFC 6455 5.2).
type Frame struct {
	Connection string        // of the exchange, empty for the main one
	At         time.Duration // from the start of the run to its arrival, or to the beginning of its writing
	Sent       bool          // by the probe
	Opcode     byte
	Final      bool   // the last, or only, frame of its message
	Compressed bool   // of a compressed message: on its first frame, or the one that the probe sends
	Length     uint64 // of the payload in bytes; of a compressed message that the probe sends, before compression
	// Preview is the beginning of the message on its last frame; of a close frame, the code and the reason.
	Preview string

	raw     []byte
	message int // the number of the received message that ends here, from 1
}

var frameKinds = map[byte]string{
	frame.Continuation: "continuation", frame.Text: "text", frame.Binary: "binary", frame.Close: "close", frame.Ping: "ping", frame.Pong: "pong",
}

// Kind names the opcode as RFC 6455 11.8 does, in lower case.
func (f Frame) Kind() string { return frameKinds[f.Opcode] }

// Message is a whole data message of the endpoint.
type Message struct {
	Connection string        // of the exchange, empty for the main one
	At         time.Duration // from the start of the run to its end
	Step       int           // of the exchange, from 0, that waited for it
	Binary     bool
	Bytes      int    // inflated, if it was compressed
	Text       string // its beginning, at most MaxBodyDetail bytes of it
	// Cut: the message is longer than Text.
	Cut bool

	raw []byte
}

// watcher fills a Watch in. Most runs have none, so all methods are for a nil watcher, too. Texts stay as they came
// until the run is over, so that making them presentable is in none of its times.
type watcher struct {
	*Watch
	*connection
	run      *run
	request  []byte
	head     []byte // of the response, with what came behind it
	length   uint64 // of the frame that is being received
	data     []byte // the beginning of the message that is being received
	messages int    // data messages received so far
	reads    int    // those of them that the run has read
	last     Message
}

// blind reports whether the watcher notes replies at most.
func (w *watcher) blind() bool { return w == nil || w.RepliesOnly }

// keep is how many bytes of a message to note.
func (w *watcher) keep() int {
	if w == nil {
		return 0
	}
	return MaxBodyDetail + redact.Slack
}

// trace makes the opening and the stream of frames tell the watcher. It is nil for a blind watcher.
func (w *watcher) trace() *opening.Trace {
	if w.blind() {
		return nil
	}
	frames := &frame.Trace{Payload: w.payload, Received: w.received, Sent: w.said}
	if w.name != "" { // a Watch shows the open of the main connection
		return &opening.Trace{Request: func([]byte) {}, Response: func([]byte) {}, Secured: func(tls.ConnectionState, error) {}, Frames: frames}
	}
	return &opening.Trace{Request: w.asked, Response: w.answered, Secured: w.secured, Frames: frames}
}

// asked notes the head of the request.
func (w *watcher) asked(head []byte) { w.request = head }

// answered notes a piece of the response.
func (w *watcher) answered(piece []byte) {
	w.head = append(w.head, piece[:min(len(piece), maxWatchedHead-len(w.head))]...)
}

// payload notes bytes of the frame that is arriving.
func (w *watcher) payload(opcode byte, p []byte) {
	w.length += uint64(len(p))
	if opcode < frame.Close {
		w.data = append(w.data, p[:max(0, min(len(p), w.keep()-len(w.data)))]...)
	}
}

// received notes a frame that has arrived. The last frame of a message shows the text of the whole, because several
// frames could cut a secret into pieces that look like none.
func (w *watcher) received(got frame.Received) {
	f := Frame{Connection: w.name, At: w.since(w.attempt.Conn.ArrivedAt), Opcode: got.Opcode, Final: got.Final, Compressed: got.Marked, Length: w.length}
	w.length = 0
	switch {
	case got.Opcode >= frame.Close:
		f.raw = slices.Clone(got.Control)
	case got.Final:
		w.messages++
		f.message = w.messages
		if f.raw = w.data; got.Compressed {
			f.raw = nil // until somebody reads it
		}
		w.data = nil
	}
	w.add(f)
}

// said notes a frame that the probe has sent.
func (w *watcher) said(at time.Time, opcode byte, payload []byte) {
	if w.blind() {
		return
	}
	f := Frame{Connection: w.name, At: w.since(at), Sent: true, Opcode: opcode, Final: true, Length: uint64(len(payload))}
	f.Compressed = opcode < frame.Close && w.wire.Inflater() != nil
	f.raw = slices.Clone(payload[:min(len(payload), w.keep())])
	w.add(f)
}

// saidMessage notes a data message that the probe has sent.
func (w *watcher) saidMessage(at time.Time, payload []byte) {
	opcode := byte(frame.Text)
	if w != nil && w.run.probe.spec.MessageFormat != FormatText {
		opcode = frame.Binary
	}
	w.said(at, opcode, payload)
}

func (w *watcher) add(f Frame) {
	if len(w.Frames) >= MaxWatchedFrames && f.Opcode != frame.Close {
		w.Unseen++
		return
	}
	w.Frames = append(w.Frames, f)
}

func (w *watcher) since(at time.Time) time.Duration { return max(0, at.Sub(w.run.res.Started)) }

// read notes the next message that the run has read. It is the only source of the text of a compressed one.
func (w *watcher) read(m *match.Message, wanted bool) {
	if w == nil {
		return
	}
	w.reads++
	heard := Message{Connection: w.name, At: w.since(w.raw.ArrivedAt), Step: w.run.turn, Binary: !m.Text(), Bytes: m.Size(), raw: slices.Clone(m.Head())}
	for i := range w.Frames {
		if f := &w.Frames[i]; f.Connection == w.name && f.message == w.reads && f.raw == nil {
			f.raw = heard.raw
		}
	}
	if wanted {
		w.Replies = append(w.Replies, heard)
	}
	if w.Message != nil {
		live := []Message{w.last, heard} // a secret can be split over it and the last one
		showMessages(live, w.run.redact())
		w.last = heard
		w.Message(live[1])
	}
}

// finish makes all texts of the Watch presentable.
func (w *watcher) finish() {
	if w == nil {
		return
	}
	hide := w.run.redact()
	w.Request = w.shownRequest()
	w.Response = w.shownResponse()
	w.TLS.show(hide)
	showFrames(w.Frames, hide)
	slices.SortStableFunc(w.Frames, func(a, b Frame) int { return int(a.At - b.At) })
	showMessages(w.Replies, hide)
}

// showMessages makes the texts of messages presentable. They must be in the order of arrival.
func showMessages(messages []Message, hide *redactor) {
	parts := make([]string, len(messages))
	for i, m := range messages {
		parts[i] = string(m.raw)
	}
	for i, text := range hide.texts(parts, MaxBodyDetail) {
		m := &messages[i]
		m.Text, m.Cut = text, m.Bytes > min(len(m.raw), MaxBodyDetail)
		m.raw = nil
	}
}

// showFrames makes the payloads of frames presentable. The data frames of either side count as one text, also with
// control frames between them.
func showFrames(frames []Frame, hide *redactor) {
	for kind := range 4 { // data or control, of either side
		var parts []string
		var of []*Frame
		for i := range frames {
			if f := &frames[i]; f.Sent == (kind%2 > 0) && (f.Opcode >= frame.Close) == (kind/2 > 0) {
				parts, of = append(parts, f.payload()), append(of, f)
			}
		}
		for i, text := range hide.texts(parts, MaxReplyDetail) {
			f := of[i]
			if f.Preview = text; f.Opcode == frame.Close && len(f.raw) >= 2 {
				f.Preview = strings.TrimSpace(strconv.Itoa(int(binary.BigEndian.Uint16(f.raw))) + " " + text)
			}
			f.raw = nil
		}
	}
}

// payload is the text in a frame, without the code of a close frame.
func (f *Frame) payload() string {
	if f.Opcode == frame.Close {
		return string(f.raw[min(2, len(f.raw)):])
	}
	return string(f.raw)
}

// keepOfMessage is how many bytes of a message a run keeps to show them.
func (r *run) keepOfMessage() int {
	if r.watcher != nil {
		return r.watcher.keep()
	}
	return MaxReplyDetail + redact.Slack
}
