package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/status"
	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/reasons"
)

// onceMaxConcurrent bounds `once URL` and is only there to have a number: it is one probe.
const onceMaxConcurrent = 1

// onceFlags are the flags of `once`.
type onceFlags struct {
	file  string
	names []string
	json  bool
	adhoc adhocFlags
}

func newOnceCommand() *cobra.Command {
	var flags onceFlags
	cmd := &cobra.Command{
		Use:        "once URL | once -c FILE [--probe NAME]...",
		Short:      "Run probes now and show where the time went",
		SuggestFor: []string{"probe", "ping", "try"},
		Long: "Run probes now, side by side, and show where the time went.\n\n" +
			"The exit code is 0 if all are ok, 1 if a probe failed, 2 for bad usage or a bad\nconfiguration. Thresholds do not change it.",
		Example: "  wsprobe once wss://echo.example.com/ --send hello --expect hello\n" +
			"  wsprobe once -c wsprobe.yaml --probe chat --json",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fmt.Errorf("once takes one URL, got %d arguments: quote what belongs together", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			probes, concurrent, err := flags.probes(cmd, args)
			if err != nil {
				return err
			}
			boundMemory(memoryLimit(probes, config.OTLP{}))
			show := display{each: printWaterfall, sum: printSum}
			if flags.json {
				show = display{each: printJSON}
			}
			return runOnce(cmd.Context(), probes, concurrent, cmd.OutOrStdout(), show)
		},
	}
	configFlag(cmd, &flags.file)
	cmd.Flags().StringArrayVar(&flags.names, "probe", nil, "with -c: only the probe with this `name`; may be repeated")
	cmd.Flags().BoolVar(&flags.json, "json", false, "print one JSON object per line")
	flags.adhoc.register(cmd)
	return cmd
}

// probes are those of the file, or the one that the command line describes.
func (f *onceFlags) probes(cmd *cobra.Command, args []string) ([]config.Probe, int, error) {
	switch {
	case len(args) == 1 && f.file != "":
		return nil, 0, errors.New("give a URL or -c FILE, not both")
	case len(args) == 1 && len(f.names) > 0:
		return nil, 0, errors.New("--probe picks from a file: give -c FILE instead of a URL")
	case len(args) == 1:
		p, err := f.adhoc.probe(cmd, args[0])
		return []config.Probe{p}, onceMaxConcurrent, err
	case f.file == "":
		return nil, 0, errors.New("give a URL or -c FILE")
	}
	if name := f.adhoc.changed(cmd); name != "" {
		return nil, 0, fmt.Errorf("--%s describes the probe of a URL: it does not go with -c FILE", name)
	}
	cfg, err := loadConfig(f.file)
	if err != nil {
		return nil, 0, err
	}
	probes, err := pick(cfg.Probes, f.names)
	return probes, cfg.Agent.MaxConcurrent, err
}

// pick returns the probes with these names in the order of the file, or all if there are no names.
func pick(all []config.Probe, names []string) ([]config.Probe, error) {
	if len(names) == 0 {
		return all, nil
	}
	for _, name := range names {
		if !slices.ContainsFunc(all, func(p config.Probe) bool { return p.Name == name }) {
			return nil, fmt.Errorf("--probe %q: the file has no probe of this name", name)
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(p config.Probe) bool { return !slices.Contains(names, p.Name) }), nil
}

// outcome is what a run of `once` came to. An error means that there is no result.
type outcome struct {
	result probe.Result
	err    error
}

// display is how results are shown: each of them, and a last word if there are several.
type display struct {
	each func(io.Writer, config.Probe, probe.Result) error
	sum  func(w io.Writer, probes int, failed []string) error // nil for none
}

// runOnce runs the probes side by side, and shows them in order as soon as their turn has come.
func runOnce(ctx context.Context, probes []config.Probe, concurrent int, out io.Writer,
	show display) error {
	ctx, cancel := context.WithCancel(ctx)
	outcomes := make([]chan outcome, len(probes))
	for i := range outcomes {
		outcomes[i] = make(chan outcome, 1)
	}
	var runs sync.WaitGroup
	defer runs.Wait()
	defer cancel() // who cannot be shown any more need not be waited for
	runs.Go(func() {
		places := make(chan struct{}, concurrent)
		for i, p := range probes {
			places <- struct{}{}
			runs.Go(func() {
				defer func() { <-places }()
				outcomes[i] <- runProbe(ctx, p)
			})
		}
	})
	var failed []string
	for i, p := range probes {
		o := <-outcomes[i]
		if o.err != nil {
			return failure{o.err}
		}
		if err := show.each(out, p, o.result); err != nil {
			return failure{err}
		}
		if o.result.Reason != reasons.OK {
			failed = append(failed, p.Name)
		}
	}
	if len(probes) > 1 && show.sum != nil {
		if err := show.sum(out, len(probes), failed); err != nil {
			return failure{err}
		}
	}
	if len(failed) > 0 {
		return errProbeFailed
	}
	return nil
}

func runProbe(ctx context.Context, p config.Probe) outcome {
	prober, err := probe.New(p.Spec)
	if err != nil {
		return outcome{err: err}
	}
	result, err := prober.Run(ctx)
	if err != nil {
		err = errors.New("interrupted")
	}
	return outcome{result, err}
}

// printSum says how many probes are ok, and which are not: the waterfalls may have scrolled away.
func printSum(w io.Writer, probes int, failed []string) error {
	var b strings.Builder
	if len(failed) == 0 {
		fmt.Fprintf(&b, "all %d probes are ok\n", probes)
	} else {
		fmt.Fprintf(&b, "%d of %d probes are ok\n", probes-len(failed), probes)
		writeFact(&b, fact{"failed", strings.Join(failed, ", ")})
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// printJSON prints a result as one line.
func printJSON(w io.Writer, p config.Probe, r probe.Result) error {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false) // it goes to a terminal or to jq
	verdict := p.Health.Thresholds.Judge(p.Spec.Interpretation.Value(r))
	return out.Encode(status.NewView(p.Name, p.ShownURL(), p.Spec.Interpretation, r, verdict))
}
