package frame

import (
	"crypto/rand"
	"encoding/binary"
	"time"
)

// pingPayload is the length of the payload of a Ping, in bytes. It is long enough that no other Pong passes for the
// answer. It is short enough for servers that answer with no more than their receive buffer, which can be 10 bytes in
// libwebsockets.
const pingPayload = 8

// Ping writes a Ping frame with a payload that nobody can guess.
func (w *Stream) Ping() error {
	payload := rand.Text()[:pingPayload]
	w.scan.expectPong(payload)
	began := time.Now()
	err := w.say(AppendControl(nil, Ping, payload))
	w.noteSaid(began, err, Ping, payload)
	return err
}

// noteSaid tells the trace of a control frame, unless its writing failed.
func (w *Stream) noteSaid(began time.Time, err error, opcode byte, payload string) {
	if w.scan.trace != nil && err == nil {
		w.scan.trace.Sent(began, opcode, []byte(payload))
	}
}

// say writes control frames. It begins none when the time is up, because the frame would be cut off, and no close frame
// could follow.
func (w *Stream) say(frames []byte) error {
	if w.raw.Late() {
		return ErrLate{}
	}
	_, err := w.Write(frames)
	return err
}

// AnswerPings answers the Pings that have come, as soon as practical (RFC 6455 5.5.2). Call it before a message is
// written, too, because some servers read nothing else until they have their Pong. A failure shows in the next read.
func (w *Stream) AnswerPings() {
	pings := w.scan.pings
	if len(pings) == 0 || w.Ended() {
		return
	}
	var frames []byte
	for len(pings) > 0 {
		end := 1 + int(pings[0])
		frames = AppendControl(frames, Pong, string(pings[1:end]))
		w.noteSaid(time.Now(), nil, Pong, string(pings[1:end]))
		pings = pings[end:]
	}
	w.scan.pings = w.scan.pings[:0]
	_ = w.say(frames)
}

// SendClose sends a close frame, the last of all frames. If the endpoint closed first, the code should be the
// endpoint's (RFC 6455 5.5.1).
func (w *Stream) SendClose(code int) {
	var payload []byte
	if code != CloseNoStatus {
		payload = binary.BigEndian.AppendUint16(nil, uint16(code))
	}
	began := time.Now()
	err := w.say(AppendControl(nil, Close, string(payload))) // Await finds the error
	w.noteSaid(began, err, Close, string(payload))
}

// AppendControl appends a control frame, masked as all frames of a client (RFC 6455 5.3).
func AppendControl(to []byte, opcode byte, payload string) []byte {
	var mask [4]byte
	_, _ = rand.Read(mask[:]) // it never fails
	to = append(to, 0x80|opcode, 0x80|byte(len(payload)))
	to = append(to, mask[:]...)
	for i := range len(payload) {
		to = append(to, payload[i]^mask[i%4])
	}
	return to
}
