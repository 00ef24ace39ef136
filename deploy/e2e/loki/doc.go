// Package loki tests the way of the agent's log records into a Loki of its own release.
//
// The Loki is one process with storage in a folder. The tests read the records back by its API. The agent is the built
// binary; the environment variable WSPROBE may name another one.
//
//	go test -count=1 .
//
// This is a module of its own, so that the version of Loki alone decides what is built.
package loki
