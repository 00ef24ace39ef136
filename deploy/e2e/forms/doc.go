// Package forms tests the forms of the agent's metrics with the code by which back ends change them.
//
// That is the Collector's processors deltatocumulative and cumulativetodelta, and the mapping of Datadog's Agent and
// exporter. The agent is the built binary; the environment variable WSPROBE may name another one. What comes out of
// that code is compared with the single runs of the same requests.
//
//	go test -count=1 .
//
// This is a module of its own, so that the versions of that code alone decide what is built.
package forms
