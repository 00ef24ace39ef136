package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

// synced is the age from which an event outlives a kill of the agent.
const synced = 500 * time.Millisecond

// streamEvent is what the tests read of an event.
type streamEvent struct {
	ID        string    `json:"id"`
	Replay    *int      `json:"replay"`
	Event     string    `json:"event"`
	Timestamp time.Time `json:"timestamp"`
	Probe     string    `json:"probe"`
	Reason    string    `json:"reason"`
}

// born is when the event was made. Its timestamp can be earlier, because it is that of the outcome.
func (e streamEvent) born() time.Time {
	id, err := uuid.Parse(e.ID)
	if err != nil {
		return e.Timestamp
	}
	return time.Unix(id.Time().UnixTime())
}

// killing is a kill of the agent, which took place between two times.
type killing struct {
	after, before time.Time
	slack         time.Duration // by how much the machine was too busy to sync in time
}

// delivery is an event that a receiver was given, on a connection.
type delivery struct {
	streamEvent
	connection string
}

// deliveries reads the events of messages, of which each holds an object or a list of them.
func deliveries(t *testing.T, messages []message) (all []delivery) {
	t.Helper()
	for _, m := range messages {
		var several []streamEvent
		text := m.text
		if len(text) > 0 && text[0] == '{' {
			text = append(append([]byte("["), text...), ']')
		}
		if err := json.Unmarshal(text, &several); err != nil {
			t.Fatalf("%v in the message %.300q", err, m.text)
		}
		for _, e := range several {
			if e.ID == "" || e.Probe == "" || e.Replay == nil || e.Timestamp.IsZero() {
				t.Fatalf("an event without id, replay, timestamp or probe: %.300q", m.text)
			}
			all = append(all, delivery{e, m.connection})
		}
	}
	return all
}

// judgement is what a receiver may hold against a stream.
type judgement struct {
	Events   int // different ones
	Repeats  int
	Lost     []string // events that existed for long enough, and never came
	Cut      int      // events that never came, because the agent was killed before they were synced
	Faults   []string // events out of order, or repeated where no connection broke
	Surprise []string // events that the witness never saw
}

func (j *judgement) fault(format string, args ...any) {
	j.Faults = append(j.Faults, fmt.Sprintf(format, args...))
}

// judge compares what a receiver was given with the events that a witness saw. Each of these must have come at least
// once, unless the agent was killed before it was synced. Those of one probe come in order. An event comes again on
// another connection only, with a higher count. After a kill the count begins anew at 1, because nobody knows it.
func judge(witness []streamEvent, got []delivery, kills []killing) (j judgement) {
	type history struct {
		replay      int
		connections map[string]bool
	}
	seen, newest := map[string]*history{}, map[string]string{}
	for _, d := range got {
		if h := seen[d.ID]; h != nil {
			j.Repeats++
			if *d.Replay == 0 || *d.Replay <= h.replay && len(kills) == 0 {
				j.fault("%s of %s came with replay %d after %d", d.ID, d.Probe, *d.Replay, h.replay)
			}
			if h.connections[d.connection] && d.connection != "-" {
				j.fault("%s of %s came twice on the connection %s", d.ID, d.Probe, d.connection)
			}
			h.replay, h.connections[d.connection] = *d.Replay, true
			continue
		}
		j.Events++
		seen[d.ID] = &history{*d.Replay, map[string]bool{d.connection: true}}
		if d.ID < newest[d.Probe] { // an id is a UUIDv7, which sorts by time
			j.fault("%s of %s came after %s", d.ID, d.Probe, newest[d.Probe])
		}
		newest[d.Probe] = d.ID
	}
	existed := map[string]bool{}
	for _, e := range witness {
		existed[e.ID] = true
		switch {
		case seen[e.ID] != nil:
		case killedBeside(e.born(), kills):
			j.Cut++
		default:
			j.Lost = append(j.Lost, fmt.Sprintf("%s of %s, born %v%s", e.ID, e.Probe, e.born().Format("15:04:05.000"), beforeKill(e.born(), kills)))
		}
	}
	for _, d := range got {
		if !existed[d.ID] && !killedBeside(d.born(), kills) {
			j.Surprise = append(j.Surprise, d.ID)
		}
	}
	return j
}

