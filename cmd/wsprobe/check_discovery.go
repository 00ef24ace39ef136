package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/agent"
	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe/visible"
)

// maxToldProbes is how many probes of discovered targets `check --connect` names for each source.
const maxToldProbes = 100

// errNoTargets ends `check --connect` when a source cannot be asked. That has been told already.
var errNoTargets = failure{errors.New("a source of targets fails")}

// lookAt looks at the sources of targets: at files in any case, and at servers and the DNS with --connect.
func (c checking) lookAt(cmd *cobra.Command, cfg config.Config) ([]agent.DiscoveryCheck, error) {
	checks, err := agent.CheckDiscovery(cmd.Context(), cfg, func(d *config.Discover) bool {
		return c.connect || d.Source.Files != nil && !c.withoutSecrets
	})
	if err != nil {
		return nil, failure{err}
	}
	return checks, nil
}

// printDiscovery says where targets come from, if there are sources.
func printDiscovery(cmd *cobra.Command, checks []agent.DiscoveryCheck) error {
	if len(checks) == 0 {
		return nil
	}
	out := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
	fmt.Fprintln(out, "\nSOURCE\tKIND\tMODULE\tTARGETS")
	for _, d := range checks {
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\n", d.Source.Name, d.Source.Kind(), d.Source.Module.Name, visible.Text(targetsOf(d)))
	}
	return out.Flush()
}

// targetsOf says what a source has.
func targetsOf(d agent.DiscoveryCheck) string {
	if !d.Asked {
		return "not asked"
	}
	text := plural(d.Targets, "target")
	if d.Without > 0 {
		text += fmt.Sprintf(", %d without a probe", d.Without)
	}
	if d.Problem != "" {
		text += "; " + d.Problem
	}
	return text
}

// discoveryLine is a source as `check --connect --json` prints it. Its keys are part of wsprobe's interface.
type discoveryLine struct {
	Source   string            `json:"source"`
	Kind     string            `json:"kind"` // files, http or dns
	Problem  string            `json:"problem"`
	Targets  int               `json:"targets"`
	Probes   []string          `json:"probes"`
	Without  int               `json:"rejected_targets"` // targets that get no probe
	Rejected []agent.Rejection `json:"rejected"`         // the first of these
}

// tellDiscovery prints what was found, and returns an error if a source could not be asked.
func (c checking) tellDiscovery(cmd *cobra.Command, checks []agent.DiscoveryCheck) error {
	out := cmd.OutOrStdout()
	failed := false
	if len(checks) > 0 && !c.inJSON {
		fmt.Fprintln(out)
	}
	for _, d := range checks {
		failed = failed || d.Problem != ""
		if c.inJSON {
			encoder := json.NewEncoder(out)
			encoder.SetEscapeHTML(false)
			line := discoveryLine{d.Source.Name, d.Source.Kind(), d.Problem, d.Targets, d.Probes, d.Without, d.Rejected}
			if line.Probes == nil {
				line.Probes = []string{}
			}
			if line.Rejected == nil {
				line.Rejected = []agent.Rejection{}
			}
			if err := encoder.Encode(line); err != nil {
				return failure{err}
			}
			continue
		}
		fmt.Fprintf(out, "%s: %s\n", visible.Text(d.Source.Name), visible.Text(targetsOf(d)))
		for i, name := range d.Probes {
			if i == maxToldProbes {
				fmt.Fprintf(out, "  and %d more\n", len(d.Probes)-i)
				break
			}
			fmt.Fprintf(out, "  %s\n", visible.Text(name))
		}
		for _, r := range d.Rejected {
			fmt.Fprintf(out, "  %s gets no probe: %s\n", visible.Text(r.Target), visible.Text(r.Detail))
		}
	}
	if failed {
		return errNoTargets
	}
	return nil
}
