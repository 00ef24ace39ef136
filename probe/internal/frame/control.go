package frame

import (
	"crypto/rand"
	"encoding/binary"
	"time"
)

// The library gets no control frame to see and sends none. It would answer a Ping only where somebody reads, wait for a
// Pong in a second goroutine and for a close frame by a clock of its own, and it gives a connection up on which a control
// frame takes longer than 5 s.

// pingPayload is the length of what a Ping frame carries: enough that no other Pong can be taken for its own, and short
// enough for servers that answer with no more than fits into a receive buffer, which in libwebsockets may be of 10 bytes.
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

// noteSaid tells the trace of a control frame, if it was sent.
func (w *Stream) noteSaid(began time.Time, err error, opcode byte, payload string) {
	if w.scan.trace != nil && err == nil {
		w.scan.trace.Sent(began, opcode, []byte(payload))
	}
}

// say writes control frames. None is begun when the time is up, which could only cut it off: there will be time again for
// the close frame.
func (w *Stream) say(frames []byte) error {
	if w.raw.Late() {
		return ErrLate{}
	}
	_, err := w.Write(frames)
	return err
}

// AnswerPings answers the Pings that have come, as soon as practical (RFC 6455 5.5.2): before the message that is about
// to be written, too, since some servers hear nothing else until they have their Pong. A failure shows in the next read.
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

// SendClose sends a close frame, the last of all frames. To that of an endpoint which closed first it answers with the
// same code (RFC 6455 5.5.1).
func (w *Stream) SendClose(code int) {
	var payload []byte
	if code != CloseNoStatus {
		payload = binary.BigEndian.AppendUint16(nil, uint16(code))
	}
	began := time.Now()
	err := w.say(AppendControl(nil, Close, string(payload))) // await finds what broke
	w.noteSaid(began, err, Close, string(payload))
}

// AppendControl appends a control frame, masked as all that a client sends (RFC 6455 5.3).
func AppendControl(to []byte, opcode byte, payload string) []byte {
	var mask [4]byte
	_, _ = rand.Read(mask[:]) // never fails, says crypto/rand
	to = append(to, 0x80|opcode, 0x80|byte(len(payload)))
	to = append(to, mask[:]...)
	for i := range len(payload) {
		to = append(to, payload[i]^mask[i%4])
	}
	return to
}
