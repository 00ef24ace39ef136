package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/metrics"
	"github.com/wsprobe/wsprobe/probe/redact"
)

// maxHold is the longest time for `hold --for`.
const maxHold = 30 * 24 * time.Hour

// holdFlags are the flags of `hold`.
type holdFlags struct {
	json, every, quiet bool
	limit              time.Duration
	session            sessionFlags
}

func newHoldCommand() *cobra.Command {
	var flags holdFlags
	cmd := &cobra.Command{
		Use:        "hold URL",
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
			"  wsprobe hold wss://feed.example.com/ --for 1h --json",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("hold takes one URL, got %d arguments", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			h, err := flags.held(cmd, args[0])
			if err != nil {
				return err
			}
			return h.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.SortFlags = false // what belongs together stays together
	f.DurationVar(&flags.limit, "for", 0, "`time` after which it ends as by Ctrl-C (default never)")
	f.BoolVar(&flags.json, "json", false, "print one JSON object per line")
	f.BoolVarP(&flags.quiet, "quiet", "q", false, "no line for a Pong, a heartbeat or a message without fault")
	f.BoolVar(&flags.every, "every-message", false, "a line for each message, also in a flood (default a count a second from the 6th message of a second on)")
	flags.session.register(f)
	return cmd
}

// held is what the flags ask for.
func (f *holdFlags) held(cmd *cobra.Command, url string) (*holdRun, error) {
	switch {
	case cmd.Flags().Changed("for") && (f.limit <= 0 || f.limit > maxHold):
		return nil, fmt.Errorf("--for: must be a time of at most %v, got %v", maxHold, f.limit)
	case f.quiet && f.every:
		return nil, errors.New("--quiet: does not go with --every-message")
	}
	spec, err := f.session.spec(cmd, url)
	if err != nil {
		return nil, err
	}
	h := &holdRun{spec: spec, limit: f.limit, pace: pace{every: f.every, quiet: f.quiet}}
	if of := heldIdentity(url); f.json {
		h.show = newHoldJSON(cmd.OutOrStdout(), of)
	} else {
		out := cmd.OutOrStdout()
		h.show = &holdText{out: out, ink: inkFor(out), terminal: isTerminal(out), probe: of}
	}
	return h, nil
}

// heldIdentity is what the results of the opens are about.
func heldIdentity(url string) *metrics.Identity {
	shown := redact.URL(url)
	return metrics.NewIdentity(metrics.Target{Name: shown, URL: shown, Interpretation: probe.HandshakeLatency})
}
