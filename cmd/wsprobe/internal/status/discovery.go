package status

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/wsprobe/wsprobe/probe/visible"
)

// Discovery is a source of targets that come and go, as the API shows it.
type Discovery struct {
	Name     string         `json:"name" doc:"its name"`
	Kind     string         `json:"kind" doc:"files, http or dns"`
	Module   string         `json:"module" doc:"the module that makes a probe of each target"`
	Targets  int            `json:"targets" doc:"targets that it has, those without a probe included"`
	Probes   int            `json:"probes" doc:"of these, the ones that this agent probes"`
	Updated  *time.Time     `json:"updated_at" doc:"when it last looked with success; null before it did"`
	Failing  *time.Time     `json:"failing_since" doc:"since when its looks fail, while it keeps the targets that it had; null while they succeed"`
	Problem  string         `json:"problem" doc:"why; empty while they succeed"`
	Refused  string         `json:"refused" doc:"why the last update of all sources is not applied; empty if it is"`
	Counts   map[string]int `json:"rejected_targets" doc:"targets that get no probe, by cause: invalid, duplicate or taken"`
	Rejected []Rejection    `json:"rejected" doc:"the first 20 of these"`
}

// Rejection is a target that gets no probe.
type Rejection struct {
	Target string `json:"target"` // its address, without the query of a URL
	Cause  string `json:"cause"`  // invalid, duplicate or taken
	Detail string `json:"detail"` // for people
}

// discovery answers programs.
func (s *Server) discovery(w http.ResponseWriter, _ *http.Request) {
	all := s.allDiscovery()
	if all == nil {
		all = []Discovery{} // not null in JSON
	}
	writeJSON(w, map[string][]Discovery{"discovery": all})
}

// allDiscovery are the sources of now. The texts are fit for one line.
func (s *Server) allDiscovery() []Discovery {
	if s.Discovery == nil {
		return nil
	}
	all := s.Discovery()
	for i := range all {
		d := &all[i]
		d.Problem, d.Refused = visible.Text(d.Problem), visible.Text(d.Refused)
		inUTC(&d.Updated, &d.Failing)
		rejected := make([]Rejection, len(d.Rejected)) // not null in JSON
		for j, r := range d.Rejected {
			rejected[j] = Rejection{visible.Text(r.Target), r.Cause, visible.Text(r.Detail)}
		}
		if d.Rejected = rejected; d.Counts == nil {
			d.Counts = map[string]int{}
		}
	}
	return all
}

// discoveryRow is a source as a line of the page.
type discoveryRow struct {
	Discovery
	Mood, State string
	Held        string // for how long it fails
	Ago, At     string // of the last good look
	Without     string // how many targets have no probe, and why
}

func newDiscoveryRow(d Discovery, now time.Time) discoveryRow {
	r := discoveryRow{Discovery: d, Mood: "ok", State: "works", Without: withoutProbe(d.Counts)}
	if d.Updated != nil {
		r.At, r.Ago = d.Updated.Format(time.RFC3339), ago(now.Sub(*d.Updated))
	}
	switch {
	case d.Failing != nil:
		r.Mood, r.State, r.Held = "bad", "fails", span(now.Sub(*d.Failing))
	case d.Refused != "":
		r.Mood, r.State = "bad", "refused"
	case d.Updated == nil:
		r.Mood, r.State = "new", "looks for the first time"
	case r.Without != "":
		r.Mood = "warn"
	}
	return r
}

// withoutProbe sums up targets that get no probe, and is empty if all do.
func withoutProbe(counts map[string]int) string {
	var parts []string
	all := 0
	for _, cause := range slices.Sorted(maps.Keys(counts)) {
		if n := counts[cause]; n > 0 {
			all += n
			parts = append(parts, fmt.Sprintf("%d %s", n, cause))
		}
	}
	if all == 0 {
		return ""
	}
	return plural(int64(all), "target") + " without a probe: " + strings.Join(parts, ", ")
}

// showDiscovery fills in the sources of targets, and what the head of the page says of them.
func (o *overview) showDiscovery(all []Discovery, now time.Time) {
	for _, d := range all {
		r := newDiscoveryRow(d, now)
		if r.Mood == "bad" || r.Mood == "warn" {
			o.DiscoveryBad++
		}
		o.Discovery = append(o.Discovery, r)
	}
}
