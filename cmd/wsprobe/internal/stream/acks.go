package stream

import (
	"bytes"
	"strings"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/buffer"
	"github.com/wsprobe/wsprobe/probe/bare"
)

// maxText is the longest message of an endpoint that is read, in bytes.
const maxText = 64 << 10

// acks counts messages of the endpoint, for hints.
type acks struct {
	without int // an ID
	unknown int // the ID is of no event in flight
	long    int // too long to be read
}

// acknowledged takes a message of the endpoint. A nil text is one that is too long.
func (p *proof) acknowledged(text []byte, now time.Time) {
	if p.how != Message {
		return
	}
	ids := idsOf(text, p.path)
	var proven []*buffer.Item
	p.mu.Lock()
	switch {
	case text == nil:
		p.acks.long++
	case len(ids) == 0:
		p.acks.without++
	}
	full, open, bytes := p.window.full(p.open, p.bytes), p.open, p.bytes
	var at time.Time
	for _, id := range ids {
		if number, ok := p.byID[id]; ok {
			at = p.flights[number-p.first].at
			proven = p.prove(number, proven)
		} else {
			p.acks.unknown++
		}
	}
	p.land(now)
	if len(proven) > 0 {
		p.window.proven(open-p.open, bytes-p.bytes, full, at, now, p.heart.timeout)
	}
	p.mu.Unlock()
	p.landed(proven)
}

// idsOf are the IDs in a message. Without a path it is one ID, or several with blanks between them. JSON texts and
// lists of them will do, too.
func idsOf(text []byte, path *bare.Path) []string {
	if path != nil {
		return path.Texts(text)
	}
	if plain := bytes.TrimSpace(text); len(plain) == 0 || plain[0] != '"' && plain[0] != '[' {
		return strings.Fields(string(plain))
	}
	return itself.Texts(text)
}

// itself is the path to the document.
var itself = bare.NewPath("$")
