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
	send, expect, interpretation string
	proxy                        string
	headers, protocols           []string
	timeout                      timeoutValue
	tls                          config.TLS
}

// adhocFields names the flag for each field of a Spec, for the messages.
var adhocFields = map[string]string{
	"URL": "URL", "Send": "--send", "Expect": "--expect", "Interpretation": "--interpretation",
	"Headers": "--header", "Protocols": "--protocol", "Timeout": "--timeout", "Proxy": "--proxy",
	"TLS": "TLS flags",
}

func (f *adhocFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.send, "send", "", "`message` to send; measures the round trip")
	flags.StringVar(&f.expect, "expect", "", "`text` that the reply must contain (default any reply)")
	flags.StringArrayVarP(&f.headers, "header", "H", nil, "`'Name: value'` to add to the request; may be repeated")
	flags.StringArrayVar(&f.protocols, "protocol", nil, "`subprotocol` to offer; may be repeated")
	flags.Var(&f.timeout, "timeout", "`time` for the whole run, 2s or 2000 in ms (default 10s)")
	flags.StringVar(&f.interpretation, "interpretation", "",
		"headline `value`: handshake_latency, round_trip_latency or connection_success\n"+
			"(default round_trip_latency with --send, else handshake_latency)")
	flags.StringVar(&f.proxy, "proxy", "", "`URL` of the proxy to tunnel through, http://, https:// or socks5://; \"\" for none\n"+
		"(default what HTTP_PROXY, HTTPS_PROXY and NO_PROXY prescribe)")
	registerTLS(cmd, &f.tls)
}

// changed returns the first flag of these that was given, or nothing.
func (f *adhocFlags) changed(cmd *cobra.Command) string {
	for _, name := range append([]string{"send", "expect", "header", "protocol", "timeout", "interpretation", "proxy"}, tlsFlags()...) {
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
		Protocols:      f.protocols,
		Timeout:        time.Duration(f.timeout),
		UserAgent:      userAgent(),
	}
	if f.interpretation == "" && cmd.Flags().Changed("send") {
		spec.Interpretation = probe.RoundTripLatency
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
		return config.Probe{}, adhocError(faults)
	}
	if !given {
		if spec.Proxy, err = config.EnvironmentProxy(url); err != nil {
			return config.Probe{}, err
		}
	}
	return config.Probe{Name: probe.RedactURL(url), Spec: spec.WithDefaults()}, nil
}

// adhocError speaks of a Spec's faults in terms of the flags.
func adhocError(faults []probe.Fault) error {
	var lines []string
	for _, f := range faults {
		name, ok := adhocFields[f.Field]
		if !ok {
			name = f.Field
		}
		if f.Key != "" && f.Field == "Headers" {
			name += " " + strconv.Quote(f.Key)
		}
		lines = append(lines, name+": "+f.Problem)
	}
	return errors.New(strings.Join(lines, "\n"))
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
