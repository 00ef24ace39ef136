package feed

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/event"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/visible"
	"github.com/wsprobe/wsprobe/reasons"
)

// request is what a client wants.
type request struct {
	selection event.Selection
	since     string // an ID to go on after, or empty
}

// parse reads a query. An error is a line for the client.
func parse(query string) (request, error) {
	var r request
	values, err := url.ParseQuery(query)
	if err != nil {
		return r, errors.New("the query cannot be read: " + visible.Text(err.Error()))
	}
	for key, all := range values {
		switch key {
		case "probe":
			r.selection.Probes = all
		case "label":
			r.selection.Labels, err = metrics.ParseLabelSelection(all)
		case "reason":
			r.selection.Reasons, err = all, knownReasons(all)
		case "events":
			r.selection.Changes = all[0] == "changes"
			if len(all) > 1 || all[0] != "changes" && all[0] != "all" {
				err = errors.New("events is all or changes")
			}
		case "since":
			if r.since = all[0]; len(all) > 1 {
				err = errors.New("since is one ID")
			}
		default:
			err = fmt.Errorf("%s is no parameter: there are probe, label, reason, events and since", visible.Text(key))
		}
		if err != nil {
			return r, err
		}
	}
	return r, nil
}

func knownReasons(all []string) error {
	known := reasons.Names()
	for _, reason := range all {
		if !slices.Contains(known, reason) {
			return fmt.Errorf("%s is no reason: there are %s", visible.Text(reason), strings.Join(known, ", "))
		}
	}
	return nil
}

// welcome reports whether the page that a request comes from may read. Browsers name it, and nobody else has to.
func (f *Feed) welcome(r *http.Request) bool {
	fields := r.Header.Values("Origin")
	if len(fields) == 0 {
		return true
	}
	origin := normal(fields[0])
	scheme, host, ok := strings.Cut(origin, "://")
	if len(fields) > 1 || !ok || host == "" {
		return false // null, or what no browser sends
	}
	return host == withoutPort(scheme, strings.ToLower(r.Host)) || f.origins != nil && slices.ContainsFunc(f.origins(), func(known string) bool { return normal(known) == origin })
}

// normal is an origin as a browser writes it (RFC 6454 6.2): in lower case, without the default port of its scheme.
func normal(origin string) string {
	origin = strings.ToLower(origin)
	scheme, host, ok := strings.Cut(origin, "://")
	if !ok {
		return origin
	}
	return scheme + "://" + withoutPort(scheme, strings.TrimSuffix(host, "/"))
}

func withoutPort(scheme, host string) string {
	return strings.TrimSuffix(host, map[string]string{"http": ":80", "https": ":443"}[scheme])
}
