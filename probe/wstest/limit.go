package wstest

import (
	"sync/atomic"
	"time"
)

// requestTime is how long a client may take for its TLS handshake and its request together.
const requestTime = 10 * time.Second

// spare is how many connections above a limit are told so. More are reset at once.
const spare = 100

// Limit bounds how many connections a script has at a time, over all servers that run the returned script. A connection
// above the limit is refused with 503. A client that takes more than 10 s for its TLS handshake and its request is cut
// off.
func Limit(most int, script Script) Script {
	var open atomic.Int64
	return func(c *Conn) {
		n := int(open.Add(1))
		defer open.Add(-1)
		if n > most+spare {
			c.Reset()
		}
		_ = c.raw.SetDeadline(time.Now().Add(requestTime))
		c.Request()
		_ = c.raw.SetDeadline(time.Time{})
		if n > most {
			c.Refuse(503, "too many connections\n", retryAfter(time.Second))
		}
		script(c)
	}
}
