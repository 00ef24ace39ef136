package say_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/wsprobe/wsprobe/probe/internal/say"
)

// TestShown: only the words of others are changed, and the limit counts what is shown.
func TestShown(t *testing.T) {
	loud := func(theirs string, limit int) string {
		theirs = strings.ToUpper(theirs)
		return theirs[:min(len(theirs), limit)]
	}
	for name, test := range map[string]struct {
		sentence string
		limit    int
		want     string
	}{
		"a text without marks": {"theirs", 100, "THEIRS"},
		"own words":            {say.Own("mine"), 100, "mine"},
		"nothing":              {say.Own(""), 100, ""},
		"words of others":      {say.Sentence("mine \"%s\" mine %d", "theirs", 7), 100, "mine \"THEIRS\" mine 7"},
		"an error of others":   {say.Sentence("mine: %s", errors.New("theirs")), 100, "mine: THEIRS"},
		"own words inside":     {say.Sentence("mine%s%s", say.Own(" still"), "theirs"), 100, "mine stillTHEIRS"},
		"a sentence inside":    {say.Sentence("mine %s", say.Sentence("inner %s", "theirs")), 100, "mine inner THEIRS"},
		"an error of our own":  {say.Sentence("mine: %s", say.Error(say.Own("inner"))), 100, "mine: inner"},
		"cut in own words":     {say.Sentence("mine %s", "theirs"), 2, "mi"},
		"cut in others' words": {say.Sentence("mine %s mine", "theirs"), 8, "mine THE"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := say.Shown(test.sentence, test.limit, loud); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
