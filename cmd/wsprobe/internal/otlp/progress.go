package otlp

import (
	"context"
	"net/http/httptrace"
	"sync"

	"google.golang.org/grpc/stats"
)

// progress says how far a request has got. The goroutines of a transport write it.
type progress struct {
	mu       sync.Mutex
	local    string // the address of the connection; empty before there is one
	sent     bool   // it was handed to the connection, and may have been sent
	answered bool   // in full
}

func (p *progress) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

// connected begins an attempt. A transport makes another attempt only if it knows that the one before had no effect.
func (p *progress) connected(local string) {
	p.set(func() { p.local, p.sent = local, false })
}

// get returns the address of the request's connection, and whether the request was sent and had no answer.
func (p *progress) get() (local string, unanswered bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.local, p.sent && !p.answered
}

// watched makes an HTTP transport report the progress of a request.
func (p *progress) watched(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn:      func(info httptrace.GotConnInfo) { p.connected(info.Conn.LocalAddr().String()) },
		WroteHeaders: func() { p.set(func() { p.sent = true }) },
	})
}

// progressKey is the key of a *progress in the context of a request over gRPC.
type progressKey struct{}

// progressOf makes gRPC report the progress of requests whose context has one.
type progressOf struct{}

// HandleRPC notes an event of a request. The answer is there when its trailer is: the header says nothing yet.
func (progressOf) HandleRPC(ctx context.Context, event stats.RPCStats) {
	p, _ := ctx.Value(progressKey{}).(*progress)
	if p == nil {
		return
	}
	switch event := event.(type) {
	case *stats.OutHeader:
		p.connected(event.LocalAddr.String())
	case *stats.OutPayload:
		p.set(func() { p.sent = true })
	case *stats.InTrailer:
		p.set(func() { p.answered = true })
	}
}

// TagRPC adds nothing: the progress is in the context.
func (progressOf) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

// TagConn adds nothing.
func (progressOf) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

// HandleConn notes nothing: see [connections].
func (progressOf) HandleConn(context.Context, stats.ConnStats) {}
