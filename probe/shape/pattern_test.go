package shape_test

import (
	"testing"

	"github.com/wsprobe/wsprobe/probe/shape"
)

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"feed", "feed", true},
		{"feed", "feeds", false},
		{"feed-*", "feed-", true},
		{"feed-*", "feed-1", true},
		{"feed-*", "my-feed-1", false},
		{"*-eu", "feed-eu", true},
		{"*-eu", "feed-eu-1", false},
		{"*", "", true},
		{"**", "feed", true},
		{"a*b*c", "a-b-b-c", true},
		{"a*b*c", "acb", false},
		{"ab*ba", "aba", false},
		{"*aab", "aaab", true},
		{"*aab*aab", "aabaab", true},
		{"", "", true},
		{"", "feed", false},
		{"f?ed", "feed", false},
		{"a*a", "a", false},
		{"a**b", "ab", true},
		{"a*ab", "aab", true},
	} {
		if got := shape.Matches(c.pattern, c.text); got != c.want {
			t.Errorf("%q for %q: %v", c.pattern, c.text, got)
		}
	}
}
