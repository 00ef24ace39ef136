package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/agent"
	"github.com/wsprobe/wsprobe/config"
)

// errFaulty ends `check` when a configuration is not valid. That has been told already.
var errFaulty = errors.New("the configuration is not valid")

// checking is what `check` is asked for.
type checking struct {
	files                                   []string
	strict, inJSON, withoutSecrets, connect bool
}

func newCheckCommand() *cobra.Command {
	var c checking
	cmd := &cobra.Command{
		Use:   "check -c FILE...",
		Short: "Validate a configuration: every fault with its place, or what runs",
		Example: "  wsprobe check -c wsprobe.yaml\n" +
			"  wsprobe check -c wsprobe.yaml --connect    # opens the streams\n" +
			"  wsprobe check -c wsprobe.yaml --strict --without-secrets    # in CI",
		SuggestFor: []string{"validate", "lint", "test"},
		Args:       noArgs("name the file with -c"),
		RunE:       func(cmd *cobra.Command, _ []string) error { return c.run(cmd) },
	}
	configFlag(cmd, &c.files)
	flags := cmd.Flags()
	flags.BoolVar(&c.strict, "strict", false, "take warnings for errors")
	flags.BoolVar(&c.inJSON, "json", false, "print errors and warnings as JSON, an object a line")
	flags.BoolVar(&c.withoutSecrets, "without-secrets", false,
		"read no secrets: every ${env:} and ${file:}, and every file of tls and auth, counts as right")
	flags.BoolVar(&c.connect, "connect", false,
		"also open each stream once, close it without an event, and ask each source of targets; no other connection is made")
	cmd.MarkFlagsMutuallyExclusive("connect", "without-secrets")
	return cmd
}

// run checks the files. The faults go to standard error as lines for people, or to standard output as JSON.
func (c checking) run(cmd *cobra.Command) error {
	load := loadConfig
	if c.withoutSecrets {
		load = loadWithoutSecrets
	}
	agent.BoundLoading(c.files...)
	cfg, err := load(c.files...)
	var wrong *config.Error
	faults := cfg.Warnings
	switch {
	case errors.As(err, &wrong):
		faults = wrong.Faults
	case err != nil:
		return err
	case !c.withoutSecrets:
		faults = append(faults, cfg.TryCredentials(cmd.Context())...)
		if err := agent.Fits(cfg); err != nil { // the agent may run where more files may be open
			faults = append(faults, config.Fault{File: filesOf(c.files), Path: "probes", Problem: err.Error(), Warning: true})
		}
	}
	if c.strict {
		faults = slices.Clone(faults)
		for i := range faults {
			faults[i].Warning = false
		}
	}
	if told := c.tell(cmd, faults); told != nil {
		return told
	}
	if wrong != nil || c.strict && len(faults) > 0 {
		return errFaulty
	}
	return c.show(cmd, cfg)
}

// show says what a valid configuration does, and tries what it connects to if it is asked to.
func (c checking) show(cmd *cobra.Command, cfg config.Config) error {
	checks, err := c.lookAt(cmd, cfg)
	if err != nil {
		return err
	}
	if !c.inJSON {
		if err := printPlan(cmd, c.files, cfg, checks); err != nil {
			return err
		}
	}
	if !c.connect {
		return nil
	}
	if len(cfg.Streams)+len(checks) == 0 && !c.inJSON {
		fmt.Fprintln(cmd.OutOrStdout(), "There is no stream to open, and no source of targets to ask.")
	}
	tried := c.tryStreams(cmd, cfg.Streams)
	if found := c.tellDiscovery(cmd, checks); tried == nil {
		return found
	}
	return tried
}

// faultLine is a fault as `check --json` prints it. Its keys are part of wsprobe's interface.
type faultLine struct {
	File     string `json:"file"`
	Line     int    `json:"line"`   // 0 if there is no place
	Column   int    `json:"column"` // in characters
	Path     string `json:"path"`
	Severity string `json:"severity"` // error or warning
	Message  string `json:"message"`
}

