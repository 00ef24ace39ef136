package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/examine"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/session"
)

// examineFlags are the flags of `examine`.
type examineFlags struct {
	openingFlags
	message messageFlags
	limit   time.Duration
	longest int
	answers []string
	json    bool
}

func newExamineCommand() *cobra.Command {
	var flags examineFlags
	cmd := &cobra.Command{
		Use:        "examine URL",
		Short:      "Find out how long an endpoint keeps a socket open",
		SuggestFor: []string{"explore", "inspect", "limits"},
		Long: "Find out how long an endpoint keeps a socket open, and what it takes: its idle\n" +
			"limit and who sets it, whether Pings or messages keep it open, its own Pings,\n" +
			"the longest message, close frames, Origin, subprotocol and compression.\n\n" +
			"It holds 3 sessions, 4 with --send, and opens 10 to 25 short connections, one\n" +
			"after the other. Ctrl-C shows what is known by then. The exit code is 1 if the\n" +
			"endpoint does not open, or after Ctrl-C.",
		Example: "  wsprobe examine wss://echo.example.com/\n" +
			"  wsprobe examine wss://echo.example.com/ --send '{\"op\":\"ping\"}' --expect pong\n" +
			"  wsprobe examine wss://echo.example.com/ --for 90s --longest-message 0 --json",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("examine takes one URL, got %d arguments", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := flags.options(cmd, args[0])
			if err != nil {
				return err
			}
			return flags.run(cmd, o)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false // what belongs together stays together
	f.DurationVar(&flags.limit, "for", examine.DefaultFor, "`time` for which sessions are held: longer limits are not found")
	f.IntVar(&flags.longest, "longest-message", examine.DefaultLongest, "longest message to try, in `bytes`; 0 for none")
	f.BoolVar(&flags.json, "json", false, "print one JSON object")
	flags.message.register(f, messageHelp{
		send:          "`message` that may keep a session open, or @file, or - for standard input",
		expect:        "`text` of its answer (default the next message is the answer)",
		expectPattern: "regular `expression` (RE2) that its answer matches",
		expectJSON:    "`path=value` that holds in its answer, which is JSON; may be repeated",
	})
	registerAnswers(f, &flags.answers)
	flags.openingFlags.register(f, "each open with its exchange")
	return cmd
}

// options are what the flags ask for.
func (f *examineFlags) options(cmd *cobra.Command, url string) (o examine.Options, err error) {
	switch {
	case f.limit < examine.MinFor || f.limit > examine.MaxFor:
		return o, fmt.Errorf("--for: must be a time from %v to %v, got %v", examine.MinFor, examine.MaxFor, f.limit)
	case f.longest < 0 || f.longest > examine.MaxLongest:
		return o, fmt.Errorf("--longest-message: must be from 0 to %d, got %d", examine.MaxLongest, f.longest)
	}
	said := probe.Spec{Opening: probe.Opening{URL: url}}
	in := &input{from: cmd.InOrStdin()}
	if err := f.message.fill(cmd, &said, in); err != nil {
		return o, err
	}
	if err := f.fill(cmd, &said.Opening, in); err != nil {
		return o, err
	}
	spec := session.Spec{Opening: said.Opening, Timeout: time.Duration(f.timeout), MessageFormat: said.MessageFormat, MaxReply: f.maxMessage,
		Exchange: said.Exchange}
	answer := session.Expectation{Expect: said.Expect, ExpectPattern: said.ExpectPattern, ExpectJSON: said.ExpectJSON}
	switch {
	case cmd.Flags().Changed("send"):
		spec.Heartbeat = &session.Heartbeat{Send: said.Send, Expectation: answer}
	case answer.Expect != "" || answer.ExpectPattern != "" || answer.ExpectJSON != nil:
		return o, errors.New("--expect: needs a message that is answered: add --send")
	}
	if spec.Answers, err = f.message.answers(f.answers); err != nil {
		return o, err
	}
	if faults := spec.Validate(); len(faults) > 0 {
		return o, inFlags(faults, examineNames(), func(fault probe.Fault) string { return flagWords.Replace(fault.Problem) })
	}
	o = examine.Options{Spec: spec.WithDefaults(), For: f.limit, Longest: f.longest}
	return o, f.withProxy(cmd, &o.Spec.Opening)
}

// examineNames names the flag for each field of a session's Spec, for the messages.
func examineNames() map[string]string {
	names := map[string]string{"Heartbeat": "--send", "Answers": "--answer"}
	for field, name := range adhocFields {
		names[field] = name
	}
	return names
}

// run examines, and shows what was found.
func (f *examineFlags) run(cmd *cobra.Command, o examine.Options) error {
	live := newProgress(cmd.ErrOrStderr(), o.For)
	o.Progress = live.tell
	report, err := live.during(func() (*examine.Report, error) { return examine.Run(cmd.Context(), o) })
	switch {
	case errors.Is(err, examine.ErrNotOpen):
		return f.notOpen(cmd, report, o)
	case errors.Is(err, context.Canceled) || report == nil && cmd.Context().Err() != nil:
		return failure{errInterrupted}
	case err != nil:
		return failure{err}
	}
	if err := f.show(cmd.OutOrStdout(), report); err != nil {
		return failure{err}
	}
	if report.Interrupted {
		return failure{errInterrupted}
	}
	return nil
}

// show shows a report.
func (f *examineFlags) show(out io.Writer, report *examine.Report) error {
	if f.json {
		to := json.NewEncoder(out)
		to.SetEscapeHTML(false) // it goes to a terminal or to jq
		return to.Encode(report)
	}
	_, err := io.WriteString(out, examineText(report, inkFor(out)))
	return err
}
