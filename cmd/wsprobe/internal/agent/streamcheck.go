package agent

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/stream"
	"github.com/wsprobe/wsprobe/config"
)

// StreamCheck is what an open of a stream came to.
type StreamCheck struct {
	Name, URL string // the URL as it may be shown
	Took      time.Duration
	// Err is nil if the stream connected.
	Err *stream.CheckError
}

// CheckStreams opens each stream once, all at the same time, and closes it without an event. The outcomes are in the
// order of the streams, and none takes much longer than the timeout of its stream.
func CheckStreams(ctx context.Context, streams []config.Stream) []StreamCheck {
	outcomes := make([]StreamCheck, len(streams))
	var all sync.WaitGroup
	for i, s := range streams {
		all.Go(func() {
			begun := time.Now()
			err := stream.Check(ctx, s.Opening, s.Timeout)
			outcomes[i] = StreamCheck{Name: s.Name, URL: s.ShownURL(), Took: time.Since(begun)}
			if err != nil && !errors.As(err, &outcomes[i].Err) {
				outcomes[i].Err = &stream.CheckError{Detail: err.Error()}
			}
		})
	}
	all.Wait()
	return outcomes
}