// beforeKill tells how long before the next kill a time was.
func beforeKill(at time.Time, kills []killing) string {
	for _, k := range kills {
		if age := k.after.Sub(at); age >= 0 {
			return fmt.Sprintf(", %v before a kill", age.Round(time.Millisecond))
		}
	}
	return ""
}

// killedBeside reports whether the agent was killed before an event was synced.
func killedBeside(at time.Time, kills []killing) bool {
	return slices.ContainsFunc(kills, func(k killing) bool {
		return at.Before(k.before) && at.Add(synced+k.slack).After(k.after)
	})
}

// check fails the test with what there is against a stream, a few of each.
func (j judgement) check(t *testing.T) {
	t.Helper()
	for what, list := range map[string][]string{
		"events were lost": j.Lost, "faults": j.Faults, "events that the witness did not see": j.Surprise,
	} {
		if len(list) > 0 {
			t.Errorf("%d %s, such as\n%s", len(list), what, strings.Join(list[:min(len(list), 5)], "\n"))
		}
	}
	t.Logf("%d events, %d repeats, %d too young at a kill", j.Events, j.Repeats, j.Cut)
}

// TestJudge holds that the judge finds what it is for.
func TestJudge(t *testing.T) {
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) []killing { return []killing{{after: noon.Add(d), before: noon.Add(d)}} }
	event := func(id, probe string, replay int, after time.Duration) streamEvent {
		return streamEvent{ID: id, Probe: probe, Replay: &replay, Timestamp: noon.Add(after)}
	}
	on := func(connection string, e streamEvent) delivery { return delivery{e, connection} }
	a, b, c := event("1", "x", 0, 0), event("2", "x", 0, time.Second), event("3", "y", 0, 2*time.Second)
	again := func(e streamEvent, replay int) streamEvent { e.Replay = &replay; return e }
	all := []streamEvent{a, b, c}
	for name, test := range map[string]struct {
		got                                  []delivery
		kills                                []killing
		lost, cut, faults, repeats, surprise int
	}{
		"all, in another order of probes":  {got: []delivery{on("k", c), on("k", a), on("k", b)}},
		"one is missing":                   {got: []delivery{on("k", a), on("k", c)}, lost: 1},
		"too young at a kill":              {got: []delivery{on("k", a), on("k", c)}, kills: at(1499 * time.Millisecond), cut: 1},
		"old enough at a kill":             {got: []delivery{on("k", a), on("k", c)}, kills: at(1500 * time.Millisecond), lost: 1},
		"before a kill that came earlier":  {got: []delivery{on("k", a), on("k", c)}, kills: at(999 * time.Millisecond), lost: 1},
		"out of order":                     {got: []delivery{on("k", b), on("k", a), on("k", c)}, faults: 1},
		"again after a break":              {got: []delivery{on("k", a), on("l", again(a, 1)), on("l", b), on("l", c)}, repeats: 1},
		"again on the same connection":     {got: []delivery{on("k", a), on("k", again(a, 1)), on("k", b), on("k", c)}, repeats: 1, faults: 1},
		"again after a kill":               {got: []delivery{on("k", again(a, 1)), on("l", again(a, 1)), on("l", b), on("l", c)}, kills: at(time.Hour), repeats: 1},
		"again, not counted, after a kill": {got: []delivery{on("k", a), on("l", a), on("l", b), on("l", c)}, kills: at(time.Hour), repeats: 1, faults: 1},
		"again, not counted":               {got: []delivery{on("k", a), on("l", a), on("l", b), on("l", c)}, repeats: 1, faults: 1},
		"first seen at its second send":    {got: []delivery{on("k", again(a, 1)), on("k", b), on("k", c)}},
		"not from there":                   {got: []delivery{on("k", a), on("k", b), on("k", c), on("k", event("4", "z", 0, time.Hour))}, surprise: 1},
	} {
		t.Run(name, func(t *testing.T) {
			j := judge(all, test.got, test.kills)
			if len(j.Lost) != test.lost || j.Cut != test.cut || len(j.Faults) != test.faults || j.Repeats != test.repeats || len(j.Surprise) != test.surprise {
				t.Errorf("got %+v", j)
			}
		})
	}
}
