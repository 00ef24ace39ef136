package feed

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/event"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/reasons"
)

// identities are probes named p0, p1, …, each third of which has the label team=core.
func identities(count int) []*metrics.Identity {
	all := make([]*metrics.Identity, count)
	for i := range all {
		t := metrics.Target{Name: fmt.Sprintf("p%d", i)}
		if i%3 == 0 {
			t.Labels = map[string]string{"team": "core"}
		}
		all[i] = metrics.NewIdentity(t)
	}
	return all
}

// id is the ID of the event with a number.
func id(number int) string { return fmt.Sprintf("id-%d", number) }

// happen returns an event.
func happen(number int, p *metrics.Identity, reason reasons.Code) *event.Event {
	return &event.Event{ID: id(number), Kind: "run", Observation: &metrics.Observation{Probe: p, Result: probe.Result{Reason: reason}}}
}

// fill adds events of the probes in turn, numbered from first to last.
func fill(p *past, probes []*metrics.Identity, first, last int) {
	for n := first; n <= last; n++ {
		p.add(happen(n, probes[n%len(probes)], reasons.OK))
	}
}

// wordy encodes an event as a text in which little is new.
func wordy(e *event.Event) []byte {
	return append([]byte(e.ID+"#"), strings.Repeat("as all the others", 10)...)
}

// word is what is new in it.
func word(text []byte) string {
	word, _, _ := strings.Cut(string(text), "#")
	return word
}

// drain takes all that there is for a client, in order; "|" stands for the moment from which on it is live.
func drain(p *past, c *place) (all []string, slow bool) {
	for {
		batch, next := c.take(p, nil)
		for _, text := range batch {
			all = append(all, word(text))
		}
		switch next {
		case tell:
			all = append(all, "|")
		case wait, tooSlow:
			return all, next == tooSlow
		}
	}
}

// span are the IDs of events with these numbers.
func span(first, last int) []string {
	var all []string
	for n := first; n <= last; n++ {
		all = append(all, id(n))
	}
	return all
}

// TestBegin has clients come after a number of events, and holds what had been for them.
func TestBegin(t *testing.T) {
	one := event.Selection{Probes: []string{"p1"}}
	for _, c := range []struct {
		name      string
		probes    int
		events    int
		selection event.Selection
		since     string
		found     found
		want      []string
	}{
		{"nothing has been", 3, 0, event.Selection{}, "", fresh, nil},
		{"the last event of each probe", 3, 10, event.Selection{}, "", fresh, span(8, 10)},
		{"also of those whose event is long ago", 1500, 1500, event.Selection{}, "", fresh, span(1, 1500)},
		{"of the probes that are selected", 3, 10, one, "", fresh, []string{id(10)}},
		{"of a reason", 3, 10, event.Selection{Reasons: []string{"ws_open_failed"}}, "", fresh, nil},
		{"a state that is not new is one, too", 3, 10, event.Selection{Changes: true}, "", fresh, span(8, 10)},
		{"exactly the missed ones", 3, 10, event.Selection{}, id(4), known, span(5, 10)},
		{"nothing was missed", 3, 10, event.Selection{}, id(10), known, nil},
		{"the first of the last 1000", 3, 2000, event.Selection{}, id(1001), known, span(1002, 2000)},
		{"one before the last 1000, of which nothing is known", 3, 2000, event.Selection{}, id(1000), unknown, span(1001, 2000)},
		{"an unknown ID gets all there is", 1500, 1500, event.Selection{}, "no-such-id", unknown, span(1, 1500)},
		{"what is selected of all there is", 3, 7, one, "no-such-id", unknown, []string{id(1), id(4), id(7)}},
		{"the missed ones that are selected", 3, 7, one, id(2), known, []string{id(4), id(7)}},
		{"after the last event, long ago, of the only probe that is selected", 1500, 1600, event.Selection{Probes: []string{"p101"}}, id(101), known, nil},
		{"or of two", 1500, 1600, event.Selection{Probes: []string{"p101", "p1500", "p150"}}, id(150), known, nil},
		{"which of a pattern would take long to find out", 1500, 1600, event.Selection{Probes: []string{"p101*"}}, id(101), unknown, []string{id(101), id(1010), id(1011), id(1012), id(1013), id(1014), id(1015), id(1016), id(1017), id(1018), id(1019)}},
		{"but not if another that is selected has had one since", 1500, 1700, event.Selection{Probes: []string{"p201", "p202"}}, id(201), unknown, span(201, 202)},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPast(Options{Encode: wordy})
			fill(p, identities(c.probes), 1, c.events)
			client := p.begin(c.selection, c.since)
			got, slow := drain(p, client)
			if want := append(slices.Clone(c.want), "|"); slow || client.since != c.found || !slices.Equal(got, want) {
				t.Errorf("%q, slow %v: %d events %.200v, want %q: %.200v", client.since, slow, len(got), got, c.found, want)
			}
		})
	}
}

