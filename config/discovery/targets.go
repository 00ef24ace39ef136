package discovery

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/wsprobe/wsprobe/config/internal/excerpt"
)

// maxList bounds the text of a list, in bytes. A list in YAML can say a text once, and use it often.
const maxList = 32 << 20

// maxTarget bounds the text of one target: its address with the names and values of its labels, in bytes.
const maxTarget = 64 << 10

// list collects the targets of a group.
type list struct {
	most    int // with more, add fails
	size    int // text of the groups, in bytes
	targets []keyed
}

// keyed is a target with the text that it is sorted by.
type keyed struct {
	labels string // of its group, one text for all
	target Target
}

// labelSet are the labels of a group. Each target of the group has the same map.
type labelSet struct {
	labels map[string]string
	key    string
	size   int
}

// newLabelSet takes the labels over.
func newLabelSet(labels map[string]string) labelSet {
	set := labelSet{labels: labels}
	var key strings.Builder
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		fmt.Fprintf(&key, "%q=%q,", name, labels[name])
		set.size += len(name) + len(labels[name])
	}
	set.key = key.String()
	return set
}

// full reports whether n more targets are too many.
func (l *list) full(n int) bool { return len(l.targets)+n > l.most }

// add adds a target.
func (l *list) add(t Target, labels labelSet) error {
	if l.full(1) {
		return errTooMany
	}
	if len(t.Address)+labels.size > maxTarget {
		return fmt.Errorf("a target of the host %q has more than %d bytes with its labels", excerpt.Of(t.Host), maxTarget)
	}
	t.Labels = labels.labels
	l.targets = append(l.targets, keyed{labels: labels.key, target: t})
	return nil
}

// addGroup adds the targets of a group in the format of Prometheus. It takes the labels over.
func (l *list) addGroup(addresses []string, labels, about map[string]string) error {
	if len(addresses) == 0 {
		return nil
	}
	if labels == nil {
		labels = make(map[string]string, len(about))
	}
	for name, value := range about {
		labels[name] = value
	}
	set := newLabelSet(labels)
	if l.size += set.size; l.size > maxList {
		return fmt.Errorf("the labels of all groups have more than %d MiB", maxList>>20)
	}
	for _, address := range addresses {
		if err := l.add(Target{Address: address, Host: hostOf(address)}, set); err != nil {
			return err
		}
	}
	return nil
}

// sorted returns the targets in an order that does not depend on that of the source, and without duplicates. So a
// server that lists a set in another order each time changes nothing.
func (l *list) sorted() []Target {
	slices.SortStableFunc(l.targets, func(a, b keyed) int {
		return cmp.Or(cmp.Compare(a.target.Address, b.target.Address), cmp.Compare(a.target.Host, b.target.Host),
			cmp.Compare(a.labels, b.labels))
	})
	targets := make([]Target, 0, len(l.targets))
	for _, k := range l.targets {
		if n := len(targets); n == 0 || !sameTarget(targets[n-1], k.target) {
			targets = append(targets, k.target)
		}
	}
	return targets
}

func sameTarget(a, b Target) bool {
	return a.Address == b.Address && a.Host == b.Host && a.ConnectTo == b.ConnectTo && maps.Equal(a.Labels, b.Labels)
}

// hostOf returns the host of an address, which is host:port or a URL, without the brackets of IPv6. An address that is
// neither is all host.
func hostOf(address string) string {
	if strings.Contains(address, "://") {
		if u, err := url.Parse(address); err == nil {
			return u.Hostname()
		}
		return ""
	}
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return strings.TrimSuffix(strings.TrimPrefix(address, "["), "]")
}
