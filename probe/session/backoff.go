package session

import "time"

// MaxRetryAfter is the longest time of a Retry-After that is heeded. A longer one would leave an outage of hours unseen.
const MaxRetryAfter = 10 * time.Minute

// A client of a service that restarts waits for a random time of 5 to 30 s (close code 1012 in the IANA registry).
const (
	minRestart = 5 * time.Second
	maxRestart = 30 * time.Second
)

// Close codes of the IANA registry that ask for a wait.
const (
	closeServiceRestart = 1012
	closeTryAgainLater  = 1013
)

// Backoff finds the waits before a connection is opened anew. The zero value is that of the first connection.
type Backoff struct {
	failures int // ends in a row of sessions that did not last, and opens that failed
}

// Setback is the end of a session, or an open that failed.
type Setback struct {
	Planned    bool          // by our own plan: the next open does not wait
	Lasted     time.Duration // from the open, 0 for one that failed
	Code       int           // of the server's close frame, or 0
	RetryAfter time.Duration // of the response that refused the open, or 0
}

// Wait returns the time from a setback to the next open, see [Reconnect]. Random is a number from 0 to below 1.
func (b *Backoff) Wait(bounds Reconnect, s Setback, random float64) time.Duration {
	if s.Planned {
		b.failures = 0
		return 0
	}
	if s.Lasted >= bounds.Max {
		b.failures = 0
	}
	bound := bounds.Min
	for range b.failures {
		if bound = min(2*bound, bounds.Max); bound == bounds.Max {
			break
		}
	}
	b.failures++
	part := func(of time.Duration) time.Duration { return time.Duration(random * float64(of)) }
	switch {
	case s.RetryAfter > 0:
		return min(s.RetryAfter, MaxRetryAfter) + part(bound)
	case s.Code == closeServiceRestart:
		return minRestart + part(maxRestart-minRestart)
	case s.Code == closeTryAgainLater:
		return bounds.Max/2 + part(bounds.Max/2)
	default:
		return part(bound)
	}
}
