package config

import (
	"hash/maphash"
	"maps"
	"math/bits"
)

// shared are the texts and maps that were read not long ago, so that equal ones are kept only once.
type shared struct {
	texts    map[string]string
	mappings map[uint64]map[string]string // by the sum of their entries
	seed     maphash.Seed
}

const (
	// sharedTexts is how many texts are looked through for an equal one. Most of many are there once, and would cost more
	// to find than they take.
	sharedTexts = 1 << 13
	// sharedMaps is how many maps are looked through for an equal one.
	sharedMaps = 1 << 13
	// fewEntries is how many entries a map has at most that is looked for among others.
	fewEntries = 16
)

func newShared() shared {
	return shared{texts: make(map[string]string), mappings: make(map[uint64]map[string]string), seed: maphash.MakeSeed()}
}

// share returns an equal text that was read before, or the text.
func (s *shared) share(text string) string {
	if before, ok := s.texts[text]; ok {
		return before
	}
	if len(s.texts) == sharedTexts {
		clear(s.texts)
	}
	s.texts[text] = text
	return text
}

// shareMap returns an equal map that was read before, or the map.
func (s *shared) shareMap(m map[string]string) map[string]string {
	if len(m) == 0 || len(m) > fewEntries {
		return m
	}
	var sum uint64 // of the entries, in whatever order
	for name, value := range m {
		sum += maphash.String(s.seed, name) ^ bits.RotateLeft64(maphash.String(s.seed, value), 1)
	}
	if before := s.mappings[sum]; maps.Equal(before, m) {
		return before
	}
	if len(s.mappings) == sharedMaps {
		clear(s.mappings)
	}
	s.mappings[sum] = m
	return m
}
