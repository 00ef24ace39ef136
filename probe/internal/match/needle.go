package match

// needle is a text to look for. fail[i] is the length of the longest proper prefix of the text that ends its first i+1
// bytes (Knuth, Morris and Pratt). Each byte of a message is therefore looked at once, however small its chunks are.
type needle struct {
	text string
	fail []int32
}

func newNeedle(text string) needle {
	n := needle{text, make([]int32, len(text))}
	matched := int32(0)
	for i := 1; i < len(text); i++ {
		for matched > 0 && text[i] != text[matched] {
			matched = n.fail[matched-1]
		}
		if text[i] == text[matched] {
			matched++
		}
		n.fail[i] = matched
	}
	return n
}

// search looks for a needle in a message that arrives in chunks, so that no message has to be kept whole. Every message
// contains an empty needle.
type search struct {
	needle  needle
	matched int32 // length of the longest prefix of the needle that ends the message so far
	found   bool
}

func (s *search) reset() {
	s.matched = 0
	s.found = s.needle.text == ""
}

func (s *search) write(chunk []byte) {
	text := s.needle.text
	if s.found || text == "" {
		return
	}
	for _, c := range chunk {
		for s.matched > 0 && c != text[s.matched] {
			s.matched = s.needle.fail[s.matched-1]
		}
		if c == text[s.matched] {
			s.matched++
		}
		if int(s.matched) == len(text) {
			s.found = true
			return
		}
	}
}
