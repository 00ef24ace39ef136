// Package e2e holds the tests of wsprobe as it is deployed.
//
// They start the binary with a YAML file. It probes a WebSocket server that this project did not write (NATS), and
// exports to an OpenTelemetry Collector that is built from the Collector's own modules. A test compares the points that
// the Collector received with the promises of the configuration, one by one.
//
// The tests build both programs themselves. The first build of the Collector takes a few minutes of CPU; later ones
// come from Go's build cache. With -race the agent is built with the race detector, too, so that a race in it becomes
// an exit status that the tests refuse.
//
//	cd deploy/e2e && go test -race -count=1 -parallel 8 ./...
//
// A test runs each recipe of deploy/examples against the server that it is for. These servers come from the distribution
// (.ci/run has their packages), or from npm at the versions of the lock file in the folder servers. A test whose server
// is not installed is skipped, but fails where CI=true.
//
// Sessions are held through proxies and at servers until these end them, while tcpdump looks on. What wsprobe tells of
// each end is compared with the packets. Others are examined, and what is found is compared with their settings.
//
// Back ends that take long to build have modules of their own in the folders prometheus and victoriametrics: make
// e2e-long builds and tests them, so that nobody builds a Prometheus to test a recipe.
//
// Everything listens on loopback, on ports that the tests choose. Every wait has a limit, and every
// program that a test starts ends with it. When a test fails, the output of its programs is logged.
//
// This is a module of its own, so that neither NATS nor the Collector is among wsprobe's dependencies.
package e2e
