package redact

import "slices"

// index holds the secrets such that one pass over a text finds them: every eight bytes in a row of the long ones, and the
// short ones and the ends of all.
type index struct {
	long  map[uint64]role // eight bytes
	short map[uint64]role // up to seven, with their number, see pack
	whole [piece]bool     // by length: whether there is a secret so short
}

// role is what a sequence of bytes is in a secret.
type role uint8

const (
	roleInside role = 1 << iota // it is anywhere
	roleHead                    // the secret begins with it
	roleTail                    // it ends with it
	roleWhole                   // it is the secret
)

func newIndex() index {
	return index{long: make(map[uint64]role), short: make(map[uint64]role)}
}

func (x *index) empty() bool { return len(x.long) == 0 && len(x.short) == 0 }

// pack makes a number of up to eight bytes.
func pack(b []byte) uint64 {
	var n uint64
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	if len(b) < piece {
		n |= uint64(len(b)) << 56
	}
	return n
}

// add takes a secret, folded.
func (x *index) add(secret []byte) {
	n := len(secret)
	if n < shortest {
		return
	}
	for length := edge; length < min(piece, n); length++ {
		if head := secret[:length]; length >= wordy || !isWord(head) {
			x.short[pack(head)] |= roleHead
		}
		if tail := secret[n-length:]; length >= wordy || !isWord(tail) {
			x.short[pack(tail)] |= roleTail
		}
	}
	if n < piece {
		x.short[pack(secret)] |= roleWhole
		x.whole[n] = true
		return
	}
	for i := 0; i+piece <= n; i++ {
		is := roleInside
		if i == 0 {
			is |= roleHead
		}
		if i+piece == n {
			is |= roleTail
		}
		x.long[pack(secret[i:i+piece])] |= is
	}
}

// hits returns where secrets are in a text that was decoded from one of the given size.
func (x *index) hits(f layer, size int) []span {
	found := x.longHits(f, size)
	for length := shortest; length < piece; length++ {
		if x.whole[length] {
			found = x.shortHits(found, f, length)
		}
	}
	for length := edge; length < piece && length <= len(f.text); length++ {
		first, last := f.span(0, length), f.span(len(f.text)-length, len(f.text))
		if first.from == 0 && x.short[pack(f.text[:length])]&roleTail != 0 {
			found = append(found, first)
		}
		if last.to == size && x.short[pack(f.text[len(f.text)-length:])]&roleHead != 0 {
			found = append(found, last)
		}
	}
	return found
}

// longHits finds the runs of bytes that are in a secret, and are enough of it.
func (x *index) longHits(f layer, size int) []span {
	if len(x.long) == 0 {
		return nil
	}
	var found []span
	var window uint64
	begin, is := -1, role(0)
	settle := func(end int) {
		if begin < 0 {
			return
		}
		for begin < end && f.text[begin] == ' ' { // a blank can be the next word's, too
			begin++
		}
		for begin < end && f.text[end-1] == ' ' {
			end--
		}
		if begin == end {
			begin, is = -1, 0
			return
		}
		s := f.span(begin, end)
		if is&(roleHead|roleTail) != 0 || end-begin >= middle || s.from == 0 || s.to == size {
			found = append(found, s)
		}
		begin, is = -1, 0
	}
	for i, c := range f.text {
		window = window<<8 | uint64(c)
		if i+1 < piece {
			continue
		}
		here := x.long[window]
		if here == 0 {
			settle(i)
			continue
		}
		if begin < 0 {
			begin = i + 1 - piece
		}
		is |= here
	}
	settle(len(f.text))
	return found
}

// shortHits appends where whole secrets of one length are.
func (x *index) shortHits(found []span, f layer, length int) []span {
	for i := 0; i+length <= len(f.text); i++ {
		if x.short[pack(f.text[i:i+length])]&roleWhole == 0 {
			continue
		}
		if length < wordy && (i > 0 && inWord(f.text[i-1]) || i+length < len(f.text) && inWord(f.text[i+length])) {
			continue
		}
		found = append(found, f.span(i, i+length))
	}
	return found
}

func inWord(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c >= 0x80
}

// isWord reports whether a text, folded, could be an ordinary word.
func isWord(text []byte) bool {
	return !slices.ContainsFunc(text, func(c byte) bool { return c < 'a' || c > 'z' })
}
