// Package victoriametrics tests the way from the agent into a VictoriaMetrics of its own release.
//
// The single-node server receives over OTLP with Prometheus' names, its vmalert evaluates the alerts of deploy/alerts,
// and the tests ask every query of the dashboard. The agent is the built binary; the environment variable WSPROBE may name another one.
//
//	go test -count=1 .
//
// This is a module of its own, so that the version of VictoriaMetrics alone decides what is built.
package victoriametrics
