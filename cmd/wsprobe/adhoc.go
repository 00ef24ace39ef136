package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe"
	"github.com/wsprobe/wsprobe/probe/redact"
)

// adhocFlags describe the probe of `once URL`.
type adhocFlags struct {
	openingFlags
	message        messageFlags
	ping           bool
	interpretation string
	expectStatus   int
	stayOpen       timeoutValue
}

// adhocNames are the names of these flags.
func adhocNames() []string {
	return append([]string{"send", "expect", "expect-pattern", "expect-json", "exchange", "hex", "base64", "binary", "ping", "expect-status",
		"stay-open", "interpretation"}, openingNames()...)
}

func (f *adhocFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SortFlags = false // what belongs together stays together
	f.message.register(flags, messageHelp{
		send:          "`message` to send, or @file, or - for standard input; measures the round trip",
		expect:        "`text` that the reply must contain (default any reply)",
		expectPattern: "regular `expression` (RE2) that the reply must match",
		expectJSON: "`path=value` that must hold in a JSON reply, data.0.id=7 or op=pong; a number as text is 'id=\"7\"'; " +
			"may be repeated",
	})
	flags.BoolVar(&f.ping, "ping", false, "send a Ping frame and time its Pong; beside --send, to tell a silent application from a silent server")
	flags.IntVar(&f.expectStatus, "expect-status", 0, "HTTP `status` of the refusal that is the right answer")
	flags.Var(&f.stayOpen, "stay-open", "`time` for which the socket must stay open at the end, 2s or 2000 in ms, less than --timeout")
	flags.StringVar(&f.interpretation, "interpretation", "",
		"headline `value`: handshake_latency, round_trip_latency or connection_success (default round_trip_latency with --send, "+
			"--exchange or --ping, else handshake_latency)")
	f.openingFlags.register(flags, "the whole run")
}

// changed returns the first flag of these that was given, or nothing.
func (f *adhocFlags) changed(cmd *cobra.Command) string {
	for _, name := range adhocNames() {
		if cmd.Flags().Changed(name) {
			return name
		}
	}
	return ""
}

// probe is the probe that the flags describe. It is named like its URL.
func (f *adhocFlags) probe(cmd *cobra.Command, url string) (config.Probe, error) {
	spec := probe.Spec{
		Opening:        probe.Opening{URL: url},
		Interpretation: probe.Interpretation(f.interpretation),
		ExpectStatus:   f.expectStatus,
		Timeout:        time.Duration(f.timeout),
		MaxReply:       f.maxMessage,
		StayOpen:       time.Duration(f.stayOpen),
	}
	in := &input{from: cmd.InOrStdin()}
	if err := f.message.fill(cmd, &spec, in); err != nil {
		return config.Probe{}, err
	}
	f.fillAnswer(cmd, &spec)
	if err := f.fill(cmd, &spec.Opening, in); err != nil {
		return config.Probe{}, err
	}
	if faults := spec.Validate(); len(faults) > 0 {
		return config.Probe{}, f.error(faults)
	}
	if err := f.withProxy(cmd, &spec.Opening); err != nil {
		return config.Probe{}, err
	}
	return config.Probe{Name: redact.URL(url), Spec: spec.WithDefaults()}, nil
}

// fillAnswer says what is to be answered, and what the headline is.
func (f *adhocFlags) fillAnswer(cmd *cobra.Command, spec *probe.Spec) {
	sends := cmd.Flags().Changed("send") || cmd.Flags().Changed("exchange")
	switch {
	case f.ping && sends:
		spec.PingMode = probe.PingBoth
	case f.ping:
		spec.PingMode = probe.PingFrame
	}
	if f.interpretation == "" && (f.ping || sends) {
		spec.Interpretation = probe.RoundTripLatency
	}
}
