package metrics

import (
	"cmp"
	"log/slog"
	"slices"
)

// Set is the attributes of a point, sorted by key and without a key twice. Many points share one, so nobody changes it.
type Set struct {
	Attributes []Attribute
	// Size is the most bytes that they take in a request.
	Size int
}

// Value returns the value of a key, and whether there is one.
func (s Set) Value(key string) (slog.Value, bool) {
	i, there := slices.BinarySearchFunc(s.Attributes, key, func(a Attribute, key string) int { return cmp.Compare(a.Key, key) })
	if !there {
		return slog.Value{}, false
	}
	return s.Attributes[i].Value, true
}

// Size is the most bytes that attributes take in a request: their texts, and of each no more than 20 bytes of tags,
// lengths and number.
func Size(all []Attribute) int {
	size := 0
	for i := range all {
		size += attributeSize(&all[i])
	}
	return size
}

func attributeSize(a *Attribute) int {
	size := len(a.Key) + 20
	if a.Value.Kind() == slog.KindString {
		size += len(a.Value.String())
	}
	return size
}

// Sets makes the attributes of the points of one reader. One goroutine uses it at a time. It makes those of one probe
// after another fastest, because it keeps the last.
type Sets struct {
	Common []Attribute              // of every point; they replace labels with the same key
	Label  func(name string) string // the key of a label, nil for its name

	of    *Identity
	plain Set // of it
	room  []Attribute
}

// roomLength is how many attributes are allocated at once.
const roomLength = 512

// Of returns the attributes of a series of a probe.
func (s *Sets) Of(id *Identity, v Variant) Set {
	if s.of != id {
		s.of, s.plain = id, s.probe(id)
	}
	if v == (Variant{}) {
		return s.plain
	}
	set := Set{append(s.alloc(len(s.plain.Attributes)+len(VariantKeys())), s.plain.Attributes...), s.plain.Size}
	var room [6]Attribute
	for _, extra := range v.Append(room[:0]) {
		set.insert(extra)
	}
	return set
}

// Append appends the attributes of the variant, without those that are absent.
func (v Variant) Append(all []Attribute) []Attribute {
	for _, a := range [...]struct{ key, value string }{
		{KeyReason, v.Reason}, {KeyErrorType, v.ErrorType}, {KeyPhase, v.Phase},
		{KeySessionEnd, v.SessionEnd}, {KeyCloseCode, v.CloseCode}, {KeyMessage, v.Message},
	} {
		if a.value != "" {
			all = append(all, slog.String(a.key, a.value))
		}
	}
	return all
}

// Alone returns the attributes of a point that is about no probe.
func (s *Sets) Alone(own ...Attribute) Set {
	return sorted(append(append(s.alloc(len(own)+len(s.Common)), own...), s.Common...))
}

// probe returns the attributes that all points of a probe have.
func (s *Sets) probe(id *Identity) Set {
	all := id.Append(s.alloc(len(id.labels) + len(ProbeKeys()) + len(s.Common)))
	if s.Label != nil {
		for i := range id.labels {
			all[i].Key = s.Label(all[i].Key)
		}
	}
	return sorted(append(all, s.Common...))
}

// sorted makes a Set of attributes, of which the last counts if several have one key.
func sorted(all []Attribute) Set {
	slices.SortStableFunc(all, func(a, b Attribute) int { return cmp.Compare(a.Key, b.Key) })
	kept := all[:0]
	for i := range all {
		if i+1 == len(all) || all[i].Key != all[i+1].Key {
			kept = append(kept, all[i])
		}
	}
	return Set{kept, Size(kept)}
}

// insert puts an attribute into its place. There is room for it.
func (s *Set) insert(a Attribute) {
	i := len(s.Attributes)
	for i > 0 && s.Attributes[i-1].Key > a.Key {
		i--
	}
	s.Attributes = slices.Insert(s.Attributes, i, a)
	s.Size += attributeSize(&a)
}

// alloc returns an empty slice with room for n attributes. Slices are parts of larger ones, because a request has
// thousands.
func (s *Sets) alloc(n int) []Attribute {
	if len(s.room) < n {
		s.room = make([]Attribute, max(roomLength, n))
	}
	part := s.room[:0:n]
	s.room = s.room[n:]
	return part
}
