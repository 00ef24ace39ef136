package status

import (
	"bufio"
	_ "embed"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/health"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/visible"
	"github.com/wsprobe/wsprobe/reasons"
)

//go:embed page.html
var pageSource string

var pageTemplate = template.Must(template.New("page").Parse(pageSource))

// overview is the top of the page, and its end.
type overview struct {
	Version      string
	Now          string
	NotReady     string // why, or empty
	Notes        []string
	Probes       int
	Failing      int
	Waiting      int  // probes that have not run yet
	Maintained   int  // probes in maintenance, which are neither failing nor healthy
	FirstFailing int  // index of the row that the count of failing probes leads to
	Healthy      bool // every probe has run and is ok
	Badges       []badge
	Streams      []streamRow
	StreamsBad   int         // streams that are not as they should be
	StreamsNew   int         // streams that have not connected yet
	Config       *configView // nil if there is none to load again
	Discovery    []discoveryRow
	DiscoveryBad int // sources that fail, or that have targets without a probe
}

// badge is how many probes have a status that is not healthy.
type badge struct {
	Probes int
	Status string
	Mood   string
}

// row is a line of the page.
type row struct {
	Status
	Index  int
	State  string   // "ok", "bad" or "new", for a probe that has not run yet
	Mood   string   // that of its status, else its state: "ok", "warn", "bad" or "new"
	Held   string   // for how long it has had its status
	Value  string   // the headline with its unit, or "no data"
	Others string   // the other latency that was measured
	Every  string   // the interval
	Skips  []string // a sentence for each cause
	Hint   string
	Rest   string // that the probe is in maintenance, and until when
	Ago    string
	At     string
	// Hold says how a held session is, Cut how the last one ended that nobody ended on purpose, and Why that probably
	// was.
	Hold     []string
	Cut, Why string
}

// page shows the probes to people, one after the other: of the whole, no more than a buffer is ever there. The browser
// reloads it; there is no script in it.
func (s *Server) page(w http.ResponseWriter, _ *http.Request) {
	header(w, "text/html; charset=utf-8")
	out := bufio.NewWriterSize(w, answerBuffer)
	now := time.Now()
	rows := s.Board.entries()
	top := s.overview(rows, now)
	if pageTemplate.ExecuteTemplate(out, "top", top) != nil {
		return // the client has gone, or does not read
	}
	for i, e := range rows {
		r := newRow(i, e.status(), now)
		r.hold(e, now)
		if r.Rest != "" {
			r.Mood = "new"
		}
		if pageTemplate.ExecuteTemplate(out, "row", r) != nil {
			return
		}
	}
	_ = pageTemplate.ExecuteTemplate(out, "end", top)
	_ = out.Flush()
}

// overview counts what the rows will show. A run that ends meanwhile shows at the next reload.
func (s *Server) overview(rows []*Entry, now time.Time) overview {
	o := overview{Version: s.Version, Now: now.UTC().Format(time.RFC3339), Notes: s.notes(), Probes: len(rows)}
	if err := s.Ready(); err != nil {
		o.NotReady = visible.Text(err.Error())
	}
	o.showStreams(s.allStreams(), now)
	if s.Config != nil {
		o.showConfig(s.Config(), now)
	}
	o.showDiscovery(s.allDiscovery(), now)
	probes := make(map[health.Status]int)
	for i, e := range rows {
		last := e.last.Load()
		if last == nil {
			o.Waiting++
			continue
		}
		if e.Maintained(now) {
			o.Maintained++
			continue
		}
		probes[last.Status]++
		if last.ok() || last.maintained {
			continue
		}
		if o.Failing == 0 {
			o.FirstFailing = i
		}
		o.Failing++
	}
	o.Healthy = o.Failing == 0 && o.Waiting == 0
	for _, s := range []health.Status{health.Unhealthy, health.Degraded, health.NoData} {
		if n := probes[s]; n > 0 {
			o.Badges = append(o.Badges, badge{n, s.String(), moods[s.String()]})
		}
	}
	return o
}

// moods are the colours of the statuses.
var moods = map[string]string{
	health.Healthy.String(): "ok", health.Degraded.String(): "warn", health.Unhealthy.String(): "bad", health.NoData.String(): "bad",
}

func newRow(index int, s Status, now time.Time) row {
	r := row{Status: s, Index: index, State: "new", Mood: "new", Value: "–", Every: every(s.Interval)}
	for _, skips := range s.RecentSkips {
		r.Skips = append(r.Skips, skips.text(now))
	}
	if s.Last != nil {
		r.show(s.Last, now)
	}
	r.Rest = s.until()
	return r
}

// show fills in the outcome of the last run.
func (r *row) show(o *metrics.Observation, now time.Time) {
	r.State, r.Value = "ok", "no data"
	r.At, r.Ago = o.Result.Ended.UTC().Format(time.RFC3339), ago(now.Sub(o.Result.Ended))
	if o.Result.Reason != reasons.OK {
		r.State = "bad"
	}
	r.Mood, r.Hint = r.State, o.Hint()
	if r.Status.Status != nil {
		r.Mood, r.Held = moods[*r.Status.Status], span(now.Sub(*r.StatusSince))
	}
	headline := o.Probe.Target().Interpretation
	if value, measured := headline.Value(o.Result); measured {
		r.Value = number(value, headline.Unit())
	}
	if o.Result.Opened && headline != probe.HandshakeLatency {
		r.Others = "open in " + number(probe.Millis(o.Result.Handshake), "ms")
	}
}

// hold fills in how the session is, if the probe holds one.
func (r *row) hold(e *Entry, now time.Time) {
	h := e.held.Load()
	if h == nil {
		return
	}
	r.Hold = h.lines(e.heard.Load(), now)
	if r.Last == nil || r.Last.Session == nil { // else the result has told of the end
		r.Cut, r.Why = h.ending(now)
	}
	if h.open && !h.ok && r.State == "ok" {
		r.State = "warn"
	}
	if r.Status.Status == nil {
		r.Mood = r.State
	}
}

// number prints a value as people read it: whole successes, latencies with three digits or so.
func number(v float64, unit string) string {
	decimals := 0
	switch {
	case unit == "":
	case v < 9.995: // which is where it would be rounded to 10.00, four digits
		decimals = 2
	case v < 99.95:
		decimals = 1
	}
	text := strconv.FormatFloat(v, 'f', decimals, 64)
	if unit == "" {
		return text
	}
	return text + " " + unit
}

// ago prints how long something was before now.
func ago(d time.Duration) string {
	if d < time.Second {
		return "just now"
	}
	return span(d) + " ago"
}

// span prints a length of time in its largest two units.
func span(d time.Duration) string {
	count := func(n time.Duration, unit string) string { return strconv.FormatInt(int64(n), 10) + unit }
	const day = 24 * time.Hour
	switch {
	case d < time.Minute:
		return count(max(d, 0)/time.Second, " s")
	case d < time.Hour:
		return count(d/time.Minute, " min ") + count(d%time.Minute/time.Second, " s")
	case d < day:
		return count(d/time.Hour, " h ") + count(d%time.Hour/time.Minute, " min")
	default:
		return count(d/day, " d ") + count(d%day/time.Hour, " h")
	}
}

// every prints an interval without the zeros that Go writes behind it: 24h, not 24h0m0s.
func every(interval string) string {
	if short, ok := strings.CutSuffix(interval, "m0s"); ok {
		interval = short + "m"
	}
	if short, ok := strings.CutSuffix(interval, "h0m"); ok {
		interval = short + "h"
	}
	return interval
}
