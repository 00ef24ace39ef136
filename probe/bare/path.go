package bare

import "github.com/wsprobe/wsprobe/probe/internal/match"

// Path leads to texts in JSON messages, as the paths of an ExpectJSON do.
type Path struct{ value match.Value }

// NewPath prepares a path. One that is not valid leads nowhere.
func NewPath(path string) Path { return Path{match.NewValue(path)} }

// Texts are the text at the path, or each text of the list there. There are none in a message that is not JSON.
func (p Path) Texts(message []byte) []string {
	return p.value.Texts(message, func() bool { return false })
}
