package opening

import (
	"bytes"
	"io"

	"github.com/wsprobe/wsprobe/reasons"
)

// firstBytes reads from a connection, and remembers the first bytes that came: they tell protocols apart.
type firstBytes struct {
	conn io.Reader
	seen [9]byte // the length of a frame header of HTTP/2
	n    int
}

func (f *firstBytes) Read(p []byte) (int, error) {
	n, err := f.conn.Read(p)
	f.n += copy(f.seen[f.n:], p[:n])
	return n, err
}

// greetings are the beginnings of protocols that speak first, or that answer an unknown request.
var greetings = []struct {
	begin string
	kind  reasons.First
}{
	{"HTTP/", reasons.FirstHTTP}, {"SSH-", reasons.FirstSSH}, {"220", reasons.FirstMail}, {"421", reasons.FirstMail}, {"+OK", reasons.FirstPOP3},
	{"* OK", reasons.FirstIMAP}, {"-ERR", reasons.FirstRedis}, {"RFB 0", reasons.FirstVNC}, {"AMQP", reasons.FirstAMQP}, {"INFO", reasons.FirstNATS},
}

// firstOf names the protocol that the first bytes of a response look like.
func firstOf(b []byte) reasons.First {
	if len(b) == 0 {
		return reasons.FirstNothing
	}
	for _, g := range greetings {
		if begin := []byte(g.begin); bytes.HasPrefix(b, begin) || len(b) < len(begin) && bytes.HasPrefix(begin, b) && g.kind == reasons.FirstHTTP {
			return g.kind
		}
	}
	switch {
	case len(b) >= 2 && b[0] >= 0x14 && b[0] <= 0x17 && b[1] == 3: // RFC 8446 5.1
		return reasons.FirstTLS
	case len(b) == 9 && b[0] == 0 && (b[3] == 4 || b[3] == 7) && b[5]&0x7f == 0 && b[6] == 0 && b[7] == 0 && b[8] == 0: // RFC 9113 4.1
		return reasons.FirstHTTP2
	case len(b) >= 5 && b[1] == 0 && b[2] == 0 && b[3] == 0 && b[4] == 10: // the handshake of MySQL's protocol 10
		return reasons.FirstMySQL
	case (b[0] == 0x81 || b[0] == 0x82 || b[0] == 0x88 || b[0] == 0x89) && len(b) >= 2 && b[1] < 0x80:
		return reasons.FirstFrame
	}
	for _, c := range b {
		if c < ' ' && c != '\r' && c != '\n' && c != '\t' || c >= 0x7f {
			return reasons.FirstBinary
		}
	}
	return reasons.FirstText
}