// TestLive holds what clients get after they came, and when one of them is too slow.
func TestLive(t *testing.T) {
	probes := identities(3)
	begin := func(s event.Selection, since string) (*past, *place) {
		p := newPast(Options{Encode: wordy})
		fill(p, probes, 1, 3)
		c := p.begin(s, since)
		drain(p, c)
		return p, c
	}
	come := func(p *past, c *place, first, last int) (woken int) {
		for n := first; n <= last; n++ {
			if c.come(p.add(happen(n, probes[n%3], reasons.OK))) {
				woken++
			}
		}
		return woken
	}
	for _, c := range []struct {
		name      string
		selection event.Selection
		last      int
		slow      bool
		want      []string
	}{
		{"each event, woken once", event.Selection{}, 100, false, span(4, 100)},
		{"1000 events are not too many", event.Selection{}, 1003, false, span(4, 1003)},
		{"1001 are", event.Selection{}, 1004, true, nil},
		{"those of others do not count", event.Selection{Probes: []string{"p9"}}, 5000, false, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, client := begin(c.selection, "")
			if woken := come(p, client, 4, c.last); woken > 1 || woken == 0 && c.want != nil {
				t.Errorf("woken %d times", woken)
			}
			if got, slow := drain(p, client); slow != c.slow || !slices.Equal(got, c.want) {
				t.Errorf("slow %v, %d events %.200v", slow, len(got), got)
			}
		})
	}
	t.Run("a quiet probe keeps its place in a loud fleet", func(t *testing.T) {
		p, client := begin(event.Selection{Probes: []string{"p9"}}, "")
		come(p, client, 4, 5000)
		quiet := metrics.NewIdentity(metrics.Target{Name: "p9"})
		if !client.come(p.add(happen(5001, quiet, reasons.OK))) {
			t.Error("not woken")
		}
		if got, slow := drain(p, client); slow || !slices.Equal(got, []string{id(5001)}) {
			t.Errorf("slow %v: %v", slow, got)
		}
	})
	t.Run("whoever gets a snapshot may be slow", func(t *testing.T) {
		p := newPast(Options{Encode: wordy})
		fill(p, probes, 1, 10)
		client := p.begin(event.Selection{}, "")
		come(p, client, 11, 3000)
		want := append(span(2001, 3000), "|") // p0, p1 and p2 have newer events than those of the snapshot
		if got, slow := drain(p, client); slow || !slices.Equal(got, want) {
			t.Errorf("slow %v: %d events %.200v", slow, len(got), got)
		}
	})
	t.Run("whoever was promised the missed ones may not", func(t *testing.T) {
		p := newPast(Options{Encode: wordy})
		fill(p, probes, 1, 10)
		client := p.begin(event.Selection{}, id(5))
		come(p, client, 11, 3000)
		if got, slow := drain(p, client); !slow || len(got) > 0 {
			t.Errorf("slow %v: %.200v", slow, got)
		}
	})
}

