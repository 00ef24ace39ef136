package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/agent"
	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe/health"
)

// Limits of `once`.
const (
	onceMaxConcurrent = 1 // of `once URL`, which is one probe
	maxRounds         = 100_000
	minEvery          = 100 * time.Millisecond
	maxListen         = time.Hour
)

// onceFlags are the flags of `once`.
type onceFlags struct {
	files   []string
	names   []string
	module  string
	json    bool
	verbose bool
	count   int
	every   time.Duration
	listen  time.Duration
	adhoc   adhocFlags
}

func newOnceCommand() *cobra.Command {
	var flags onceFlags
	cmd := &cobra.Command{
		Use:        "once URL | once -c FILE... [--probe NAME]...",
		Short:      "Run probes now and show where the time went",
		SuggestFor: []string{"probe", "ping", "try"},
		Long: "Run probes now, side by side, and show where the time went.\n\n" +
			"The exit code is 0 if all are ok, 1 if a probe failed, 2 for bad usage or a bad\nconfiguration. Thresholds do not change it.",
		Example: "  wsprobe once wss://echo.example.com/ --send hello --expect hello\n" +
			"  wsprobe once wss://echo.example.com/ -v           heads, frames, certificates\n" +
			"  wsprobe once wss://feed.example.com/ --listen 5s  messages that come unasked\n" +
			"  wsprobe once wss://echo.example.com/ --ping -n 10 --every 1s\n" +
			"  wsprobe once -c wsprobe.yaml --probe chat --json\n" +
			"  wsprobe once -c wsprobe.yaml --module chat wss://10.0.0.7:8443/socket",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fmt.Errorf("once takes one URL, got %d arguments: put quotes around a text with blanks", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			probes, concurrent, err := flags.probes(cmd, args)
			if err != nil {
				return err
			}
			if err := flags.check(cmd); err != nil {
				return err
			}
			agent.BoundMemory(probes)
			o := onceRun{probes: probes, concurrent: concurrent, count: flags.count, every: flags.every, listen: flags.listen, verbose: flags.verbose}
			o.show = flags.display(cmd.OutOrStdout(), len(args) == 1)
			return o.run(cmd.Context())
		},
	}
	configFlag(cmd, &flags.files)
	f := cmd.Flags()
	f.StringArrayVar(&flags.names, "probe", nil, "with -c: only the probe with this `name`; may be repeated")
	f.StringVar(&flags.module, "module", "", "with -c and a URL: the probe that the module with this `name` makes of it")
	f.BoolVar(&flags.json, "json", false, "print one JSON object per line")
	f.BoolVarP(&flags.verbose, "verbose", "v", false, "show heads, frames with their times, TLS and certificates")
	f.IntVarP(&flags.count, "count", "n", 1, "run so many `times`, and sum up")
	f.DurationVar(&flags.every, "every", time.Second, "with -n: `time` from the start of a run to that of the next")
	f.DurationVar(&flags.listen, "listen", 0, "stay for this `time` and print the messages that come; Ctrl-C ends it")
	flags.adhoc.register(cmd)
	return cmd
}

// check finds what is wrong with the flags that say how the probes run.
func (f *onceFlags) check(cmd *cobra.Command) error {
	switch {
	case f.count < 1 || f.count > maxRounds:
		return fmt.Errorf("--count: must be from 1 to %d, got %d", maxRounds, f.count)
	case f.every < minEvery:
		return fmt.Errorf("--every: must be at least %v, got %v", minEvery, f.every)
	case cmd.Flags().Changed("every") && !cmd.Flags().Changed("count"):
		return errors.New("--every is the time between runs: say how many with -n")
	case f.listen < 0 || f.listen > maxListen:
		return fmt.Errorf("--listen: must be a time of at most %v, got %v", maxListen, f.listen)
	case cmd.Flags().Changed("listen") && f.listen == 0:
		return errors.New("--listen: must be more than 0")
	default:
		return nil
	}
}

// probes are those of the file, or the one that the command line describes.
func (f *onceFlags) probes(cmd *cobra.Command, args []string) ([]config.Probe, int, error) {
	if f.module != "" {
		p, cfg, err := f.ofModule(cmd, args)
		return judged([]config.Probe{p}), cfg.Agent.MaxConcurrent, err
	}
	switch {
	case len(args) == 1 && len(f.files) > 0:
		return nil, 0, errors.New("give a URL or -c FILE, not both")
	case len(args) == 1 && len(f.names) > 0:
		return nil, 0, errors.New("--probe picks from a file: give -c FILE instead of a URL")
	case len(args) == 1:
		p, err := f.adhoc.probe(cmd, args[0])
		return []config.Probe{p}, onceMaxConcurrent, err
	case len(f.files) == 0:
		return nil, 0, errors.New("give a URL or -c FILE")
	}
	if name := f.adhoc.changed(cmd); name != "" {
		return nil, 0, fmt.Errorf("--%s describes the probe of a URL: it does not go with -c FILE", name)
	}
	cfg, err := loadConfig(f.files...)
	if err != nil {
		return nil, 0, err
	}
	probes, err := pick(cfg, f.names)
	return judged(probes), cfg.Agent.MaxConcurrent, err
}

// judged takes the thresholds from probes of which no run has the value that is judged.
func judged(probes []config.Probe) []config.Probe {
	for i := range probes {
		if p := &probes[i]; p.Headline() != p.Spec.Interpretation {
			p.Health = health.Rules{}
		}
	}
	return probes
}

// pick returns the probes with these names in the order of the files, or all if there are no names.
func pick(cfg config.Config, names []string) ([]config.Probe, error) {
	all := cfg.Probes
	for _, name := range names {
		switch {
		case slices.Contains(cfg.Disabled, name):
			return nil, fmt.Errorf("--probe %q: this probe is disabled by enabled: false", name)
		case !slices.ContainsFunc(all, func(p config.Probe) bool { return p.Name == name }):
			return nil, fmt.Errorf("--probe %q: the file has no probe of this name", name)
		}
	}
	switch {
	case len(all) == 0 && len(cfg.Disabled) > 0:
		return nil, errors.New("every probe of the file is disabled by enabled: false")
	case len(all) == 0:
		return nil, errors.New("the file has no probe of its own, only ways to find some")
	case len(names) == 0:
		return all, nil
	}
	return slices.DeleteFunc(slices.Clone(all), func(p config.Probe) bool { return !slices.Contains(names, p.Name) }), nil
}
