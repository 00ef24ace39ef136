package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/wsprobe/wsprobe/config"
)

// printStreams says which events go where, if there are streams.
func printStreams(cmd *cobra.Command, streams []config.Stream) error {
	if len(streams) == 0 {
		return nil
	}
	out := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
	fmt.Fprintln(out, "\nSTREAM\tEVENTS\tENCODING\tPROOF\tBUFFER\tURL")
	for _, s := range streams {
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\n", s.Name, selected(s.Select), s.Encoding.Codec, s.Acknowledgements, s.Buffer.Type, s.ShownURL())
	}
	return out.Flush()
}

// selected sums up which events a stream carries.
func selected(s config.Selection) string {
	switch {
	case len(s.Probes) == 0 && len(s.Labels) == 0 && len(s.Reasons) == 0 && s.Changes:
		return "changes"
	case len(s.Probes) == 0 && len(s.Labels) == 0 && len(s.Reasons) == 0:
		return "all"
	case s.Changes:
		return "some changes"
	default:
		return "some"
	}
}
