package health

import "time"

// Dwell is how long a change must have lasted before it counts. The zero Dwell holds nothing back.
type Dwell struct {
	Breach  time.Duration // a change for the worse
	Recover time.Duration // a change for the better
}

// Rules are how the runs of a probe are judged.
type Rules struct {
	Thresholds Thresholds
	Dwell      Dwell
}

// State is the status of a probe and since when it has it.
type State struct {
	Status Status
	Since  time.Time
}

// Transition is a change of the status of a probe. The first verdict is one, too, from Unknown.
type Transition struct {
	From, To Status
	// Since is the end of the first of the runs that brought it about; At is that of the last, which decided.
	Since, At time.Time
}

// Tracker follows the status of one probe from run to run. Its methods must not be called by two goroutines at once.
//
// A status is worse than before only if every run of the dwell was at least as bad. It is better only if every run was
// at least as good. So an endpoint that is now unhealthy, now without data, is unhealthy once that has lasted. The
// first run is judged at once, because there is no status to hold.
type Tracker struct {
	dwell  Dwell
	state  State
	before Status // of before a pause
	paused bool   // there was one, and no status since then
	// bad and good are the ends of the first of the latest runs that were all at least as bad, or as good, as the
	// status; zero if the last one was not.
	bad, good [statusCount]time.Time
}

// NewTracker returns the tracker of a probe that has not run yet.
func NewTracker(dwell Dwell) *Tracker { return &Tracker{dwell: dwell} }

// Pause forgets the verdicts so far. The status is Unknown until one holds again: Healthy at once, and a worse one when it
// has lasted for the dwell of a breach. A Transition then is from the status of before the pause, and there is none if
// that is the same.
func (t *Tracker) Pause() {
	if t.state.Status != Unknown {
		t.before = t.state.Status
	}
	t.state, t.paused = State{}, true
	clear(t.bad[:])
	clear(t.good[:])
}

// State returns what the probe is.
func (t *Tracker) State() State { return t.state }

// Observe takes the verdict on a run that ended at this time. Runs come in the order of time. It returns the change
// of status that the run decides, and whether there is one.
func (t *Tracker) Observe(at time.Time, verdict Status) (Transition, bool) {
	for _, s := range Statuses() {
		extend(&t.bad[s], verdict >= s, at)
		extend(&t.good[s], verdict <= s, at)
	}
	next, since := t.settle(at, verdict)
	if next == t.state.Status {
		return Transition{}, false
	}
	change := Transition{From: t.state.Status, To: next, Since: since, At: at}
	t.state = State{next, at}
	if t.paused {
		change.From, t.paused = t.before, false
	}
	return change, change.From != next
}

// extend lets a streak of runs go on, begin or end.
func extend(since *time.Time, goesOn bool, at time.Time) {
	switch {
	case !goesOn:
		*since = time.Time{}
	case since.IsZero():
		*since = at
	}
}

// settle returns the status after a run: as near to its verdict as what has lasted allows.
func (t *Tracker) settle(at time.Time, verdict Status) (Status, time.Time) {
	now := t.state.Status
	if now == Unknown && (!t.paused || verdict == Healthy) {
		return verdict, at
	}
	for s := verdict; s > now; s-- {
		if at.Sub(t.bad[s]) >= t.dwell.Breach {
			return s, t.bad[s]
		}
	}
	for s := verdict; s < now; s++ {
		if at.Sub(t.good[s]) >= t.dwell.Recover {
			return s, t.good[s]
		}
	}
	return now, t.state.Since
}
