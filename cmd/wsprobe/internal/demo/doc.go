// Package demo is the story of `wsprobe demo`, from example endpoints to the points that a back end receives.
//
// [Start] serves the endpoints on the loopback interface, some good and some faulty on purpose. The ordinary agent
// probes them and exports to a receiver. The terminal shows an [Account] of the points of that receiver, and of nothing
// else. So every number on the screen was measured by a probe, exported over OTLP/gRPC and received. If the agent did
// not export, every row of the table would wait.
package demo
