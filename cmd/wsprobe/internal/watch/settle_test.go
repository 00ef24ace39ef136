package watch

import (
	"strings"
	"testing"
	"time"
)

// TestSettling plays looks, one a second or as told, each with a letter for what it sees. A is known. The result has
// the letter of each look that counts, and a dot for the others.
func TestSettling(t *testing.T) {
	for name, c := range map[string]struct {
		every      time.Duration
		seen, acts string
	}{
		"nothing happens":                  {time.Second, "AAAAAAAAAAAA", "............"},
		"a change":                         {time.Second, "ABBBBB", "...B.."},
		"seen often":                       {250 * time.Millisecond, "ABBBBBBBBBBB", ".........B.."},
		"seen rarely":                      {5 * time.Second, "ABBB", "..B."},
		"half written for two looks":       {time.Second, "AbbBBBB", ".....B."},
		"gone for two looks":               {time.Second, "A--AAAA", "......."},
		"changed and back, again":          {time.Second, "ABBAABBAAAA", "..........."},
		"another at every look":            {time.Second, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "...........L..........W..."},
		"another at every second look":     {time.Second, "ABBCCDDEEFFGGHH", "...........G..."},
		"flips with what is known":         {time.Second, "ABABABABABABAB", "...........B.."},
		"rest ends the time of the unrest": {time.Second, "ABABAAAABABABABAB", "................."},
	} {
		t.Run(name, func(t *testing.T) {
			var s Settling
			now := time.Unix(0, 0)
			s.Acted(Sum{'A'}, now)
			var acts strings.Builder
			for _, seen := range c.seen {
				act := s.Saw(Sum{byte(seen)}, now)
				if pending := s.Pending(); act && !pending {
					t.Error("it is time to act, and nothing is pending")
				}
				if act {
					s.Acted(Sum{byte(seen)}, now)
					acts.WriteRune(seen)
				} else {
					acts.WriteByte('.')
				}
				now = now.Add(c.every)
			}
			if acts.String() != c.acts {
				t.Errorf("\nsaw  %s\nacts %s\nwant %s", c.seen, &acts, c.acts)
			}
		})
	}
}

// TestSettlingWithoutKnowledge: files that were not steady while they were read are read again.
func TestSettlingWithoutKnowledge(t *testing.T) {
	var s Settling
	now := time.Unix(0, 0)
	s.Acted(Sum{}, now)
	for i, want := range []bool{false, false, true} {
		if got := s.Saw(Sum{'A'}, now.Add(time.Duration(i)*time.Second)); got != want {
			t.Errorf("look %d: %v", i, got)
		}
	}
}
