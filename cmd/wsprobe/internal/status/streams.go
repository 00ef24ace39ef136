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

// lagging is from which age of its oldest event on a connected stream is behind. Batches linger for no more than half
// of it.
const lagging = 2 * time.Minute

// Stream is a stream of events to an endpoint of somebody else, as the API shows it.
type Stream struct {
	Name      string     `json:"name" doc:"its name"`
	URL       string     `json:"url" doc:"its URL without the query"`
	Connected bool       `json:"connected" doc:"all its connections are open"`
	Since     *time.Time `json:"since" doc:"when that last changed; null before all were open"`
	Open      int        `json:"open_connections" doc:"connections that are open"`
	Workers   int        `json:"workers" doc:"connections that it is to have"`
	Detail    string     `json:"detail" doc:"why a connection ended or did not open; while all are open and events get through, why the directory of the buffer does not work, or empty"`
	Hint      string     `json:"hint" doc:"what to do about it; may be empty"`
	Required  bool       `json:"required" doc:"/readyz needs it, because its ready is true"`

	Waiting      int        `json:"waiting_events" doc:"events that wait to be sent, or to be acknowledged"`
	WaitingBytes int64      `json:"waiting_bytes" doc:"their size"`
	Oldest       *time.Time `json:"oldest_waiting_at" doc:"when the oldest of them happened; null if none waits"`
	LastSent     *time.Time `json:"last_acknowledged_at" doc:"when an event was last acknowledged; null before the first"`

	Events    int64            `json:"events" doc:"events that it took, those that an earlier process left on disk included"`
	Sent      int64            `json:"acknowledged_events" doc:"of these, the ones that were acknowledged"`
	Discarded map[string]int64 `json:"discarded_events" doc:"of these, the ones that were given up, by cause; 0 for a cause that did not occur"`
	Resent    int64            `json:"resent_events" doc:"events written again, because a connection ended before they were acknowledged"`
}

// streams answers programs.
func (s *Server) streams(w http.ResponseWriter, _ *http.Request) {
	all := s.allStreams()
	if all == nil {
		all = []Stream{} // not null in JSON
	}
	for i := range all {
		inUTC(&all[i].Since, &all[i].Oldest, &all[i].LastSent)
		if all[i].Discarded == nil {
			all[i].Discarded = map[string]int64{}
		}
	}
	writeJSON(w, map[string][]Stream{"streams": all})
}

// allStreams are the streams of now. The texts are fit for one line.
func (s *Server) allStreams() []Stream {
	if s.Streams == nil {
		return nil
	}
	all := s.Streams()
	for i := range all {
		all[i].Detail, all[i].Hint = visible.Text(all[i].Detail), visible.Text(all[i].Hint)
	}
	return all
}

// streamRow is a stream as a line of the page.
type streamRow struct {
	Stream
	Mood    string // "ok", "warn", "bad" or "new"
	State   string
	Held    string // for how long it has been so
	Oldest  string // how old the oldest waiting event is
	Ago, At string // of the last acknowledged event
	Sums    string
	Lost    string
}

func newStreamRow(s Stream, now time.Time) streamRow {
	r := streamRow{Stream: s, Lost: discards(s.Discarded)}
	var oldest time.Duration
	if s.Oldest != nil {
		oldest = now.Sub(*s.Oldest)
		r.Oldest = span(oldest)
	}
	if s.Since != nil {
		r.Held = span(now.Sub(*s.Since))
	}
	if s.LastSent != nil {
		r.At, r.Ago = s.LastSent.UTC().Format(time.RFC3339), ago(now.Sub(*s.LastSent))
	}
	r.Sums = sums(s)
	switch {
	case s.Connected && oldest >= lagging:
		r.Mood, r.State, r.Held = "warn", "behind", "" // the time is that of the connection
		if r.Detail == "" {
			r.Hint = "events come faster than the endpoint takes or acknowledges them"
		}
	case s.Connected:
		r.Mood, r.State = "ok", "connected"
	case s.Open > 0:
		r.Mood, r.State = "warn", fmt.Sprintf("%d of %d connected", s.Open, s.Workers)
	case s.Detail == "":
		r.Mood, r.State = "new", "connecting"
	default:
		r.Mood, r.State = "bad", "not connected"
	}
	return r
}

// sums says what became of events, and is empty if nothing did.
func sums(s Stream) string {
	var parts []string
	if s.Sent > 0 {
		parts = append(parts, plural(s.Sent, "event")+" acknowledged")
	}
	if s.Resent > 0 {
		parts = append(parts, plural(s.Resent, "event")+" sent again")
	}
	return strings.Join(parts, ", ")
}

// discards sums up events that were given up, and is empty if none was.
func discards(byCause map[string]int64) string {
	var parts []string
	var all int64
	for _, cause := range slices.Sorted(maps.Keys(byCause)) {
		if n := byCause[cause]; n > 0 {
			all += n
			parts = append(parts, fmt.Sprintf("%d %s", n, cause))
		}
	}
	if all == 0 {
		return ""
	}
	return plural(all, "event") + " lost since the agent started: " + strings.Join(parts, ", ")
}

// showStreams fills in the streams, and what the head of the page says of them.
func (o *overview) showStreams(all []Stream, now time.Time) {
	for _, s := range all {
		r := newStreamRow(s, now)
		if r.Mood == "bad" || r.Mood == "warn" {
			o.StreamsBad++
		}
		if r.Mood == "new" {
			o.StreamsNew++
		}
		o.Streams = append(o.Streams, r)
	}
}
