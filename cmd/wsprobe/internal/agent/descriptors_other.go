//go:build !unix

package agent

import "math"

// fileLimit is how many files the process may open: as many as there is memory for.
func fileLimit() uint64 { return math.MaxUint64 }
