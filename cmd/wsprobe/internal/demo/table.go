package demo

import (
	"fmt"
	"strconv"
	"time"
)

// Widths of the columns that do not depend on the endpoints.
const (
	gap            = 2
	reasonWidth    = 20 // ws_handshake_timeout
	answerWidth    = 18 // connection_refused
	handshakeWidth = 9
	numberWidth    = 9 // of a round trip within its column
	ageWidth       = 3
	runsWidth      = 5
	leastHistory   = 8
	mostHistory    = 20
)

// layout says how wide the columns of the table are. A column of width 0 is not shown.
type layout struct {
	name, about, handshake, age, history, runs int
}

// newLayout makes the best of a width: what an endpoint does and what wsprobe says of it are always there, and the
// rest as there is room, the most telling first.
func newLayout(endpoints []Endpoint, width int) layout {
	l := layout{name: len("ENDPOINT"), about: len("WHAT IT DOES")}
	for _, e := range endpoints {
		l.name = max(l.name, span{text: e.Name}.width())
		l.about = max(l.about, span{text: e.About}.width())
	}
	room := width - (l.name + gap + l.about + gap + reasonWidth + gap + answerWidth)
	take := func(column *int, least int) {
		if room >= gap+least {
			*column = least
			room -= gap + least
		}
	}
	take(&l.age, ageWidth)
	take(&l.handshake, handshakeWidth)
	take(&l.history, leastHistory)
	take(&l.runs, runsWidth)
	if l.history > 0 && room > 0 {
		l.history = min(l.history+room, mostHistory)
	}
	return l
}

// cells are what stands in the columns of a row.
type cells struct {
	name, about, reason, handshake, answer, runs, age span
	history                                           line
}

// row puts the cells side by side, numbers at the right of their columns.
func (l layout) row(c cells) line {
	space := span{pad(gap), plain}
	out := line{c.name.left(l.name), space, c.about.left(l.about), space, c.reason.left(reasonWidth), space}
	if l.handshake > 0 {
		out = append(out, c.handshake.right(l.handshake), space)
	}
	out = append(out, c.answer.left(answerWidth), space)
	if l.history > 0 {
		out = append(append(out, c.history...), space)
	}
	if l.runs > 0 {
		out = append(out, c.runs.right(l.runs), space)
	}
	if l.age > 0 {
		out = append(out, c.age.right(l.age))
	}
	return out
}

func (l layout) head() line {
	q := func(s string) span { return span{s, quiet} }
	return l.row(cells{
		name: q("ENDPOINT"), about: q("WHAT IT DOES"), reason: q("WHAT WSPROBE SAYS"), handshake: q("HANDSHAKE"),
		answer: q("ROUND TRIP / ERROR"), runs: q("RUNS"), age: q("AGE"), history: line{q("HISTORY").left(l.history)},
	})
}

// endpoint shows what was received about an endpoint.
func (l layout) endpoint(e Endpoint, s *series, now time.Time) line {
	c := cells{name: span{e.Name, strong}, about: span{e.About, plain}, reason: span{"waiting", quiet}}
	c.history = history(s.history(l.history), l.history)
	if last, ok := s.last(); ok {
		c.handshake = span{last.handshake.String(), plain}
		c.runs = span{strconv.Itoa(s.runs), plain}
		c.age = span{age(now.Sub(last.at)), quiet}
		if last.reason == reasonOK {
			c.reason = span{last.reason, good}
			c.answer = span{last.roundTrip.String(), plain}.right(numberWidth)
		} else {
			// There is no round trip where a run failed; its place is free to say why.
			c.reason, c.answer = span{last.reason, bad}, span{s.broke[last.reason], bad}
		}
	}
	return l.row(c)
}

// table is the account as lines: the endpoints, good and faulty, and the totals.
func (a *Account) table(width int, now time.Time) []line {
	a.mu.Lock()
	defer a.mu.Unlock()
	l := newLayout(a.endpoints, width)
	lines := []line{l.head()}
	for i, e := range a.endpoints {
		if i == 0 || e.Faulty() != a.endpoints[i-1].Faulty() {
			kind := "good"
			if e.Faulty() {
				kind = "faulty on purpose"
			}
			lines = append(lines, line{{kind, quiet}})
		}
		lines = append(lines, l.endpoint(e, a.series[e.Name], now))
	}
	lines = append(append(lines, nil), a.totals.lines()...)
	for _, e := range a.endpoints {
		if h := a.series[e.Name].held; h != nil {
			lines = append(lines, h.line(e.Name))
		}
	}
	if l.history > 0 {
		lines = append(lines, legend())
	}
	return lines
}

// lines are what was received altogether.
func (t totals) lines() []line {
	lines := []line{{
		{fmt.Sprintf("received: %s, %s, %s: ", count(t.requests, "export"), count(t.points, "point"), count(t.runs, "run")), plain},
		{fmt.Sprintf("%d ok", t.good), good}, {", ", plain}, {fmt.Sprintf("%d failed on purpose", t.intended), bad},
	}}
	if t.unexpected > 0 {
		lines = append(lines, line{{fmt.Sprintf("%d failed unexpectedly", t.unexpected), bad}, {": is this machine very busy?", plain}})
	}
	return lines
}
