// Command wsprobe probes WebSocket endpoints on a schedule, for a back end that takes OTLP.
//
// Each command has a file of its own: its flags, its output, its exit codes. The package agent below wires the parts
// that run.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // the zones of maintenance windows, where the system has none, as in the image
)

func main() {
	signal.Ignore(syscall.SIGPIPE) // a closed log pipe must not end the process
	os.Exit(run(untilSignal(), os.Args[1:], os.Stdout, os.Stderr))
}

// untilSignal returns a context that ends with the first SIGINT or SIGTERM. A second one ends the process at once, from
// the moment at which the context has ended. signal.NotifyContext would leave a gap between the two.
func untilSignal() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		signal.Stop(signals)
		cancel()
	}()
	return ctx
}

// run is the whole program; it returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	out := &output{Writer: stdout}
	root := newRoot(out, stderr)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if out.err != nil && (err == nil || errors.Is(err, out.err)) {
		if errors.Is(out.err, syscall.EPIPE) {
			return exitFailure // a reader that stops early, such as head, needs no message
		}
		err = failure{out.err}
	}
	return exitCode(cmd, err, stderr)
}
