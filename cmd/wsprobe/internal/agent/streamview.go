package agent

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/status"
)

// views are the streams as the page and the API show them.
func (s *outlets) views() []status.Stream {
	now := time.Now()
	var all []status.Stream
	sums := s.sums()
	for _, one := range s.current() {
		i := slices.IndexFunc(sums, func(all *sumsOf) bool { return all.name == one.Name })
		if i < 0 {
			continue // it has come since
		}
		state, counts := one.stream.State(), sums[i].counts
		v := status.Stream{
			Name: state.Name, URL: state.URL, Connected: state.Open == state.Workers, Open: state.Open, Workers: state.Workers,
			Detail: state.Detail, Hint: state.Hint, Required: one.Ready, Waiting: counts.Waiting.Events, WaitingBytes: counts.Waiting.Bytes,
			Since: known(state.Since), LastSent: known(state.LastSent), Events: counts.Events, Sent: counts.Sent, Resent: counts.Resent,
			Discarded: discarded(counts),
		}
		if v.Waiting > 0 {
			v.Oldest = new(now.Add(-counts.Waiting.Age))
		}
		all = append(all, v)
	}
	return all
}

// ready returns nil if every stream that the agent needs is connected.
func (s *outlets) ready() error {
	for _, one := range s.current() {
		state := one.stream.State()
		if !one.Ready || state.Open == state.Workers {
			continue
		}
		wrong := fmt.Sprintf("stream %q has %d of %d connections", state.Name, state.Open, state.Workers)
		if !state.Since.IsZero() {
			wrong += " since " + state.Since.UTC().Format(time.RFC3339)
		}
		if state.Detail != "" {
			wrong += ": " + state.Detail
		}
		if state.Hint != "" {
			wrong += "; " + state.Hint
		}
		return errors.New(wrong)
	}
	return nil
}

// known is a time, nil for none.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
