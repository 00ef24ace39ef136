package journal

import (
	"slices"
	"time"

	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/session"
	"github.com/wsprobe/wsprobe/reasons"
)

// setback is what makes one end of a session, or one open that failed, equal to another.
type setback struct {
	end        session.Cause // empty for an open that failed
	reason     reasons.Code
	errorType  reasons.ErrorType
	closeCode  int
	httpStatus int
}

// story is what makes one explanation equal to another.
type story struct {
	verdict session.Verdict
	limit   session.Limit
	sure    bool
}

// trouble is a time in which sessions of a probe end although nobody planned it, or do not open. It is over when a
// session has been open for [SumUpEvery] without such an end.
type trouble struct {
	since   time.Time
	last    time.Time // when the last session ended, or an open failed
	down    bool      // no session has opened since
	told    []setback
	stories []story
	spoke   time.Time // when a setback was last told
	untold  int       // setbacks since then
	all     int

	explain bool // the last end was told, so its explanation is news
	reopen  bool // people know that no session is open
}

// over reports whether the time before a setback was calm.
func (t *trouble) over(at time.Time) bool { return !t.down && at.Sub(t.last) >= SumUpEvery }

// add counts a setback. It says whether such a one is new, and whether it is time to sum up.
func (t *trouble) add(o *metrics.Observation) (fresh, due bool) {
	r := &o.Result
	is := setback{reason: r.Reason, errorType: r.ErrorType, closeCode: r.CloseCode, httpStatus: r.HTTPStatus}
	if end := o.Session.End; end != nil {
		is = setback{end: end.Cause, reason: end.Reason, errorType: end.ErrorType, closeCode: end.Code}
	}
	t.last, t.down = r.Ended, !o.Session.Open
	t.all++
	t.untold++
	if fresh = !slices.Contains(t.told, is) && len(t.told) < maxKinds; fresh {
		t.told = append(t.told, is)
	}
	return fresh, r.Ended.Sub(t.spoke) >= SumUpEvery
}

// tell notes that every setback up to this one is told. It returns how many are news.
func (t *trouble) tell(at time.Time) int {
	n := t.untold
	t.spoke, t.untold = at, 0
	return n
}

// news reports whether an explanation is worth a line: that of an end which has one, or the first of its kind.
func (t *trouble) news(f *session.Finding) bool {
	is := story{f.Verdict, f.Limit, f.Sure}
	known := slices.Contains(t.stories, is)
	if !known && len(t.stories) < maxKinds {
		t.stories = append(t.stories, is)
		return true
	}
	return t.explain
}