// tell prints the faults.
func (c checking) tell(cmd *cobra.Command, faults []config.Fault) error {
	if !c.inJSON {
		for _, f := range faults {
			fmt.Fprintln(cmd.ErrOrStderr(), f)
		}
		return nil
	}
	out := json.NewEncoder(cmd.OutOrStdout())
	out.SetEscapeHTML(false)
	for _, f := range faults {
		line := faultLine{f.File, f.Line, f.Column, f.Path, "error", f.Problem}
		if f.Warning {
			line.Severity = "warning"
		}
		if err := out.Encode(line); err != nil {
			return failure{err}
		}
	}
	return nil
}

// transports are the protocols of OTLP by their names for people.
var transports = map[string]string{"grpc": "OTLP/gRPC", "http/protobuf": "OTLP/HTTP"}

// printPlan says what the agent would do with the configuration of these files.
func printPlan(cmd *cobra.Command, files []string, cfg config.Config, checks []agent.DiscoveryCheck) error {
	own := cfg.OwnProbes()
	if err := printProbes(cmd.OutOrStdout(), own); err != nil {
		return failure{err}
	}
	results := fmt.Sprintf("Results go to %s over %s every %s.", cfg.OTLP.Endpoint, transports[cfg.OTLP.Protocol], cfg.OTLP.Interval)
	switch {
	case !cfg.OTLP.Exports() && cfg.Agent.Listen == "":
		results = "Results go to the streams alone."
	case !cfg.OTLP.Exports() && len(cfg.Streams) > 0:
		results = "Results go to the streams and are on /metrics."
	case !cfg.OTLP.Exports():
		results = "Results are not exported: they are on /metrics."
	}
	if cfg.OTLP.Exports() && len(cfg.OTLP.ByPreset) > 0 {
		results += "\n" + byPreset(cfg.OTLP)
	}
	page := "There is no status page."
	switch {
	case cfg.Agent.Listen == "":
	case len(cfg.Agent.ProbeEndpoint.Targets) > 0:
		page = "The status page is on " + cfg.Agent.Listen + ", and /probe has " + plural(len(cfg.Modules), "module") + "."
	default:
		page = "The status page is on " + cfg.Agent.Listen + "."
	}
	if err := errors.Join(printDiscovery(cmd, checks), printStreams(cmd, cfg.Streams)); err != nil {
		return failure{err}
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "\n%s valid: %s%s, at most %d at a time%s.\n%s\n%s\n%s",
		subject(files, cfg.Sources), share(len(own), cfg), disabled(cfg), cfg.Agent.MaxConcurrent, sessions(own), results, page, resting(own, time.Now()))
	if err != nil {
		return failure{err}
	}
	return nil
}

// byPreset says which values hold because the preset has them.
func byPreset(o config.OTLP) string {
	var values []string
	for _, v := range o.ByPreset {
		values = append(values, v.Path+": "+v.Value)
	}
	return "The preset " + o.Preset + " sets " + strings.Join(values, ", ") + "."
}

// subject names what was read, and its verb. A directory stands for its files.
func subject(names, sources []string) string {
	text := filesOf(names)
	if !slices.Equal(names, sources) {
		text += " (" + plural(len(sources), "file") + ")"
	}
	if len(names) == 1 {
		return text + " is"
	}
	return text + " are"
}

// disabled says how many probes are not run, if there are any.
func disabled(cfg config.Config) string {
	if len(cfg.Disabled) == 0 {
		return ""
	}
	return fmt.Sprintf(" and %d disabled", len(cfg.Disabled))
}

// sessions says how many of these probes are held open, if any are.
func sessions(own []config.Probe) string {
	n := 0
	for _, p := range own {
		if p.Session != nil {
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", %s held open", plural(n, "session"))
}

// mostNamed is how many probes in maintenance are named.
const mostNamed = 5

// resting says which of these probes are in maintenance, if any are.
func resting(own []config.Probe, now time.Time) string {
	var names []string
	n := 0
	for _, p := range own {
		if !p.Maintenance.At(now) {
			continue
		}
		if n++; n > mostNamed {
			continue
		}
		until := "without an end"
		if end := p.Maintenance.Until(now); !end.IsZero() {
			until = "until " + end.UTC().Format(time.RFC3339)
		}
		names = append(names, p.Name+" "+until)
	}
	if n == 0 {
		return ""
	}
	if n > mostNamed {
		names = append(names, fmt.Sprintf("%d more", n-mostNamed))
	}
	return "In maintenance: " + strings.Join(names, ", ") + ".\n"
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
