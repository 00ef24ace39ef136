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
	"github.com/wsprobe/wsprobe/probe/redact"
)

// adhocFlags describe the probe of `once URL`.
type adhocFlags struct {
	message            messageFlags
	ping, compression  bool
	interpretation     string
	headers, protocols []string
	expectProtocol     string
	user, token        string
	connectTo, proxy   string
	ip4, ip6           bool
	expectStatus       int
	maxMessage         int64
	timeout, stayOpen  timeoutValue
	tls                config.TLS
	serverName, minTLS string
	anyHostname        bool
}

// adhocNames are the names of these flags.
func adhocNames() []string {
	return append([]string{"send", "expect", "expect-pattern", "expect-json", "exchange", "hex", "base64", "binary", "ping", "header",
		"protocol", "expect-protocol", "user", "token", "connect-to", "proxy", "ipv4", "ipv6", "compression", "expect-status",
		"max-message-bytes", "timeout", "stay-open", "interpretation"}, tlsFlags()...)
}

func (f *adhocFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SortFlags = false // what belongs together stays together
	f.message.register(flags)
	flags.BoolVar(&f.ping, "ping", false, "send a Ping frame and time its Pong; beside --send, to tell a silent application from a silent server")
	flags.StringArrayVarP(&f.headers, "header", "H", nil, "`'Name: value'` to add to the request; may be repeated")
	flags.StringVar(&f.user, "user", "", "`name:password` for basic authentication")
	flags.StringVar(&f.token, "token", "", "bearer `token`, or @file, or - for standard input")
	flags.StringArrayVar(&f.protocols, "protocol", nil, "`subprotocol` to offer; may be repeated")
	flags.StringVar(&f.expectProtocol, "expect-protocol", "", "`subprotocol` that the server must pick")
	flags.IntVar(&f.expectStatus, "expect-status", 0, "HTTP `status` of the refusal that is the right answer")
	flags.BoolVar(&f.compression, "compression", false, "offer to compress messages (permessage-deflate)")
	flags.Int64Var(&f.maxMessage, "max-message-bytes", 0, "longest message to take, in `bytes` (default 1 MiB)")
	flags.Var(&f.timeout, "timeout", "`time` for the whole run, 2s or 2000 in ms (default 10s)")
	flags.Var(&f.stayOpen, "stay-open", "`time` for which the socket must stay open at the end, 2s or 2000 in ms, less than --timeout")
	flags.StringVar(&f.interpretation, "interpretation", "",
		"headline `value`: handshake_latency, round_trip_latency or connection_success (default round_trip_latency with --send, "+
			"--exchange or --ping, else handshake_latency)")
	flags.StringVar(&f.connectTo, "connect-to", "", "`host:port` to connect to in place of the URL's")
	flags.BoolVarP(&f.ip4, "ipv4", "4", false, "connect over IPv4 only")
	flags.BoolVarP(&f.ip6, "ipv6", "6", false, "connect over IPv6 only")
	flags.StringVar(&f.proxy, "proxy", "", "`URL` of the proxy to tunnel through, http://, https:// or socks5://; \"\" for none "+
		"(default the proxy of HTTP_PROXY, HTTPS_PROXY and NO_PROXY)")
	f.registerTLS(flags)
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
		Opening: probe.Opening{
			URL: url, ConnectTo: f.connectTo, Protocols: f.protocols, ExpectProtocol: f.expectProtocol, UserAgent: userAgent(),
		},
		Interpretation: probe.Interpretation(f.interpretation),
		ExpectStatus:   f.expectStatus,
		Timeout:        time.Duration(f.timeout),
		MaxReply:       f.maxMessage,
		StayOpen:       time.Duration(f.stayOpen),
	}
	in := &input{from: cmd.InOrStdin()}
	var err error
	for _, fill := range []func() error{
		func() error { return f.message.fill(cmd, &spec, in) },
		func() error { return f.fillAnswer(cmd, &spec) },
		func() error { return f.fillRequest(cmd, &spec, in) },
		func() error { return f.fillRoute(&spec) },
		func() error { return f.fillTLS(cmd, &spec) },
	} {
		if err = fill(); err != nil {
			return config.Probe{}, err
		}
	}
	if faults := spec.Validate(); len(faults) > 0 {
		return config.Probe{}, f.error(faults)
	}
	if !cmd.Flags().Changed("proxy") {
		if spec.Proxy, err = config.EnvironmentProxy(url); err != nil {
			return config.Probe{}, err
		}
	}
	return config.Probe{Name: redact.URL(url), Spec: spec.WithDefaults()}, nil
}

// fillAnswer says what is to be answered, and what the headline is.
func (f *adhocFlags) fillAnswer(cmd *cobra.Command, spec *probe.Spec) error {
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
	if cmd.Flags().Changed("max-message-bytes") && f.maxMessage < 1 {
		return fmt.Errorf("--max-message-bytes: must be from 1 to %d, got %d", probe.MaxMaxReply, f.maxMessage)
	}
	return nil
}

// fillRequest fills in what the request carries.
func (f *adhocFlags) fillRequest(cmd *cobra.Command, spec *probe.Spec, in *input) (err error) {
	if f.compression {
		spec.Compression = probe.CompressionOn
	}
	if spec.Headers, err = parseHeaders(f.headers); err != nil {
		return err
	}
	user, token := cmd.Flags().Changed("user"), cmd.Flags().Changed("token")
	switch {
	case user && token:
		return errors.New("--token: goes in place of --user, not with it")
	case user:
		name, password, ok := strings.Cut(f.user, ":")
		if !ok {
			return errors.New("--user: must be name:password")
		}
		spec.Authorize, err = config.Authorization(name, password, "")
		return called("--user", err)
	case token:
		text, err := in.bytes("--token", f.token, false)
		if err != nil {
			return err
		}
		if len(text) == 0 {
			return errors.New("--token: must not be empty")
		}
		spec.Authorize, err = config.Authorization("", "", string(text))
		return called("--token", err)
	}
	return nil
}

// called names the flag of an error, if there is one.
func called(flag string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", flag, err)
}

// fillRoute fills in which way the connection takes.
func (f *adhocFlags) fillRoute(spec *probe.Spec) (err error) {
	switch {
	case f.ip4 && f.ip6:
		return errors.New("-6: goes in place of -4, not with it")
	case f.ip4:
		spec.IPVersion = probe.IPv4
	case f.ip6:
		spec.IPVersion = probe.IPv6
	}
	spec.Proxy, err = config.ParseProxy(f.proxy)
	return called("--proxy", err)
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
