//go:build race

package probe_test

// slowdown stretches upper bounds under the race detector, on machines that do something else as well.
const slowdown = 4
