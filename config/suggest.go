package config

import (
	"slices"
	"strconv"
	"strings"

	"github.com/wsprobe/wsprobe/config/internal/excerpt"
)

// didYouMean returns the end of a sentence that offers a guess, if there is one.
func didYouMean(guess string) string {
	if guess == "" {
		return ""
	}
	return ", did you mean " + guess + "?"
}

// suggest guesses which of the known words was meant. It returns nothing if none is near.
func suggest(word string, known []string) string {
	best, distance := "", len(word)/3+1
	for _, candidate := range known {
		if strings.EqualFold(word, candidate) {
			best = candidate
			break
		}
		if d := editDistance(word, candidate); d <= distance && (best == "" || d < distance) {
			best, distance = candidate, d
		}
	}
	if best == "" {
		for _, candidate := range known { // "timeout" for timeout_ms
			if len(word) >= 3 && (strings.HasPrefix(candidate, word+"_") || strings.HasSuffix(candidate, "_"+word)) {
				best = candidate
				break
			}
		}
	}
	return best
}

// suggestChoice guesses which of a few words was meant, which are values and not names: it takes more likeness than for
// a key, where a guess that is wrong does no harm.
func suggestChoice(word string, allowed []string) string {
	plain := strings.NewReplacer("_", "", "-", "", " ", "", ".", "")
	bare := plain.Replace(strings.ToLower(word))
	if i := slices.IndexFunc(allowed, func(known string) bool { return plain.Replace(known) == bare }); i >= 0 {
		return allowed[i]
	}
	if len(bare) < 3 {
		return ""
	}
	for _, candidate := range allowed {
		known := plain.Replace(candidate)
		if _, err := strconv.Atoi(known); err == nil && strings.TrimLeft(bare, "abcdefghijklmnopqrstuvwxyz") == known { // TLS12, ipv4
			return candidate
		}
		if strings.HasPrefix(known, bare) || strings.HasPrefix(bare, known) || editDistance(bare, known) <= len(bare)/4 {
			return candidate
		}
	}
	return ""
}

// editDistance counts the insertions, deletions and replacements that turn a into b. Long words are far
// from everything, so that a hostile file cannot make it slow.
func editDistance(a, b string) int {
	if len(a) > excerpt.Max {
		return len(a)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			above := row[j+1]
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = above
			row[j+1] = min(above+1, row[j]+1, replace)
		}
	}
	return row[len(b)]
}
