package telemetry

// Outcome is how an export request ended.
type Outcome string

// The outcomes.
const (
	// Accepted: the receiver took every point.
	Accepted Outcome = "accepted"
	// Partial: the receiver took the request but not all of its points.
	Partial Outcome = "partial"
	// Deferred: the request failed in a way that can pass, and will be tried again.
	Deferred Outcome = "deferred"
	// Rejected: the receiver refused the request for good.
	Rejected Outcome = "rejected"
)

// Outcomes returns every outcome.
func Outcomes() []Outcome { return []Outcome{Accepted, Partial, Deferred, Rejected} }

// DropCause is why points were given up.
type DropCause string

// The causes.
const (
	// DropRejected: the receiver refused them for good.
	DropRejected DropCause = "rejected"
	// DropRepeated: a request was repeated because its answer was lost, and the receiver refused it. It probably has them.
	DropRepeated DropCause = "repeated"
	// DropQueueFull: the queue of undelivered batches was full, and these were the oldest.
	DropQueueFull DropCause = "queue_full"
	// DropExpired: they waited for longer than a batch may.
	DropExpired DropCause = "expired"
	// DropDamaged: their file in the spool was damaged, or gone.
	DropDamaged DropCause = "damaged"
	// DropPendingFull: too many runs waited for a collection, and these were the oldest.
	DropPendingFull DropCause = "pending_full"
	// DropUnencodable: they could not be encoded. It never happens unless wsprobe is wrong.
	DropUnencodable DropCause = "unencodable"
)

// DropCauses returns every cause.
func DropCauses() []DropCause {
	return []DropCause{DropRejected, DropRepeated, DropQueueFull, DropExpired, DropDamaged, DropPendingFull, DropUnencodable}
}
