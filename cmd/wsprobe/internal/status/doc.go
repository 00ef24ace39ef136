// Package status keeps the last result of every probe and shows it: as JSON for programs, as a page for
// people, and as health and readiness for whatever supervises the agent.
//
// It is the agent's own view. The back end has the history.
package status
