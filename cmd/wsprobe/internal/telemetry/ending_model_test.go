package telemetry

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/receiver"
	"github.com/wsprobe/wsprobe/probe"
	probehealth "github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/probe/metrics"
)

// life is a probe between its coming and its going.
type life struct {
	name, team string
	series     *Series
	random     *rand.Rand
	status     probehealth.Status // Unknown without thresholds

	mu       sync.Mutex
	left     bool
	recorded map[string]int // runs by their reason
}

// identity is what the points of a life have in common with those of its heirs.
func (l *life) identity() string { return l.name + "/" + l.team }

// newLife makes one of a few teams, with thresholds or without.
func newLife(name string, random *rand.Rand) *life {
	return &life{
		name:     name,
		team:     []string{"web", "web", "chat"}[random.IntN(3)],
		status:   []probehealth.Status{probehealth.Unknown, probehealth.Healthy}[random.IntN(2)],
		random:   rand.New(rand.NewPCG(random.Uint64(), 0)),
		recorded: make(map[string]int),
	}
}

// live runs a probe until it has left: some runs fail, and some have a close handshake.
func (l *life) live(closing time.Duration) {
	for {
		time.Sleep(time.Duration(l.random.Int64N(int64(3 * time.Second))))
		took := time.Duration(1 + l.random.Int64N(int64(800*time.Millisecond)))
		time.Sleep(took)
		started := time.Now().Add(-took)
		result := []probe.Result{good(started, took/3), refused(started), silent(started)}[l.random.IntN(3)]
		result.Ended = time.Now()
		l.series.Fix(result.Ended)
		time.Sleep(closing)
		if !l.tell(result) {
			return
		}
	}
}

// tell records a result unless the probe has left.
func (l *life) tell(r probe.Result) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.left {
		l.series.Abandon()
		return false
	}
	l.series.Observe(&metrics.Observation{Result: r, Health: probehealth.State{Status: l.status}})
	l.recorded[r.Reason.String()]++
	return true
}

func (l *life) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.left = true
}

// TestSeriesThatComeAndGo: probes come, go, and are replaced by heirs with the same attributes or others, several times
// between two collections, too. The bytes that leave are in order, no run is lost or counted twice, and what is gone
// ends.
func TestSeriesThatComeAndGo(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint("seed_", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tp := &tape{}
				r := taped(t, Options{Interval: 10 * time.Second, FirstAfter: time.Second, EndMarkers: true}, tp)
				all, living := comeAndGo(r, rand.New(rand.NewPCG(seed, 12)))
				r.until(3 * time.Minute) // whatever has ended has been collected
				requests := tp.points(t)
				for _, l := range living {
					l.leave()
				}
				time.Sleep(10 * time.Second) // for their runs to end, as an agent waits for them
				r.stop(t)
				checkOrder(t, tp.points(t))
				checkSums(t, slices.Concat(tp.points(t)...), all)
				checkEnds(t, slices.Concat(requests...), living)
			})
		})
	}
}

// comeAndGo lets probes come and go for two minutes. It returns all of them, and those that stay by their names.
func comeAndGo(r *running, random *rand.Rand) (all []*life, living map[string]*life) {
	living = make(map[string]*life)
	pause := []time.Duration{100 * time.Millisecond, time.Second, 15 * time.Second}[random.IntN(3)]
	for time.Since(r.began) < 2*time.Minute {
		var gone []*Series
		var born []*life
		for i := range 12 {
			name := fmt.Sprint("probe-", i)
			if random.IntN(4) > 0 {
				continue
			}
			if old := living[name]; old != nil {
				old.leave()
				gone = append(gone, old.series)
				delete(living, name)
			}
			if random.IntN(4) > 0 {
				born = append(born, newLife(name, random))
			}
		}
		for _, s := range gone {
			r.End(s)
		}
		for _, l := range born {
			target := chat()
			target.Name, target.Labels = l.name, map[string]string{"team": l.team}
			l.series = r.Probe(metrics.NewIdentity(target))
			living[l.name] = l
			go l.live([]time.Duration{0, 0, 500 * time.Millisecond}[random.IntN(3)])
		}
		all = append(all, born...)
		time.Sleep(time.Duration(random.Int64N(int64(pause))))
	}
	return all, living
}

