package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe/redact"
)

// The exit codes. They are part of wsprobe's interface.
const (
	exitOK      = 0
	exitFailure = 1 // the agent could not run, a probe of `once` failed, a stream of `check` did not connect, or the session of `hold` did not stay open
	exitUsage   = 2 // bad usage or a bad configuration
)

// failure marks an error that is neither bad usage nor a bad configuration.
type failure struct{ error }

func (f failure) Unwrap() error { return f.error }

// errProbeFailed ends `once` and `hold` when a probe failed. It has been told already.
var errProbeFailed = failure{errors.New("a probe failed")}

// exitCode tells people what went wrong with a command, one clear line per fault, and returns the code for it. What
// is neither marked as a failure nor about a configuration is bad usage, found by cobra or by us.
func exitCode(cmd *cobra.Command, err error, stderr io.Writer) int {
	var faults *config.Error
	var failed failure
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errProbeFailed), errors.Is(err, errNotConnected):
		return exitFailure
	case errors.Is(err, errFaulty):
		return exitUsage
	case errors.As(err, &faults):
		fmt.Fprintln(stderr, faults)
		return exitUsage
	case errors.As(err, &failed):
		complain(stderr, failed.Error())
		return exitFailure
	default:
		complain(stderr, err.Error()+" (see "+helpOn(cmd)+")")
		return exitUsage
	}
}

// complain writes each line as one of wsprobe's. Joined errors have a line each.
func complain(stderr io.Writer, text string) {
	for line := range strings.Lines(text) {
		fmt.Fprintln(stderr, "wsprobe:", strings.TrimRight(line, "\n"))
	}
}

// noArgs refuses arguments and says what to do instead. The argument is not repeated: it may be a URL with a
// token in it.
func noArgs(instead string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return fmt.Errorf("%s takes no argument: %s", cmd.Name(), instead)
		}
		return nil
	}
}

// unknownCommand says that there is no such command, and which one was meant if that can be guessed. It may be a URL
// that was meant for once, with a token in it.
func unknownCommand(root *cobra.Command, name string) error {
	shown := redact.URL(name)
	if strings.Contains(name, "://") {
		return fmt.Errorf("unknown command %q: did you mean wsprobe once URL?", shown)
	}
	if near := root.SuggestionsFor(name); len(near) > 0 {
		return fmt.Errorf("unknown command %q: did you mean %s?", shown, strings.Join(near, " or "))
	}
	return fmt.Errorf("unknown command %q: there are %s", shown, commandNames(root))
}

// commandNames lists the commands that a person may call.
func commandNames(root *cobra.Command) string {
	var names []string
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return strings.Join(names, ", ")
}

func newRoot(stdout, stderr io.Writer) *cobra.Command {
	root := &cobra.Command{
		Use:   "wsprobe",
		Short: "Probe WebSocket endpoints on a schedule and export the results over OTLP",
		Example: "  wsprobe demo      see it all work, in one process\n" +
			"  wsprobe target    endpoints to try it on; then, in another terminal:\n" +
			"  wsprobe once ws://127.0.0.1:9465/good --send ping --expect pong\n" +
			"  wsprobe run -c wsprobe.yaml",
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       versionText(),
		Args:          cobra.ArbitraryArgs, // cobra's own complaint would repeat a URL with its query
		RunE: func(root *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(root, args[0])
			}
			return fmt.Errorf("a command is missing: there are %s", commandNames(root))
		},
		CompletionOptions:          cobra.CompletionOptions{HiddenDefaultCmd: true},
		SuggestionsMinimumDistance: 2,
	}
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetUsageTemplate(usageTemplate)
	root.SetFlagErrorFunc(flagError)
	root.SetVersionTemplate(versionLine())
	root.SetHelpCommand(newHelpCommand())
	root.AddCommand(newRunCommand(), newCheckCommand(), newOnceCommand(), newHoldCommand(), newExamineCommand(), newConvertCommand(), newSchemaCommand(), newDemoCommand(), newTargetCommand(), newVersionCommand())
	return root
}

// configFlag adds -c, which names the files of the configuration.
func configFlag(cmd *cobra.Command, files *[]string) {
	cmd.Flags().StringArrayVarP(files, "config", "c", nil,
		"configuration `file` (YAML), or a directory of files *.yaml and *.yml; may be repeated")
}
