// Package demo is the story that `wsprobe demo` tells, from example endpoints to the points that an OpenTelemetry back
// end received about them.
//
// [Start] serves the endpoints on the loopback interface, some good and some faulty on purpose. The ordinary
// agent probes them and exports to a receiver, and an [Account] of that receiver's points is what the terminal
// shows. Between the two ends lies all of wsprobe, and the account never looks past its own end: every
// number on the screen has been measured by a probe, exported over OTLP/gRPC and received. An agent that did
// not export would show as a table in which everything waits.
package demo
