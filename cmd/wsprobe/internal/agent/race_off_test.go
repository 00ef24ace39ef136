//go:build !race

package agent

// changes is how often a test changes many probes.
const changes = 1000
