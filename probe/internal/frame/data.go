package frame

import (
	"crypto/rand"
	"encoding/binary"
)

// Mask is the key that hides a frame of a client (RFC 6455 5.3).
type Mask [4]byte

// AppendHead appends the head of a data message in one frame of so many bytes, with a fresh mask. The opcode is Text or
// Binary, and has the mark of a compressed message if that is one.
func AppendHead(to []byte, opcode byte, size int) ([]byte, Mask) {
	to = append(to, 0x80|opcode)
	switch {
	case size < 126:
		to = append(to, 0x80|byte(size))
	case size <= 0xffff:
		to = binary.BigEndian.AppendUint16(append(to, 0x80|126), uint16(size))
	default:
		to = binary.BigEndian.AppendUint64(append(to, 0x80|127), uint64(size))
	}
	var mask Mask
	_, _ = rand.Read(mask[:]) // it never fails
	return append(to, mask[:]...), mask
}

// AppendMasked appends bytes of a payload, of which so many stand before them.
func AppendMasked(to, payload []byte, mask Mask, before int) []byte {
	begin := len(to)
	to = append(to, payload...)
	var key [8]byte
	for i := range key {
		key[i] = mask[(before+i)%4]
	}
	rest := to[begin:]
	for word := binary.NativeEndian.Uint64(key[:]); len(rest) >= 8; rest = rest[8:] {
		binary.NativeEndian.PutUint64(rest, binary.NativeEndian.Uint64(rest)^word)
	}
	for i := range rest {
		rest[i] ^= key[i]
	}
	return to
}

// AppendMessage appends a data message in one frame, masked as all frames of a client (RFC 6455 5.3). The opcode is Text
// or Binary.
func AppendMessage(to []byte, opcode byte, message []byte) []byte {
	to, mask := AppendHead(to, opcode, len(message))
	return AppendMasked(to, message, mask, 0)
}
