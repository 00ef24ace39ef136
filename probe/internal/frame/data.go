package frame

import (
	"crypto/rand"
	"encoding/binary"
)

// AppendMessage appends a data message in one frame, masked as all frames of a client (RFC 6455 5.3). The opcode is Text
// or Binary.
func AppendMessage(to []byte, opcode byte, message []byte) []byte {
	to = append(to, 0x80|opcode)
	switch n := len(message); {
	case n < 126:
		to = append(to, 0x80|byte(n))
	case n <= 0xffff:
		to = binary.BigEndian.AppendUint16(append(to, 0x80|126), uint16(n))
	default:
		to = binary.BigEndian.AppendUint64(append(to, 0x80|127), uint64(n))
	}
	var mask [4]byte
	_, _ = rand.Read(mask[:]) // it never fails
	to = append(to, mask[:]...)
	for i, c := range message {
		to = append(to, c^mask[i%4])
	}
	return to
}
