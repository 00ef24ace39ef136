//go:build !race

package e2e

// detectRaces builds the agent as the tests themselves are built.
const detectRaces = false
