package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe"
)

// adhocFlags describe the probe of `once URL`.
type adhocFlags struct {
	send, expect, expectPattern string
	ping, compression           bool
	interpretation              string
	headers, protocols          []string
	connectTo, proxy            string
	expectStatus                int
	timeout                     timeoutValue
	tls                         config.TLS
}

// adhocNames are the names of these flags.
func adhocNames() []string {
	return append([]string{"send", "expect", "expect-pattern", "ping", "header", "protocol", "connect-to", "proxy", "compression",
		"expect-status", "timeout", "interpretation"}, tlsFlags()...)
}

// adhocFields names the flag for each field of a Spec, for the messages.
var adhocFields = map[string]string{
	"URL": "URL", "Send": "--send", "Expect": "--expect", "Interpretation": "--interpretation",
	"Headers": "--header", "Protocols": "--protocol", "Timeout": "--timeout", "Proxy": "--proxy",
	"TLS":           "TLS flags",
	"ExpectPattern": "--expect-pattern", "PingMode": "--ping", "ConnectTo": "--connect-to", "ExpectStatus": "--expect-status",
}

func (f *adhocFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.send, "send", "", "`message` to send; measures the round trip")
	flags.StringVar(&f.expect, "expect", "", "`text` that the reply must contain (default any reply)")
	flags.StringVar(&f.expectPattern, "expect-pattern", "", "regular `expression` (RE2) that the reply must match")
	flags.BoolVar(&f.ping, "ping", false, "send a Ping frame and time its Pong; beside --send, to tell\na silent application from a silent server")
	flags.StringArrayVarP(&f.headers, "header", "H", nil, "`'Name: value'` to add to the request; may be repeated")
	flags.StringArrayVar(&f.protocols, "protocol", nil, "`subprotocol` to offer; may be repeated")
	flags.StringVar(&f.connectTo, "connect-to", "", "`host:port` to connect to in place of the URL's")
	flags.IntVar(&f.expectStatus, "expect-status", 0, "HTTP `status` of the refusal that is the right answer")
	flags.Var(&f.timeout, "timeout", "`time` for the whole run, 2s or 2000 in ms (default 10s)")
	flags.StringVar(&f.interpretation, "interpretation", "",
		"headline `value`: handshake_latency, round_trip_latency or connection_success\n"+
			"(default round_trip_latency with --send or --ping, else handshake_latency)")
	flags.BoolVar(&f.compression, "compression", false, "offer to compress messages (permessage-deflate)")
	flags.StringVar(&f.proxy, "proxy", "", "`URL` of the proxy to tunnel through, http://, https:// or socks5://;\n"+
		"\"\" for none (default what HTTP_PROXY, HTTPS_PROXY and NO_PROXY\nprescribe)")
	registerTLS(cmd, &f.tls)
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
		URL:            url,
		Interpretation: probe.Interpretation(f.interpretation),
		Send:           f.send,
		Expect:         f.expect,
		ExpectPattern:  f.expectPattern,
		ExpectStatus:   f.expectStatus,
		ConnectTo:      f.connectTo,
		Protocols:      f.protocols,
		Timeout:        time.Duration(f.timeout),
		UserAgent:      userAgent(),
	}
	sends := cmd.Flags().Changed("send")
	switch {
	case f.ping && sends:
		spec.PingMode = probe.PingBoth
	case f.ping:
		spec.PingMode = probe.PingFrame
	}
	if f.interpretation == "" && (f.ping || sends) {
		spec.Interpretation = probe.RoundTripLatency
	}
	if f.compression {
		spec.Compression = probe.CompressionOn
	}
	var err error
	if spec.Headers, err = parseHeaders(f.headers); err != nil {
		return config.Probe{}, err
	}
	given := cmd.Flags().Changed("proxy")
	if spec.Proxy, err = config.ParseProxy(f.proxy); err != nil {
		return config.Probe{}, fmt.Errorf("--proxy: %w", err)
	}
	if spec.TLS, err = loadTLS(f.tls); err != nil {
		return config.Probe{}, err
	}
	if faults := spec.Validate(); len(faults) > 0 {
		return config.Probe{}, f.error(faults)
	}
	if !given {
		if spec.Proxy, err = config.EnvironmentProxy(url); err != nil {
			return config.Probe{}, err
		}
	}
	return config.Probe{Name: probe.RedactURL(url), Spec: spec.WithDefaults()}, nil
}

// error speaks of a Spec's faults in terms of the flags, a line for each.
func (f *adhocFlags) error(faults []probe.Fault) error {
	var lines []string
	for _, fault := range faults {
		name, ok := adhocFields[fault.Field]
		if !ok {
			name = fault.Field
		}
		if fault.Key != "" && fault.Field == "Headers" {
			name += " " + strconv.Quote(fault.Key)
		}
		lines = append(lines, name+": "+f.problem(fault))
	}
	return errors.New(strings.Join(lines, "\n"))
}

// problem says what is wrong, and where flags do not fit each other which one to give.
func (f *adhocFlags) problem(fault probe.Fault) string {
	switch misfit := len(fault.Given) > 0; {
	case fault.Field == "Send" && misfit && !fault.NotAllowed:
		return "is missing: round_trip_latency times the answer to a message; --ping does without one"
	case fault.Field == "PingMode" && misfit:
		return "times an answer, which is no part of " + f.interpretation
	case fault.Field == "ExpectPattern" && fault.NotAllowed && f.expect != "":
		return "goes in place of --expect, not with it"
	case (fault.Field == "Expect" || fault.Field == "ExpectPattern") && fault.NotAllowed && f.send == "":
		return "needs a message that is answered: add --send"
	default:
		return fault.Problem
	}
}

// parseHeaders reads 'Name: value' as curl does. The value of a header never stands in an error.
func parseHeaders(lines []string) (map[string]string, error) {
	headers := make(map[string]string, len(lines))
	for i, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return nil, fmt.Errorf("--header number %d: must be 'Name: value'", i+1)
		}
		if _, twice := headers[name]; twice {
			return nil, fmt.Errorf("--header %q: given twice", name)
		}
		headers[name] = strings.TrimSpace(value)
	}
	return headers, nil
}

// timeoutValue is a duration, or a bare number of milliseconds as in timeout_ms.
type timeoutValue time.Duration

func (t *timeoutValue) String() string { return "" }

func (t *timeoutValue) Type() string { return "time" }

func (t *timeoutValue) Set(text string) error {
	d, err := time.ParseDuration(text)
	if ms, numErr := strconv.ParseUint(text, 10, 31); numErr == nil {
		d, err = time.Duration(ms)*time.Millisecond, nil
	}
	if err != nil || d < probe.MinTimeout || d > probe.MaxTimeout {
		return fmt.Errorf("must be a time between %v and %v, 2s or 2000 in ms", probe.MinTimeout, probe.MaxTimeout)
	}
	*t = timeoutValue(d)
	return nil
}