// TestForget wants no state of a probe that has left, and the state of its heir.
func TestForget(t *testing.T) {
	p, probes := newPast(Options{Encode: wordy}), identities(3)
	fill(p, probes, 1, 3)
	before := p.begin(event.Selection{}, "")
	p.forget("p1")
	p.forget("p1")
	p.forget("never there")
	if got, _ := drain(p, before); !slices.Equal(got, []string{id(2), id(3), "|"}) {
		t.Errorf("whoever came before gets %v", got)
	}
	if got, _ := drain(p, p.begin(event.Selection{}, "")); !slices.Equal(got, []string{id(2), id(3), "|"}) {
		t.Errorf("whoever comes then gets %v", got)
	}
	if got, _ := drain(p, p.begin(event.Selection{}, "unknown")); !slices.Equal(got, append(span(1, 3), "|")) {
		t.Errorf("what has been: %v", got)
	}
	fill(p, probes, 4, 4)
	if got, _ := drain(p, p.begin(event.Selection{}, "")); !slices.Equal(got, append(span(2, 4), "|")) {
		t.Errorf("with the heir: %v", got)
	}
	// What a probe that left had before the ring is gone, so nobody is told that nothing was missed.
	fill(p, probes[:1], 5, 2000)
	if c := p.begin(event.Selection{}, id(2)); c.since != unknown {
		t.Errorf("since is %q", c.since)
	}
}

// TestLongEvents wants the bytes of the past bounded, whatever the events.
func TestLongEvents(t *testing.T) {
	p, probes := newPast(Options{Encode: wordy}), identities(3)
	add := func(n, size int) {
		e := happen(n, probes[n%3], reasons.OK)
		e.Observation.Result.Detail = strings.Repeat("x", size)
		p.add(e)
		if p.bytes > maxBytes {
			t.Fatalf("%d bytes", p.bytes)
		}
	}
	for n := 1; n <= 100; n++ {
		add(n, 1<<20)
	}
	if p.newest-p.oldest < 2 {
		t.Errorf("from %d to %d", p.oldest, p.newest)
	}
	add(101, 2*maxBytes)
	if p.oldest != 101 || p.newest != 101 {
		t.Errorf("from %d to %d, want the newest event at least", p.oldest, p.newest)
	}
	add(102, 5)
	if p.oldest != 102 || p.bytes != 1<<10+5 {
		t.Errorf("from %d, %d bytes", p.oldest, p.bytes)
	}
}

// TestSmall wants the events of many probes to take little memory.
func TestSmall(t *testing.T) {
	p, probes := newPast(Options{Encode: wordy}), identities(3000)
	fill(p, probes, 1, 3000)
	size, packed := 0, 0
	for _, probe := range p.probes {
		if probe.entry.packed != nil {
			size, packed = size+len(probe.entry.text), packed+1
		}
	}
	if packed != 3000-maxEvents || size > packed*len(wordy(happen(1, probes[0], reasons.OK)))/4 {
		t.Errorf("%d events in %d bytes", packed, size)
	}
}

// TestRecall wants the last event of each probe, as it was, from whoever has the result, and no other one in its place.
func TestRecall(t *testing.T) {
	board := make(map[string]*metrics.Observation)
	encoded := 0
	o := Options{
		Encode: func(e *event.Event) []byte {
			encoded++
			return fmt.Appendf(nil, "%s %s %v %v %v", e.ID, e.Kind, e.Changed, e.At.Unix(), e.Observation.Result.Handshake)
		},
		Recall: func(p *metrics.Identity) *metrics.Observation { return board[p.Name()] },
	}
	p, probes := newPast(o), identities(1500)
	for n := 1; n <= 1500; n++ {
		e := happen(n, probes[n%1500], reasons.OK)
		e.Changed, e.At = n%2 == 0, time.Unix(int64(n), 0)
		e.Observation.Result.Ended, e.Observation.Result.Handshake = e.At, time.Duration(n)
		if n == 3 {
			e.Kind, e.Observation.Session = "session.reported", &metrics.Session{}
		}
		p.add(e)
		board[e.Observation.Probe.Name()] = e.Observation
	}
	if encoded != 1 { // that of the session, of which the page knows too little
		t.Errorf("%d events were encoded, and nobody wanted one", encoded)
	}
	later := *board["p2"] // the next event of the probe is on the page, but has not been told yet
	later.Result.Ended = later.Result.Ended.Add(time.Second)
	board["p2"] = &later
	delete(board, "p4") // the probe is about to leave
	var want []string
	for n := 1; n <= 1500; n++ {
		kind := map[bool]string{true: "session.reported", false: "run"}[n == 3]
		if n != 2 && n != 4 {
			want = append(want, fmt.Sprintf("id-%d %s %v %d %v", n, kind, n%2 == 0, n, time.Duration(n)))
		}
	}
	if got, _ := drain(p, p.begin(event.Selection{}, "")); !slices.Equal(got, append(want, "|")) {
		t.Errorf("got %.500v", got)
	}
}

