package outbox

import "time"

// Outcome is how an attempt to deliver a request ended.
type Outcome string

// The outcomes.
const (
	// Accepted: the receiver took every item.
	Accepted Outcome = "accepted"
	// Partial: the receiver took the request, but not all of its items.
	Partial Outcome = "partial"
	// Deferred: the attempt failed in a way that can pass. The request is tried again.
	Deferred Outcome = "deferred"
	// Rejected: the receiver refused the request for good.
	Rejected Outcome = "rejected"
)

// Answer is the result of one attempt to deliver a request.
type Answer struct {
	Outcome Outcome
	// Rejected is the number of items that a Partial answer left out.
	Rejected int
	// ErrorType is one of few fixed words, for instance a status code; empty without an error.
	ErrorType string
	// Message has the receiver's words, fit to be shown: short, escaped and without secrets.
	Message string

	// RetryAfter is how long the receiver asks to be left alone; 0 if it does not ask.
	RetryAfter time.Duration
	// Doubtful marks a deferral whose reason can be this request alone, so that it says nothing about others.
	Doubtful bool
	// TooLarge marks a request with more bytes than the receiver takes. Such an answer is also Doubtful.
	TooLarge bool
	// Unanswered marks a request that may have been accepted: it can have arrived, and its answer was lost.
	Unanswered bool
}

// DropCause is the reason why items were given up.
type DropCause string

// The causes.
const (
	// DropRejected: the receiver refused the items for good.
	DropRejected DropCause = "rejected"
	// DropRepeated: the answer was lost, and the receiver refused the repeated request. It probably has the items.
	DropRepeated DropCause = "repeated"
	// DropQueueFull: the bound of bytes was reached, and these items were the oldest.
	DropQueueFull DropCause = "queue_full"
	// DropExpired: the items waited for longer than a batch may.
	DropExpired DropCause = "expired"
	// DropDamaged: the file with the items was damaged, or is gone.
	DropDamaged DropCause = "damaged"
	// DropUnencodable: the items could not be encoded. It never happens unless wsprobe is wrong.
	DropUnencodable DropCause = "unencodable"
)

// DropCauses returns every cause for which an Outbox drops items.
func DropCauses() []DropCause {
	return []DropCause{DropRejected, DropRepeated, DropQueueFull, DropExpired, DropDamaged, DropUnencodable}
}
