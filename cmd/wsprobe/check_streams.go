package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/wsprobe/wsprobe/cmd/wsprobe/internal/agent"
	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe/session"
	"github.com/wsprobe/wsprobe/probe/visible"
	"github.com/wsprobe/wsprobe/reasons"
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

// errNotConnected ends `check --connect` when a stream cannot be opened. That has been told already.
var errNotConnected = failure{errors.New("a stream cannot connect")}

// connectLine is the outcome of the open of a stream as `check --connect --json` prints it. Its keys are part of
// wsprobe's interface.
type connectLine struct {
	Stream    string  `json:"stream"`
	URL       string  `json:"url"` // without its query
	Connected bool    `json:"connected"`
	Took      float64 `json:"took_ms"`
	Reason    string  `json:"reason"`     // ok, or one of the five codes; empty if the endpoint ended the connection
	ErrorType string  `json:"error_type"` // what broke; may be empty
	Detail    string  `json:"detail"`     // for people
	Hint      string  `json:"hint"`       // what to do about it; may be empty
}

// tryStreams opens every stream, and tells what came of it, a line each.
func (c checking) tryStreams(cmd *cobra.Command, streams []config.Stream) error {
	out := cmd.OutOrStdout()
	if len(streams) > 0 && !c.inJSON {
		fmt.Fprintln(out)
	}
	failed := false
	for _, s := range agent.CheckStreams(cmd.Context(), streams) {
		failed = failed || s.Err != nil
		if err := c.tellConnect(out, s); err != nil {
			return failure{err}
		}
	}
	if failed {
		return errNotConnected
	}
	return nil
}

// tellConnect prints the outcome of one open.
func (c checking) tellConnect(out io.Writer, s agent.StreamCheck) error {
	line := connectLine{Stream: s.Name, URL: s.URL, Connected: s.Err == nil, Took: float64(s.Took.Microseconds()) / 1000, Reason: reasons.OK.String()}
	if s.Err != nil {
		line.Reason, line.ErrorType, line.Detail, line.Hint = s.Err.Reason, s.Err.ErrorType, s.Err.Detail, s.Err.Hint
	}
	if c.inJSON {
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		return encoder.Encode(line)
	}
	said := fmt.Sprintf("connected in %s", session.Span(s.Took))
	if s.Err != nil {
		said = "cannot connect: " + s.Err.Error()
	}
	_, err := fmt.Fprintf(out, "%s: %s\n", visible.Text(s.Name), visible.Text(said))
	return err
}
