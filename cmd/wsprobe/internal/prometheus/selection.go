package prometheus

import (
	"errors"
	"fmt"
	"net/url"
	"slices"

	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/shape"
	"github.com/wsprobe/wsprobe/probe/visible"
)

// Selection says which samples a scrape wants. The zero value is all.
type Selection struct {
	names  []string // of families, in which * stands for any text
	labels metrics.LabelSelection
}

// ParseSelection reads the query of a scrape. The error is a line for the client.
func ParseSelection(query string) (Selection, error) {
	var s Selection
	values, err := url.ParseQuery(query)
	if err != nil {
		return s, errors.New("the query cannot be read: " + visible.Text(err.Error()))
	}
	for key, all := range values {
		switch key {
		case "name", "name[]": // the latter as other programs have it
			s.names = append(s.names, all...)
		case "label":
			s.labels, err = metrics.ParseLabelSelection(all)
		default:
			err = fmt.Errorf("%s is no parameter: there are name and label", visible.Text(key))
		}
		if err != nil {
			return s, err
		}
	}
	return s, nil
}

// Family reports whether a family is wanted. A histogram also goes by the names of its samples.
func (s *Selection) Family(f *Family) bool {
	if len(s.names) == 0 {
		return true
	}
	names := []string{f.Name}
	if f.Type == Histogram {
		names = append(names, f.Name+"_bucket", f.Name+"_sum", f.Name+"_count")
	}
	return slices.ContainsFunc(s.names, func(pattern string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return shape.Matches(pattern, name) })
	})
}

// AllProbes reports whether all probes are wanted. Otherwise, nothing is that is about no probe.
func (s *Selection) AllProbes() bool { return len(s.labels) == 0 }

// Probe reports whether a probe is wanted.
func (s *Selection) Probe(id *metrics.Identity) bool { return s.labels.Admits(id) }
