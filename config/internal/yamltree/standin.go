package yamltree

import "strings"

const (
	noVariable = "must have the name of a variable between ${env: and }"
	noFile     = "must have the name of a file between ${file: and }"
)

func isFileName(name string) bool { return name != "" && !strings.Contains(name, beginReference) }

// unresolved returns a stand-in for a secret that is not there, or what is wrong with the reference. It fits the text
// around it: the parts of a URL are checked with it in its place.
func unresolved(scheme, name, before string) (standIn, problem string) {
	switch {
	case scheme == "env" && !variableName.MatchString(name):
		return "", noVariable
	case scheme == "file" && !isFileName(name):
		return "", noFile
	}
	return standInAfter(before), ""
}

// standInAfter returns a text that fits behind another.
func standInAfter(before string) string {
	switch {
	case strings.HasSuffix(before, ":"), digitBefore(before):
		return "1" // a port, or a part of an address
	case strings.HasSuffix(before, "["):
		return "::1"
	case strings.HasSuffix(before, "%"):
		return "20"
	default:
		return "x"
	}
}

func digitBefore(text string) bool {
	text = strings.TrimSuffix(text, ".")
	return text != "" && text[len(text)-1] >= '0' && text[len(text)-1] <= '9'
}

// standsIn reports whether a text with stand-ins tells more than that it is there: not if it has nothing but
// references, nor if a part of its scheme is one.
func standsIn(text string, pieces []Piece) bool {
	length := 0
	for _, p := range pieces {
		length += p.To - p.From
	}
	scheme := strings.Index(text, "://")
	return length < len(text) && pieces[0].From > scheme
}
