package status

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"time"
)

const (
	// maxAnswers is how many answers with a row for each probe are made at a time. One costs some 30 KiB.
	maxAnswers = 8
	// turnWait is how long a client waits for one of them to end.
	turnWait = 2 * time.Second
	// stallBudget is how long a client may take nothing of its answer. It has the answer to itself meanwhile.
	stallBudget = 5 * time.Second
	// answerBuffer is how much of an answer is made ahead of its client, beside what the kernel keeps.
	answerBuffer = 16 << 10
	// kernelBuffer is how much the kernel is asked to keep. By itself it keeps megabytes, which a client that does not read
	// could have made in vain.
	kernelBuffer = 64 << 10
)

// turns bounds the memory and the time of large answers, even if clients ask for many and read none.
type turns chan struct{}

// bound makes clients of a handler wait for their turn, and refuses those that would wait too long. It ends an answer
// that its client does not read.
func (t turns) bound(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		end := time.Now().Add(writeTimeout)
		patience := time.NewTimer(turnWait)
		defer patience.Stop()
		select {
		case t <- struct{}{}:
			defer func() { <-t }()
			limitKernel(r.Context())
			h(&pacedWriter{w, http.NewResponseController(w), end}, r)
		case <-r.Context().Done():
		case <-patience.C:
			w.Header().Set("Retry-After", strconv.Itoa(int(stallBudget/time.Second)))
			writeText(w, http.StatusServiceUnavailable, "busy: other clients have not read their answers yet\n")
		}
	}
}

// pacedWriter gives a client stallBudget for each piece of an answer, and writeTimeout for all of it.
type pacedWriter struct {
	http.ResponseWriter
	connection *http.ResponseController
	end        time.Time
}

// Write waits for the client, but not for ever.
func (p *pacedWriter) Write(piece []byte) (int, error) {
	deadline := time.Now().Add(stallBudget)
	if p.end.Before(deadline) {
		deadline = p.end
	}
	_ = p.connection.SetWriteDeadline(deadline) // a connection without deadlines is one of a test
	return p.ResponseWriter.Write(piece)
}

// connectionKey is under which the context of a request has its connection.
type connectionKey struct{}

func withConnection(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connectionKey{}, c)
}

// limitKernel has the kernel keep little of an answer.
func limitKernel(ctx context.Context) {
	if c, ok := ctx.Value(connectionKey{}).(*net.TCPConn); ok {
		_ = c.SetWriteBuffer(kernelBuffer) // it costs memory if it fails
	}
}
