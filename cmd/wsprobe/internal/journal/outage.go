package journal

import (
	"slices"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/reasons"
)

// SumUpEvery is the least time between two lines about failures of a probe that have been told before.
const SumUpEvery = 10 * time.Minute

// maxKinds bounds what an outage remembers. An endpoint that finds still more ways to fail is told about in sums.
const maxKinds = 8

// kind is what makes one failure equal to another.
type kind struct {
	reason     reasons.Code
	errorType  reasons.ErrorType
	closeCode  int
	httpStatus int
}

// outage is a time in which every run of a probe failed. There is one only while it lasts.
type outage struct {
	since  time.Time // start of the first run that failed
	runs   int
	told   []kind
	spoke  time.Time // end of the run that was last told about
	untold int       // runs since then
}

// add counts a run that failed. It says whether such a failure is new, and whether it is time to sum up.
func (o *outage) add(r *probe.Result) (fresh, due bool) {
	k := kind{r.Reason, r.ErrorType, r.CloseCode, r.HTTPStatus}
	o.runs++
	o.untold++
	fresh = !slices.Contains(o.told, k) && len(o.told) < maxKinds
	if fresh {
		o.told = append(o.told, k)
	}
	return fresh, r.Ended.Sub(o.spoke) >= SumUpEvery
}

// tell notes that everything up to this run is told. It returns how many runs that were.
func (o *outage) tell(r *probe.Result) int {
	n := o.untold
	o.spoke, o.untold = r.Ended, 0
	return n
}
