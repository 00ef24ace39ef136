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

// backoff finds the waits before a session is opened anew. The zero value is that of the first session.
type backoff struct {
	failures int // ends in a row of sessions that did not last, and opens that failed
}

// setback is the end of a session, or an open that failed.
type setback struct {
	planned    bool          // by our own plan
	lasted     time.Duration // from the open, 0 for one that failed
	code       int           // of the server's close frame, or 0
	retryAfter time.Duration // of the response that refused the open, or 0
}

// wait returns the time from a setback to the next open. Random is a number from 0 to below 1.
func (b *backoff) wait(bounds Reconnect, s setback, random float64) time.Duration {
	if s.planned {
		b.failures = 0
		return 0
	}
	if s.lasted >= bounds.Max {
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
	case s.retryAfter > 0:
		return min(s.retryAfter, MaxRetryAfter) + part(bound)
	case s.code == closeServiceRestart:
		return minRestart + part(maxRestart-minRestart)
	case s.code == closeTryAgainLater:
		return bounds.Max/2 + part(bounds.Max/2)
	default:
		return part(bound)
	}
}
