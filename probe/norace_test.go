//go:build !race

package probe_test

const slowdown = 2
