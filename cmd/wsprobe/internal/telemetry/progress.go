package telemetry

import (
	"context"
	"net/http/httptrace"
	"sync"

	"google.golang.org/grpc/stats"
)

// progress is how far a request has got. The goroutines of a transport write it.
type progress struct {
	mu       sync.Mutex
	local    string // the address of the connection; empty before there is one
	sent     bool   // possibly: it was handed to the connection
	answered bool   // in full
}

func (p *progress) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

// connected begins an attempt. A transport makes another one only if it knows that the one before has done nothing.
func (p *progress) connected(local string) {
	p.set(func() { p.local, p.sent = local, false })
}

// get returns on which connection a request went, and whether it went and had no answer.
func (p *progress) get() (local string, unanswered bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.local, p.sent && !p.answered
}

// watched has an HTTP transport report the progress of a request.
func (p *progress) watched(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn:      func(info httptrace.GotConnInfo) { p.connected(info.Conn.LocalAddr().String()) },
		WroteHeaders: func() { p.set(func() { p.sent = true }) },
	})
}

// progressOf has gRPC report the progress of the requests with an [exchange].
type progressOf struct{}

// HandleRPC notes an event of a request. The answer is there when its trailer is: the header says nothing yet.
func (progressOf) HandleRPC(ctx context.Context, event stats.RPCStats) {
	x, _ := ctx.Value(exchangeKey{}).(*exchange)
	if x == nil {
		return
	}
	switch event := event.(type) {
	case *stats.OutHeader:
		x.progress.connected(event.LocalAddr.String())
	case *stats.OutPayload:
		x.progress.set(func() { x.progress.sent = true })
	case *stats.InTrailer:
		x.progress.set(func() { x.progress.answered = true })
	}
}

// TagRPC adds nothing: the exchange is in the context.
func (progressOf) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

// TagConn adds nothing.
func (progressOf) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

// HandleConn notes nothing: see [connections].
func (progressOf) HandleConn(context.Context, stats.ConnStats) {}
