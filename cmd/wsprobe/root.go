package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/wsprobe/wsprobe/config"
)

// The exit codes. They are part of wsprobe's interface.
const (
	exitOK      = 0
	exitFailure = 1 // the agent could not run, or a probe of `once` failed
	exitUsage   = 2 // bad usage or a bad configuration
)

// failure marks an error that is neither bad usage nor a bad configuration.
type failure struct{ error }

func (f failure) Unwrap() error { return f.error }

// errProbeFailed ends `once` when a probe failed. It has been told already.
var errProbeFailed = failure{errors.New("a probe failed")}

// exitCode tells people what went wrong, one clear line per fault, and returns the code for it. What no
// command of ours has marked is cobra's: bad usage.
func exitCode(err error, stderr io.Writer) int {
	var faults *config.Error
	var failed failure
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errProbeFailed):
		return exitFailure
	case errors.As(err, &faults):
		fmt.Fprintln(stderr, faults)
		return exitUsage
	case errors.As(err, &failed):
		fmt.Fprintln(stderr, "wsprobe:", failed)
		return exitFailure
	default:
		fmt.Fprintf(stderr, "wsprobe: %v (see wsprobe --help)\n", err)
		return exitUsage
	}
}

func newRoot(stdout, stderr io.Writer) *cobra.Command {
	root := &cobra.Command{
		Use:           "wsprobe",
		Short:         "Probe WebSocket endpoints on a schedule and export what is found over OTLP",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return errors.New("a command is missing: run, check, once, demo or version")
		},
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.AddCommand(newRunCommand(), newCheckCommand(), newOnceCommand(), newDemoCommand(), newVersionCommand())
	return root
}

// configFlag adds -c, which names the configuration file.
func configFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVarP(file, "config", "c", "", "configuration `file` (YAML)")
}
