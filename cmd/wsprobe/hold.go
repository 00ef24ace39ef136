package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/redact"
	"github.com/wsprobe/wsprobe/reasons"
)

// maxHold is the longest time for `hold --for`.
const maxHold = 30 * 24 * time.Hour

// holdFlags are the flags of `hold`.
type holdFlags struct {
	files              []string
	name               string
	json, every, quiet bool
	limit              time.Duration
	session            sessionFlags
}

func newHoldCommand() *cobra.Command {
	var flags holdFlags
	cmd := &cobra.Command{
		Use:        "hold URL | hold -c FILE... [--probe NAME]",
		Short:      "Hold one session open and show live what happens to it",
		SuggestFor: []string{"watch", "listen", "keep", "connect"},
		Long: "Hold one session open, show live what happens to it, and sum up at the end:\nopens, Pings, heartbeats, messages, cuts, and what is likely behind them.\n\n" +
			"Ctrl-C closes with 1001 and sums up; a second one ends it at once. The exit code\nis 0 if the session was open at the end, every open succeeded and no end was\nunplanned, " +
			"else 1; it is 2 for bad usage.",
		Example: "  wsprobe hold wss://echo.example.com/                      when is it cut?\n" +
			"  wsprobe hold wss://echo.example.com/ --ping-interval 20s  do Pings keep it?\n" +
			"  wsprobe hold wss://feed.example.com/ --send '{\"op\":\"subscribe\"}' \\\n" +
			"      --expect trades --max-silence 30s --sequence data.seq --sent-at data.ts\n" +
			"  wsprobe hold wss://echo.example.com/ --heartbeat ping --heartbeat-expect pong\n" +
			"  wsprobe hold wss://feed.example.com/ --for 1h --json\n" +
			"  wsprobe hold -c wsprobe.yaml --probe feed                 that of a file",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fmt.Errorf("hold takes one URL, got %d arguments: put quotes around a text with blanks", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			h, err := flags.held(cmd, args)
			if err != nil {
				return err
			}
			return h.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.SortFlags = false // what belongs together stays together
	configFlag(cmd, &flags.files)
	f.StringVar(&flags.name, "probe", "", "with -c: the probe with this `name`, if several have a session")
	f.DurationVar(&flags.limit, "for", 0, "`time` after which it ends as by Ctrl-C (default never)")
	f.BoolVar(&flags.json, "json", false, "print one JSON object per line")
	f.BoolVarP(&flags.quiet, "quiet", "q", false, "no line for a Pong, a heartbeat or a message without fault")
	f.BoolVar(&flags.every, "every-message", false, "a line for each message, also in a flood (default a count a second from the 6th message of a second on)")
	flags.session.register(f)
	return cmd
}

// held is what the flags ask for.
func (f *holdFlags) held(cmd *cobra.Command, args []string) (*holdRun, error) {
	switch {
	case cmd.Flags().Changed("for") && (f.limit <= 0 || f.limit > maxHold):
		return nil, fmt.Errorf("--for: must be a time of at most %v, got %v", maxHold, f.limit)
	case f.quiet && f.every:
		return nil, errors.New("--quiet: does not go with --every-message")
	}
	p, words, err := f.probe(cmd, args)
	if err != nil {
		return nil, err
	}
	h := &holdRun{spec: *p.Session, limit: f.limit, pace: pace{every: f.every, quiet: f.quiet}}
	of := metrics.NewIdentity(metrics.Target{Name: p.Name, URL: p.ShownURL(), Interpretation: probe.HandshakeLatency})
	if out := cmd.OutOrStdout(); f.json {
		h.show = newHoldJSON(out, of, words)
	} else {
		h.show = &holdText{out: out, ink: inkFor(out), terminal: isTerminal(out), probe: of, words: words}
	}
	return h, nil
}

// probe is the one of the file, or the one that the command line describes. Its hints have these words.
func (f *holdFlags) probe(cmd *cobra.Command, args []string) (config.Probe, reasons.Words, error) {
	switch {
	case len(args) == 1 && len(f.files) > 0:
		return config.Probe{}, nil, errors.New("give a URL or -c FILE, not both")
	case len(args) == 1 && f.name != "":
		return config.Probe{}, nil, errors.New("--probe picks from a file: give -c FILE instead of a URL")
	case len(args) == 1:
		spec, err := f.session.spec(cmd, args[0])
		return config.Probe{Name: redact.URL(args[0]), Spec: spec.Run(), Session: &spec}, heldWords(), err
	case len(f.files) == 0:
		return config.Probe{}, nil, errors.New("give a URL or -c FILE")
	}
	if name := given(cmd, new(sessionFlags).register); name != "" {
		return config.Probe{}, nil, fmt.Errorf("--%s describes the session of a URL: it does not go with -c FILE", name)
	}
	cfg, err := loadConfig(f.files...)
	if err != nil {
		return config.Probe{}, nil, err
	}
	p, err := pickHeld(cfg, f.name)
	return p, nil, err
}

// pickHeld returns the probe with a session that has this name, or the only one.
func pickHeld(cfg config.Config, name string) (config.Probe, error) {
	if name != "" {
		named, err := pick(cfg, []string{name})
		if err == nil && named[0].Session == nil {
			err = fmt.Errorf("--probe %q: this probe has no session", name)
		}
		if err != nil {
			return config.Probe{}, err
		}
		return named[0], nil
	}
	held := slices.DeleteFunc(slices.Clone(cfg.Probes), func(p config.Probe) bool { return p.Session == nil })
	switch len(held) {
	case 0:
		return config.Probe{}, errors.New("no probe of the file has a session")
	case 1:
		return held[0], nil
	}
	var names []string
	for _, p := range held[:min(len(held), 5)] {
		names = append(names, p.Name)
	}
	if len(held) > len(names) {
		names = append(names, "...")
	}
	return config.Probe{}, fmt.Errorf("%d probes of the file have a session: say which with --probe, %s", len(held), strings.Join(names, ", "))
}
