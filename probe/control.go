package probe

import "crypto/rand"

// pingPayload is the length of what a Ping frame carries: enough that no other Pong can be taken for its own, and short
// enough for servers that answer with no more than fits into a receive buffer, which in libwebsockets may be of 10 bytes.
const pingPayload = 8

// ping writes a Ping frame. The library's own waits for the Pong in a second goroutine, and its clock cannot tell when
// the bytes came.
func (w *wire) ping() error {
	payload := rand.Text()[:pingPayload]
	w.scan.wantPong, w.scan.pong, w.scan.otherPong = payload, false, false
	_, err := w.conn.Write(appendControl(nil, opPing, payload))
	return err
}

// answerPings answers the Pings that have come, as soon as practical (RFC 6455 5.5.2): before the message that is about
// to be written, too. The library would do it only where somebody reads, which nobody does before the send, and some
// servers hear nothing else until they have their Pong. A failure shows in the next read.
func (w *wire) answerPings() {
	pings := w.scan.pings
	if len(pings) == 0 || w.closing || w.ended() {
		return
	}
	var frames []byte
	for len(pings) > 0 {
		end := 1 + int(pings[0])
		frames = appendControl(frames, opPong, string(pings[1:end]))
		pings = pings[end:]
	}
	w.scan.pings = w.scan.pings[:0]
	_, _ = w.conn.Write(frames)
}

// appendControl appends a control frame, masked as all that a client sends (RFC 6455 5.3).
func appendControl(to []byte, opcode byte, payload string) []byte {
	var mask [4]byte
	_, _ = rand.Read(mask[:]) // never fails, says crypto/rand
	to = append(to, 0x80|opcode, 0x80|byte(len(payload)))
	to = append(to, mask[:]...)
	for i := range len(payload) {
		to = append(to, payload[i]^mask[i%4])
	}
	return to
}
