package status

import (
	_ "embed"
	"html/template"
	"net/http"
	"strconv"
	"time"
)

//go:embed page.html
var pageSource string

var pageTemplate = template.Must(template.New("page").Parse(pageSource))

// row is a line of the page.
type row struct {
	Status
	Failed  bool
	Pending bool
	Value   string // the headline with its unit, or "no data"
	Others  string // the other latency that was measured
	Ago     string
	At      string
}

// page shows the probes to people. The browser reloads it; there is no script in it.
func (s *Server) page(w http.ResponseWriter, _ *http.Request) {
	data := struct {
		Version string
		Now     string
		Ready   error
		Failing int
		Rows    []row
	}{Version: s.Version, Now: time.Now().UTC().Format(time.RFC3339), Ready: s.Ready()}
	for _, st := range s.Board.statuses() {
		row := newRow(st, time.Now())
		if row.Failed {
			data.Failing++
		}
		data.Rows = append(data.Rows, row)
	}
	header(w, "text/html; charset=utf-8")
	_ = pageTemplate.Execute(w, data) // the client has gone
}

func newRow(s Status, now time.Time) row {
	if s.Last == nil {
		return row{Status: s, Pending: true, Value: "not run yet"}
	}
	v := s.Last
	r := row{
		Status: s,
		Failed: v.ErrorType != nil,
		Value:  "no data",
		At:     v.EndedAt.Format(time.RFC3339),
		Ago:    ago(now.Sub(v.EndedAt)),
	}
	if v.Value != nil {
		r.Value = number(*v.Value, v.Unit)
	}
	if v.HandshakeMS != nil && v.Interpretation != "handshake_latency" {
		r.Others = "open " + number(*v.HandshakeMS, "ms")
	}
	return r
}

// number prints a value as people read it: whole successes, latencies with three digits or so.
func number(v float64, unit string) string {
	decimals := 0
	switch {
	case unit == "":
	case v < 10:
		decimals = 2
	case v < 100:
		decimals = 1
	}
	text := strconv.FormatFloat(v, 'f', decimals, 64)
	if unit == "" {
		return text
	}
	return text + " " + unit
}

func ago(d time.Duration) string {
	if d < time.Second {
		return "just now"
	}
	return d.Truncate(time.Second).String() + " ago"
}
