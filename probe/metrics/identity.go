package metrics

import (
	"cmp"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/redact"
)

// Target says which probe points, log records and spans are about.
type Target struct {
	Name           string
	Interpretation probe.Interpretation
	Address        string // host of the URL, without brackets
	Port           int
	Scheme         string        // ws or wss
	Interval       time.Duration // between two runs; 0 if there is none
	Path           string        // path of the URL, without its query; empty means /
	URL            string        // for people; it is no attribute; an Identity has it redacted
	// Labels are more attributes. One that is named like an attribute of wsprobe is left out.
	Labels map[string]string
}

// Identity is a Target whose texts fit to be exported. It does not change.
//
// It keeps the parts of attributes and not the attributes, because those of ten or so variants would take more memory
// than the rest of a probe. Readers make them when they need them, see [Sets].
type Identity struct {
	target Target // without its labels
	labels []label
}

// label is a label of a probe. A map of two labels takes five times the memory.
type label struct{ name, value string }

// NewIdentity returns the Identity of a target.
func NewIdentity(t Target) *Identity {
	id := &Identity{target: t, labels: make([]label, 0, len(t.Labels))}
	id.target.Labels = nil
	id.target.Name, id.target.Address, id.target.Scheme = encodable(t.Name), encodable(t.Address), encodable(t.Scheme)
	id.target.Path = encodable(cmp.Or(t.Path, "/"))
	if shown := redact.URL(t.URL); shown != t.URL { // else they share memory
		id.target.URL = shown
	}
	for _, name := range slices.Sorted(maps.Keys(t.Labels)) {
		if !reserved(name) {
			id.labels = append(id.labels, label{encodable(name), encodable(t.Labels[name])})
		}
	}
	return id
}

// encodable replaces what is not UTF-8, because it would make a whole request unencodable.
func encodable(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// Text returns an attribute with a text. What is not UTF-8 is replaced.
func Text(key, value string) Attribute { return slog.String(encodable(key), encodable(value)) }

// ProbeKeys returns the attribute keys of a probe, besides its labels.
func ProbeKeys() []string {
	return []string{KeyName, KeyInterpretation, KeyServerAddress, KeyServerPort, KeyScheme, KeyPath}
}

// VariantKeys returns the attribute keys of a [Variant].
func VariantKeys() []string {
	return []string{KeyReason, KeyErrorType, KeyPhase, KeySessionEnd, KeyCloseCode, KeyMessage}
}

// reserved reports whether a label would stand in the place of an attribute of wsprobe.
func reserved(name string) bool {
	return slices.Contains(ProbeKeys(), name) || slices.Contains(VariantKeys(), name)
}

// Name returns the name of the probe.
func (id *Identity) Name() string { return id.target.Name }

// Label returns the value of a label, and whether the probe has it.
func (id *Identity) Label(name string) (value string, there bool) {
	for _, l := range id.labels {
		if l.name == name {
			return l.value, true
		}
	}
	return "", false
}

// Labels returns the names and values of the labels, sorted by name.
func (id *Identity) Labels() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, l := range id.labels {
			if !yield(l.name, l.value) {
				return
			}
		}
	}
}

// Target returns the target, without its labels.
func (id *Identity) Target() Target { return id.target }

// Same reports whether two identities have the same attributes.
func (id *Identity) Same(other *Identity) bool {
	a, b := &id.target, &other.target
	return a.Name == b.Name && a.Interpretation == b.Interpretation && a.Address == b.Address && a.Port == b.Port &&
		a.Scheme == b.Scheme && a.Path == b.Path && slices.Equal(id.labels, other.labels)
}

// Append appends the attributes of the probe, first its labels.
func (id *Identity) Append(all []Attribute) []Attribute {
	t := &id.target
	for _, l := range id.labels {
		all = append(all, slog.String(l.name, l.value))
	}
	return append(all,
		slog.String(KeyName, t.Name),
		slog.String(KeyInterpretation, string(t.Interpretation)),
		slog.String(KeyServerAddress, t.Address),
		slog.Int(KeyServerPort, t.Port),
		slog.String(KeyScheme, t.Scheme),
		slog.String(KeyPath, t.Path),
	)
}