// identityOf is the identity of the life that a point is of.
func identityOf(p receiver.Point) string {
	return fmt.Sprint(p.Attributes[metrics.KeyName], "/", p.Attributes["team"])
}

// checkSums wants each sum to grow from its start, the next one to begin no earlier than it ended, and all of them
// together to have counted each run once.
func checkSums(t *testing.T, points []receiver.Point, all []*life) {
	t.Helper()
	last := make(map[string]receiver.Point) // by series
	counted := make(map[string]int)
	runs := make(map[string]int)
	for _, p := range points {
		if p.NoValue {
			continue
		}
		if !p.Start.Before(p.Time) {
			t.Errorf("%s of %s: a point from %v to %v", p.Metric, identityOf(p), p.Start, p.Time)
		}
		if p.Metric == table[metrics.Success].Name {
			runs[identityOf(p)]++
		}
		if p.Metric != table[metrics.Runs].Name {
			continue
		}
		key := fmt.Sprint(identityOf(p), " ", p.Attributes[metrics.KeyReason])
		before, there := last[key]
		switch {
		case !there:
		case before.Start.Equal(p.Start):
			if p.Value < before.Value {
				t.Errorf("%s fell from %v to %v", key, before.Value, p.Value)
			}
		case p.Start.Before(before.Time):
			t.Errorf("%s begins anew at %v, before the last point at %v", key, p.Start, before.Time)
		default:
			counted[key] += int(before.Value)
		}
		last[key] = p
	}
	recorded, ran := make(map[string]int), make(map[string]int)
	for _, l := range all {
		for reason, n := range l.recorded {
			recorded[l.identity()+" "+reason] += n
			ran[l.identity()] += n
		}
	}
	for key, want := range recorded {
		if got := counted[key] + int(last[key].Value); got != want {
			t.Errorf("%s: %d runs are counted, %d took place", key, got, want)
		}
	}
	for id, want := range ran {
		if runs[id] != want {
			t.Errorf("%s: %d runs arrived, %d took place", id, runs[id], want)
		}
	}
}

// checkEnds wants all series of probes that are gone to have ended, and of those that are there the ones that their
// last run has no value of.
func checkEnds(t *testing.T, points []receiver.Point, living map[string]*life) {
	t.Helper()
	there := make(map[string]*life)
	for _, l := range living {
		there[l.identity()] = l
	}
	last, reason := make(map[string]receiver.Point), make(map[string]any)
	for _, p := range points {
		if p.Attributes[metrics.KeyName] == nil {
			continue
		}
		id := identityOf(p)
		a := p.Attributes
		last[fmt.Sprint(p.Metric, " ", id, " ", a[metrics.KeyReason], " ", a[metrics.KeyErrorType], " ", a[metrics.KeyPhase])] = p
		if p.Metric == table[metrics.ConnectionSuccess].Name && !p.NoValue {
			reason[id] = p.Attributes[metrics.KeyReason]
		}
	}
	for key, p := range last {
		id := identityOf(p)
		switch {
		case p.NoValue:
		case there[id] == nil:
			t.Errorf("%s does not end", key)
		case p.Metric == table[metrics.Status].Name && there[id].status == probehealth.Unknown && len(there[id].recorded) > 0:
			t.Errorf("%s does not end, although there are no thresholds any more", key)
		case p.Metric == table[metrics.ConnectionSuccess].Name && p.Attributes[metrics.KeyReason] != reason[id]:
			t.Errorf("%s does not end, although the last run was %v", key, reason[id])
		}
	}
}
