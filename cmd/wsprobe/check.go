package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/wsprobe/wsprobe/config"
)

func newCheckCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:        "check -c FILE",
		Short:      "Validate a configuration: every error with its place, or what runs",
		SuggestFor: []string{"validate", "lint", "test"},
		Args:       noArgs("name the file with -c"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(file)
			if err != nil {
				return err
			}
			if err := printPlan(cmd, file, cfg); err != nil {
				return err
			}
			warnOfCredentials(cmd, cfg)
			return nil
		},
	}
	configFlag(cmd, &file)
	return cmd
}

// transports are the protocols of OTLP by their names for people.
var transports = map[string]string{"grpc": "OTLP/gRPC", "http/protobuf": "OTLP/HTTP"}

// printPlan says what the agent would do with the configuration of a file.
func printPlan(cmd *cobra.Command, file string, cfg config.Config) error {
	out := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
	fmt.Fprintln(out, "PROBE\tINTERPRETATION\tINTERVAL\tTIMEOUT\tURL")
	own := ownProbes(cfg)
	for _, p := range own {
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\n",
			p.Name, p.Spec.Interpretation, p.Interval, p.Spec.Timeout, p.ShownURL())
	}
	if err := out.Flush(); err != nil {
		return failure{err}
	}
	results := fmt.Sprintf("Results go to %s over %s every %s.", cfg.OTLP.Endpoint, transports[cfg.OTLP.Protocol], cfg.OTLP.Interval)
	if !cfg.OTLP.Exports() {
		results = "Results are not exported: they are on /metrics."
	}
	page := "There is no status page."
	if cfg.Agent.Listen != "" {
		page = "The status page is on " + cfg.Agent.Listen + "."
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "\n%s is valid: %s, at most %d at a time.\n%s\n%s\n",
		file, share(len(own), cfg), cfg.Agent.MaxConcurrent, results, page)
	if err != nil {
		return failure{err}
	}
	return nil
}

// warnOfCredentials tells of files with credentials that cannot be used now. They are read at every run, so they may
// well be there by then.
func warnOfCredentials(cmd *cobra.Command, cfg config.Config) {
	for _, p := range cfg.Probes {
		if p.Spec.Authorize == nil {
			continue
		}
		if _, err := p.Spec.Authorize(); err != nil {
			complain(cmd.ErrOrStderr(), fmt.Sprintf("warning: probe %q would fail now: %v", p.Name, err))
		}
	}
}

// share says how many probes an agent runs, and of how many if it is one of a set.
func share(own int, cfg config.Config) string {
	shard := cfg.Agent.Shard
	if shard.Count <= 1 {
		return plural(own, "probe")
	}
	return fmt.Sprintf("shard %d of %d runs %d of %s", shard.Index, shard.Count, own, plural(len(cfg.Probes), "probe"))
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}
