package session

import "time"

// Packets of MQTT are the messages of a session with that subprotocol: a packet may begin in one WebSocket message and
// end in another, and one WebSocket message may have several of them (MQTT-6.0.0-2).

// maxPackets bounds the packets of one WebSocket message. What follows them is taken for one more.
const maxPackets = 1024

// packets takes a WebSocket message, with each packet that it ends.
func (m *machine) packets(w *work, content []byte, at time.Time) {
	if b := m.buffers; b != nil && len(b.packet) > 0 {
		if !m.grow(&b.packet, content) {
			m.outOfMemory(w, m.since(at))
			return
		}
		content = b.packet
	}
	for n := 0; len(content) > 0 && m.state == open; n++ {
		size := packetSize(content)
		if n == maxPackets || size < 0 || int64(size) > m.plan.spec.MaxReply { // it is no MQTT, or nobody wants it
			size = len(content)
		}
		if size == 0 || size > len(content) {
			break
		}
		m.judge(w, content[:size], size, at)
		content = content[size:]
	}
	if m.state == open && !m.keepPacket(content) {
		m.outOfMemory(w, m.since(at))
	}
}

// keepPacket keeps the beginning of a packet, which may be in its buffer already, and reports whether there was memory
// for it.
func (m *machine) keepPacket(begun []byte) bool {
	b := m.buffers
	if b == nil || cap(b.packet) == 0 {
		return len(begun) == 0 || m.grow(&m.buffer().packet, begun)
	}
	if len(begun) > 0 {
		b.packet = b.packet[:copy(b.packet, begun)]
		return true
	}
	m.plan.memory.give(cap(b.packet))
	b.packet = nil
	m.tidy()
	return true
}

// packetSize is the length of the first packet with its header. It is 0 as long as too little of it has come, and
// negative if it cannot be one.
func packetSize(p []byte) int {
	const lengthBytes = 4 // at most, of 7 bits each
	size := 0
	for i := range lengthBytes {
		if i+1 >= len(p) {
			return 0
		}
		size |= int(p[i+1]&0x7f) << (7 * i)
		if p[i+1]&0x80 == 0 {
			return i + 2 + size
		}
	}
	return -1
}
