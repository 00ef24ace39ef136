package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/examine"
	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/session"
)

// examineFlags are the flags of `examine`.
type examineFlags struct {
	openingFlags
	files   []string
	name    string
	message messageFlags
	limit   time.Duration
	longest int
	answers []string
	json    bool
}

func newExamineCommand() *cobra.Command {
	var flags examineFlags
	cmd := &cobra.Command{
		Use:        "examine URL | examine -c FILE... [--probe NAME]",
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
			"  wsprobe examine wss://echo.example.com/ --for 90s --longest-message 0 --json\n" +
			"  wsprobe examine -c wsprobe.yaml --probe feed",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fmt.Errorf("examine takes one URL, got %d arguments", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := flags.options(cmd, args)
			if err != nil {
				return err
			}
			return flags.run(cmd, o)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false // what belongs together stays together
	configFlag(cmd, &flags.files)
	f.StringVar(&flags.name, "probe", "", "with -c: the probe with this `name`, if there are several")
	f.DurationVar(&flags.limit, "for", examine.DefaultFor, "`time` for which sessions are held: longer limits are not found")
	f.IntVar(&flags.longest, "longest-message", examine.DefaultLongest, "longest message to try, in `bytes`; 0 for none")
	f.BoolVar(&flags.json, "json", false, "print one JSON object")
	flags.register(f)
	return cmd
}

// register adds the flags that describe an endpoint.
func (f *examineFlags) register(flags *pflag.FlagSet) {
	f.message.register(flags, messageHelp{
		send:          "`message` that may keep a session open, or @file, or - for standard input",
		expect:        "`text` of its answer (default the next message is the answer)",
		expectPattern: "regular `expression` (RE2) that its answer matches",
		expectJSON:    "`path=value` that holds in its answer, which is JSON; may be repeated",
	})
	registerAnswers(flags, &f.answers)
	f.openingFlags.register(flags, "each open with its exchange")
}

// options are what the flags ask for.
func (f *examineFlags) options(cmd *cobra.Command, args []string) (o examine.Options, err error) {
	switch {
	case f.limit < examine.MinFor || f.limit > examine.MaxFor:
		return o, fmt.Errorf("--for: must be a time from %v to %v, got %v", examine.MinFor, examine.MaxFor, f.limit)
	case f.longest < 0 || f.longest > examine.MaxLongest:
		return o, fmt.Errorf("--longest-message: must be from 0 to %d, got %d", examine.MaxLongest, f.longest)
	}
	spec, err := f.spec(cmd, args)
	if err == nil && hasOthers(spec) {
		err = errors.New("steps on several connections cannot be examined: leave out those with the field on")
	}
	return examine.Options{Spec: spec, For: f.limit, Longest: f.longest}, err
}

// spec is that of the probe of the file, or the one that the command line describes.
func (f *examineFlags) spec(cmd *cobra.Command, args []string) (session.Spec, error) {
	switch {
	case len(args) == 1 && len(f.files) > 0:
		return session.Spec{}, errors.New("give a URL or -c FILE, not both")
	case len(args) == 1 && f.name != "":
		return session.Spec{}, errors.New("--probe picks from a file: give -c FILE instead of a URL")
	case len(args) == 1:
		return f.described(cmd, args[0])
	case len(f.files) == 0:
		return session.Spec{}, errors.New("give a URL or -c FILE")
	}
	if name := given(cmd, new(examineFlags).register); name != "" {
		return session.Spec{}, fmt.Errorf("--%s describes the endpoint of a URL: it does not go with -c FILE", name)
	}
	cfg, err := loadConfig(f.files...)
	if err != nil {
		return session.Spec{}, err
	}
	p, err := pickOne(cfg, f.name)
	switch {
	case err != nil:
		return session.Spec{}, err
	case p.Session != nil:
		return *p.Session, nil
	}
	s := session.Spec{Opening: p.Spec.Opening, Timeout: p.Spec.Timeout, MessageFormat: p.Spec.MessageFormat, MaxReply: p.Spec.MaxReply,
		Exchange: p.Spec.Exchange}
	if p.Spec.Send != "" {
		s.Heartbeat = &session.Heartbeat{Send: p.Spec.Send, Expectation: expectation(p.Spec)}
	}
	return s.WithDefaults(), nil
}

// hasOthers reports whether steps name other connections than the main one.
func hasOthers(s session.Spec) bool {
	steps := s.Exchange
	if s.Heartbeat != nil {
		steps = slices.Concat(steps, s.Heartbeat.Steps)
	}
	return slices.ContainsFunc(steps, func(step probe.Step) bool { return step.On != "" && step.On != probe.MainConnection })
}

// pickOne returns the probe with this name, or the only one.
func pickOne(cfg config.Config, name string) (config.Probe, error) {
	if name == "" && len(cfg.Probes) > 1 {
		return config.Probe{}, fmt.Errorf("the file has %d probes: say which with --probe", len(cfg.Probes))
	}
	var names []string
	if name != "" {
		names = []string{name}
	}
	picked, err := pick(cfg, names)
	if err != nil {
		return config.Probe{}, err
	}
	return picked[0], nil
}

// expectation is that of a run's reply.
func expectation(s probe.Spec) session.Expectation {
	return session.Expectation{Expect: s.Expect, ExpectPattern: s.ExpectPattern, ExpectJSON: s.ExpectJSON}
}

// described is what the command line describes.
func (f *examineFlags) described(cmd *cobra.Command, url string) (o session.Spec, err error) {
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
	answer := expectation(said)
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
	err = f.withProxy(cmd, &spec.Opening)
	return spec.WithDefaults(), err
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
