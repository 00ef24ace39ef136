// Package prometheus tests the way from the agent into Prometheus 3.
//
// The OTLP handler and the storage are Prometheus' own, used as a library with the defaults of its command, so without
// a window for samples that are out of order. The agent is the built binary; the environment variable WSPROBE may name
// another one.
//
// The endpoint records every run that reaches it, and a test compares this record with the samples that
// Prometheus stored. A sample that is missing, or is there twice, fails the test.
//
//	go test -count=1 .                            # 600 probes for 90 s, with and without outages, side by side
//	go test -count=1 -timeout 1h . -length 30m    # the same for half an hour each
//
// This is a module of its own, so that the version of Prometheus alone decides what is built.
package prometheus
