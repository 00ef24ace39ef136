package yamltree

import (
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/wsprobe/wsprobe/config/internal/excerpt"
)

// Hidden takes the place of a secret in a text.
const Hidden = "[redacted]"

// placeholder matches the part of a message that a message about it repeats.
var placeholder = regexp.MustCompile(`\{\{.*?\}\}`)

// censor takes out of a problem what it repeats of a value that was substituted. The place and the reference tell its
// author enough.
func (r *Report) censor(n *yaml.Node, problem string) string {
	pieces := r.PiecesOf(n)
	if pieces == nil {
		return problem
	}
	if i := strings.LastIndex(problem, ", got "); i >= 0 {
		problem = problem[:i]
	}
	problem = placeholder.ReplaceAllString(problem, "{{...}}")
	problem = strings.ReplaceAll(problem, excerpt.Quote(n.Value), Hidden)
	for _, p := range pieces {
		if text := n.Value[p.From:p.To]; len(text) >= minTold {
			problem = strings.ReplaceAll(problem, text, Hidden)
		}
	}
	return problem
}

// minTold is the length from which a substituted text is hidden wherever a message has it; shorter ones are found in
// the middle of numbers and words.
const minTold = 6
