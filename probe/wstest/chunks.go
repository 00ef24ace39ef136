package wstest

// Chunks cuts data into pieces of 0 to 6 bytes, whose lengths the bytes of cuts say in turn. Without cuts it is one piece.
// A fuzz test that reads the pieces one by one shows that no cut of the network changes an outcome.
func Chunks(data, cuts []byte) [][]byte {
	var pieces [][]byte
	for i := 0; len(data) > 0; i++ {
		n := len(data)
		if len(cuts) > 0 {
			n = min(n, int(cuts[i%len(cuts)])%7)
			if n == 0 && i%len(cuts) == len(cuts)-1 {
				n = 1 // so that it ends
			}
		}
		pieces = append(pieces, data[:n])
		data = data[n:]
	}
	return pieces
}
