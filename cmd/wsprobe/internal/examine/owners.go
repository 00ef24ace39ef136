package examine

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wsprobe/wsprobe/probe/session"
)

// owners names the products that end sessions in this way after this time, by the table of package session. Those that
// the response names come first.
func (j *judge) owners(end Ending, after time.Duration, limits ...session.Limit) []string {
	names := []string{}
	for _, o := range session.Owners() {
		if slices.Contains(limits, o.Limit) && end.fits(o) && o.After > 0 && (after-o.After).Abs() < alike {
			names = append(names, ownerName(o))
		}
	}
	slices.SortStableFunc(names, func(a, b string) int { return j.rank(a) - j.rank(b) })
	return names
}

// settings names the products that a setting of another value lets end sessions in this way.
func (j *judge) settings(end Ending, limit session.Limit) []string {
	names := []string{}
	for _, o := range session.Owners() {
		if o.Limit == limit && end.fits(o) {
			names = append(names, fmt.Sprintf("%s (%s)", o.Product, o.Setting))
		}
	}
	slices.SortStableFunc(names, func(a, b string) int { return j.rank(a) - j.rank(b) })
	return names
}

// habits names the products that end sessions in this way without a limit.
func (j *judge) habits(end Ending) []string {
	names := []string{}
	for _, o := range session.Owners() {
		if o.Limit == session.NoLimit && end.fits(o) && o.CloseReason != "" {
			names = append(names, ownerName(o))
		}
	}
	return names
}

// fits reports whether a product ends sessions in this way.
func (e Ending) fits(o session.Owner) bool {
	return o.Cause == e.Way && o.Code == e.Code && (o.CloseReason == "" || o.CloseReason == e.Reason)
}

func ownerName(o session.Owner) string {
	return fmt.Sprintf("%s %s (%s)", o.Product, o.Version, o.Setting)
}

// rank is 0 for a product that the response names.
func (j *judge) rank(owner string) int {
	product, _, _ := strings.Cut(owner, " ")
	for _, server := range j.Servers {
		if strings.Contains(strings.ToLower(server), strings.ToLower(product)) {
			return 0
		}
	}
	return 1
}
