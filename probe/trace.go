package probe

import (
	"encoding/hex"
	"fmt"

	"github.com/wsprobe/wsprobe/reasons"
)

// Trace names a run in a distributed trace (W3C Trace Context, level 1). The zero Trace is none.
type Trace struct {
	ID [16]byte
	// Run is the span of the whole run. Upgrade is the span of the upgrade request, the parent of the endpoint's own
	// spans.
	Run, Upgrade [8]byte
	// Sampled asks the endpoint to keep what it traces.
	Sampled bool
}

// IsZero reports whether there is no trace.
func (t Trace) IsZero() bool { return t.ID == [16]byte{} }

// Traced reports whether the trace of the run is worth keeping: of the runs that are in one, the sampled and the
// failed.
func (r Result) Traced() bool {
	return !r.Trace.IsZero() && (r.Trace.Sampled || r.Reason != reasons.OK)
}

// Hex returns the ID as it is written, in lower-case hexadecimal.
func (t Trace) Hex() string { return hex.EncodeToString(t.ID[:]) }

// Parent returns the value of the field traceparent of the upgrade request (W3C Trace Context 3.2), which is empty for
// the zero Trace.
func (t Trace) Parent() string {
	if t.IsZero() {
		return ""
	}
	flags := 0
	if t.Sampled {
		flags = 1
	}
	return fmt.Sprintf("00-%x-%x-%02x", t.ID, t.Upgrade, flags)
}
