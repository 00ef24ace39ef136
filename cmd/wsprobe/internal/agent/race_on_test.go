//go:build race

package agent

// changes is how often a test changes many probes: less often, because the race detector takes ten times as long.
const changes = 100
