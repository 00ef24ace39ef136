// Package jaeger tests the way of the agent's traces into a Jaeger of its own release.
//
// The Jaeger is version 2, the Collector with Jaeger's storage and query, and keeps traces in memory. The tests read
// them back by its API. The agent is the built binary; the environment variable WSPROBE may name another one.
//
//	go test -count=1 .
//
// This is a module of its own, so that the version of Jaeger alone decides what is built.
package jaeger