// TestModel has clients with any selection come at any time, and compares what they get with the list of all events.
func TestModel(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	probes := identities(40)
	selections := []event.Selection{{}, {Probes: []string{"p7"}}, {Probes: []string{"p1*"}}, {Labels: map[string][]string{"team": {"core"}}},
		{Reasons: []string{"ws_open_failed"}}, {Changes: true}}
	for range 60 {
		p := newPast(Options{Encode: wordy})
		var all []*event.Event
		var client *place
		var got []string
		var came, place int
		s := selections[random.IntN(len(selections))]
		exact := random.IntN(2) == 0
		for range 4000 {
			e := happen(len(all)+1, probes[random.IntN(random.IntN(len(probes))+1)], reasons.Code([]string{"", "ws_open_failed"}[random.IntN(2)]))
			e.Changed = random.IntN(4) == 0
			all = append(all, e)
			added := p.add(e)
			switch {
			case client != nil && client.come(added) || client != nil && random.IntN(20) == 0:
				for range random.IntN(3) {
					batch, next := client.take(p, nil)
					if next == tooSlow {
						t.Fatal("too slow")
					}
					for _, text := range batch {
						got = append(got, word(text))
					}
				}
			case client == nil && random.IntN(2000) == 0:
				came, place = len(all), len(all)-random.IntN(min(len(all), 900))
				since := ""
				if exact {
					since = id(place)
				}
				client = p.begin(s, since)
			}
		}
		if client == nil {
			continue
		}
		rest, _ := drain(p, client)
		got = slices.DeleteFunc(append(got, rest...), func(s string) bool { return s == "|" })
		var want []string
		for i, e := range all {
			if s.Admits(e) && (exact && i >= place || !exact && i >= came) {
				want = append(want, e.ID)
			}
		}
		var numbers []int
		for _, one := range got {
			number, err := strconv.Atoi(strings.TrimPrefix(one, "id-"))
			if err != nil || len(numbers) > 0 && number <= numbers[len(numbers)-1] {
				t.Fatalf("%s behind %v", one, numbers)
			}
			numbers = append(numbers, number)
		}
		states := make(map[string]*event.Event) // of the probes, when the client came; nil if there was an event since
		for i, e := range all {
			if states[e.Observation.Probe.Name()] = e; i >= came {
				states[e.Observation.Probe.Name()] = nil
			}
		}
		for name, e := range states {
			if state := s; !exact && e != nil {
				if state.Changes = false; state.Admits(e) != slices.Contains(got, e.ID) {
					t.Fatalf("%+v, came at %d: the state %s of %s", s, came, e.ID, name)
				}
			}
		}
		if len(got) < len(want) || !slices.Equal(got[len(got)-len(want):], want) {
			t.Fatalf("%+v, came at %d, since %d: got %d, want %d", s, came, place, len(got), len(want))
		}
		if exact && (client.since != known || len(got) != len(want)) {
			t.Fatalf("%q: got %d more", client.since, len(got)-len(want))
		}
	}
}
