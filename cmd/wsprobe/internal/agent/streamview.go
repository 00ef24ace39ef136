package agent

import (
	"errors"
	"fmt"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/status"
)

// views are the streams as the page and the API show them.
func (s *outlets) views() []status.Stream {
	now := time.Now()
	all := make([]status.Stream, len(s.streams))
	for i, one := range s.streams {
		state, counts := one.State(), one.Counts()
		v := status.Stream{
			Name: state.Name, URL: state.URL, Connected: state.Open == state.Workers, Open: state.Open, Workers: state.Workers,
			Detail: state.Detail, Hint: state.Hint, Required: one.ready, Waiting: counts.Waiting.Events, WaitingBytes: counts.Waiting.Bytes,
			Since: known(state.Since), LastSent: known(state.LastSent), Events: counts.Events, Sent: counts.Sent, Resent: counts.Resent,
			Discarded: discarded(counts),
		}
		if v.Waiting > 0 {
			v.Oldest = new(now.Add(-counts.Waiting.Age))
		}
		all[i] = v
	}
	return all
}

// ready returns nil if every stream that the agent needs is connected.
func (s *outlets) ready() error {
	for _, one := range s.streams {
		state := one.State()
		if !one.ready || state.Open == state.Workers {
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
