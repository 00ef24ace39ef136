// Package e2e holds the tests of wsprobe as it is deployed: its binary, started with a YAML file,
// probing a WebSocket server that this project did not write (NATS) and exporting to an OpenTelemetry
// Collector built from the Collector's own modules. What the Collector received is then compared with
// what the configuration promises, point by point.
//
// The tests build both programs themselves; the first build of the Collector takes a few minutes of
// CPU, later ones come from Go's build cache. With -race the agent is built with the race detector too,
// so that a race in it becomes an exit status that the tests refuse.
//
//	cd deploy/e2e && go test -race -count=1 ./...
//
// The recipes of deploy/examples are run against the servers that they are for. Those come from the distribution
// (.ci/run has their packages) and, those of the folder servers, from npm at the versions of its lock file. A test
// whose server is not installed is skipped, but fails where CI=true.
//
// Everything listens on loopback, on ports that the tests choose. Every wait has a limit, and every
// program that a test starts ends with it. When a test fails, the output of its programs is logged.
//
// This is a module of its own, so that neither NATS nor the Collector is among wsprobe's dependencies.
package e2e
