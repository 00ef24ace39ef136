package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wsprobe/wsprobe/config"
	"github.com/wsprobe/wsprobe/probe"
)

// openingFlags describe the way to the open socket of a URL on the command line, and the limits of what comes over it.
type openingFlags struct {
	compression        bool
	headers, protocols []string
	expectProtocol     string
	user, token        string
	connectTo, proxy   string
	ip4, ip6           bool
	maxMessage         int64
	timeout            timeoutValue
	tls                config.TLS
	serverName, minTLS string
	anyHostname        bool
}

// openingNames are the names of these flags.
func openingNames() []string {
	return append([]string{"header", "protocol", "expect-protocol", "user", "token", "connect-to", "proxy", "ipv4", "ipv6", "compression",
		"max-message-bytes", "timeout"}, tlsFlags()...)
}

// register adds the flags. Bounded is the time that --timeout bounds.
func (f *openingFlags) register(flags *pflag.FlagSet, bounded string) {
	flags.StringArrayVarP(&f.headers, "header", "H", nil, "`'Name: value'` to add to the request; may be repeated")
	flags.StringVar(&f.user, "user", "", "`name:password` for basic authentication")
	flags.StringVar(&f.token, "token", "", "bearer `token`, or @file, or - for standard input")
	flags.StringArrayVar(&f.protocols, "protocol", nil, "`subprotocol` to offer; may be repeated")
	flags.StringVar(&f.expectProtocol, "expect-protocol", "", "`subprotocol` that the server must pick")
	flags.BoolVar(&f.compression, "compression", false, "offer to compress messages (permessage-deflate)")
	flags.Int64Var(&f.maxMessage, "max-message-bytes", 0, "longest message to take, in `bytes` (default 1 MiB)")
	flags.Var(&f.timeout, "timeout", "`time` for "+bounded+", 2s or 2000 in ms (default 10s)")
	flags.StringVar(&f.connectTo, "connect-to", "", "`host:port` to connect to in place of the URL's")
	flags.BoolVarP(&f.ip4, "ipv4", "4", false, "connect over IPv4 only")
	flags.BoolVarP(&f.ip6, "ipv6", "6", false, "connect over IPv6 only")
	flags.StringVar(&f.proxy, "proxy", "", "`URL` of the proxy to tunnel through, http://, https:// or socks5://; \"\" for none "+
		"(default the proxy of HTTP_PROXY, HTTPS_PROXY and NO_PROXY)")
	f.registerTLS(flags)
}

// fill says how to open a URL. The proxy of the environment is not in it, see withProxy.
func (f *openingFlags) fill(cmd *cobra.Command, o *probe.Opening, in *input) error {
	if cmd.Flags().Changed("max-message-bytes") && f.maxMessage < 1 {
		return fmt.Errorf("--max-message-bytes: must be from 1 to %d, got %d", probe.MaxMaxReply, f.maxMessage)
	}
	o.ConnectTo, o.Protocols, o.ExpectProtocol, o.UserAgent = f.connectTo, f.protocols, f.expectProtocol, userAgent()
	if err := f.fillRequest(cmd, o, in); err != nil {
		return err
	}
	if err := f.fillRoute(o); err != nil {
		return err
	}
	return f.fillTLS(cmd, o)
}

// withProxy fills in the proxy of the environment, unless a flag names one. The Opening has no fault.
func (f *openingFlags) withProxy(cmd *cobra.Command, o *probe.Opening) (err error) {
	if !cmd.Flags().Changed("proxy") {
		o.Proxy, err = config.EnvironmentProxy(o.URL)
	}
	return err
}

// fillRequest fills in what the request carries.
func (f *openingFlags) fillRequest(cmd *cobra.Command, o *probe.Opening, in *input) (err error) {
	if f.compression {
		o.Compression = probe.CompressionOn
	}
	if o.Headers, err = parseHeaders(f.headers); err != nil {
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
		o.Authorize, err = config.Authorization(name, password, "")
		return called("--user", err)
	case token:
		text, err := in.bytes("--token", f.token, false)
		if err != nil {
			return err
		}
		if len(text) == 0 {
			return errors.New("--token: must not be empty")
		}
		o.Authorize, err = config.Authorization("", "", string(text))
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
func (f *openingFlags) fillRoute(o *probe.Opening) (err error) {
	switch {
	case f.ip4 && f.ip6:
		return errors.New("-6: goes in place of -4, not with it")
	case f.ip4:
		o.IPVersion = probe.IPv4
	case f.ip6:
		o.IPVersion = probe.IPv6
	}
	o.Proxy, err = config.ParseProxy(f.proxy)
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
